// How many events there were when: what the timeline draws behind the window. Asked from `/series` as counts of the field that
// comes most often, of each dataset that is shown.

import { getSeries, type Schema } from '../wire/rest';
import type { Stretch } from './window';

export interface Activity extends Stretch {
  /** Start of each bucket that has events, µs, in order, and how many. */
  time: number[];
  count: number[];
  /** Width of a bucket, µs. */
  bucket: number;
}

export const ACTIVITY_POINTS = 200;
/** Datasets beyond these are left out: each costs a request. */
const MOST_DATASETS = 6;

/** The name of the field with the most values; null when none has any. */
export function busiestField(schema: Schema | undefined): string | null {
  let best: { name: string; count: number } | null = null;
  for (const { name, count } of schema?.fields ?? []) if (count > (best?.count ?? 0)) best = { name, count };
  return best?.name ?? null;
}

/** Sums counts of buckets that begin at the same time; exported for the tests. */
export function summed(parts: { time: number[]; values: (number | null)[] }[]): { time: number[]; count: number[] } {
  const counts = new Map<number, number>();
  for (const { time, values } of parts) {
    for (let i = 0; i < time.length; i++) {
      const value = values[i] ?? 0;
      if (value > 0) counts.set(time[i] as number, (counts.get(time[i] as number) ?? 0) + value);
    }
  }
  const time = [...counts.keys()].sort((a, b) => a - b);
  return { time, count: time.map((t) => counts.get(t) as number) };
}

/** The activity of `stretch`; null when it was given up or no dataset could say. */
export async function askActivity(
  datasets: { name: string; schema: Schema | undefined }[],
  stretch: Stretch,
  signal: AbortSignal,
): Promise<Activity | null> {
  const asked = datasets.slice(0, MOST_DATASETS).flatMap(({ name, schema }) => {
    const field = busiestField(schema);
    return field === null ? [] : [{ name, field }];
  });
  const answers = await Promise.all(
    asked.map(({ name, field }) =>
      getSeries(
        { dataset: name, device: '', fields: [field], agg: 'count', points: ACTIVITY_POINTS, ...stretch },
        signal,
      ),
    ),
  );
  if (signal.aborted) return null;
  const good = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
  const [first] = good;
  if (first === undefined) return null;
  const { time, count } = summed(good.map((g) => ({ time: g.time, values: g.series[0]?.values ?? [] })));
  return { ...stretch, time, count, bucket: first.interval_us };
}
