// One device: its figures, and the rhythm of its last minutes with the gaps in it.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatNumber } from '../../kit/format';
import { Note, Trouble, useEscape, usePoll } from '../../kit/kit';
import { formatMicros } from '../../kit/time';
import { ActivityPlot } from '../../plots/activity';
import { live, schemas, setOwn, theme } from '../../state/app';
import { formatAge, formatDuration, formatRate } from '../../view/format';
import type { Failure } from '../../wire/call';
import { type DeviceInfo, getSeries, type SeriesAnswer } from '../../wire/rest';
import { coarser, type Gap, gapsIn } from './health';
import { say } from './text';

const SPAN = 15 * 60 * 1_000_000;
const COLUMNS = 180;
/** Gaps are looked for in buckets of half their least length, as far as so many buckets go. */
const MOST_POINTS = 3_600;
const POLL_MS = 3_000;
const SHOWN_GAPS = 5;
/** A gap is longer than this many of the device's periods. */
const GAP_PERIODS = 5;

/** The field with the most values: its count comes nearest to the count of events. */
function fullestField(dataset: string): string | null {
  const fields = schemas.value.get(dataset)?.fields ?? [];
  let best: string | null = null;
  let most = 0;
  for (const field of fields) {
    if (field.count <= most) continue;
    best = field.name;
    most = field.count;
  }
  return best;
}

function periodOf(device: DeviceInfo): number {
  const rate = device.expected_rate ?? device.rate;
  return rate > 0 ? 1e6 / rate : 1e6;
}

function pointsFor(device: DeviceInfo): number {
  return Math.min(Math.max(Math.ceil((2 * SPAN) / (GAP_PERIODS * periodOf(device))), COLUMNS), MOST_POINTS);
}

export function Detail({ device }: { device: DeviceInfo }) {
  useEscape(() => setOwn({ device: '' }));
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<ActivityPlot | null>(null);
  const gaps = useSignal<Gap[] | null>(null);
  const least = useSignal(0);
  const failure = useSignal<Failure | null>(null);
  useEffect(() => {
    if (box.current === null) return;
    const made = new ActivityPlot(box.current);
    plot.current = made;
    return () => made.dispose();
  }, []);
  useEffect(() => {
    // Drawn again in the colours of the new theme.
    if (theme.value !== undefined) plot.current?.draw();
  });
  usePoll(
    POLL_MS,
    async (signal) => {
      const field = fullestField(device.dataset);
      if (field === null) return;
      const to = live.clock.now();
      const answer = await getSeries(
        {
          dataset: device.dataset,
          device: device.device,
          fields: [field],
          from: to - SPAN,
          to,
          points: pointsFor(device),
          agg: 'count',
        },
        signal,
      );
      if (!answer.ok) {
        if (!answer.aborted) failure.value = { ...answer, status: 0, problem: {} };
        return;
      }
      failure.value = null;
      show(answer.value);
    },
    `${device.dataset}/${device.device}`,
  );
  const show = (answer: SeriesAnswer) => {
    const count = answer.series[0]?.values ?? [];
    const bucket = answer.interval_us;
    const begin = Math.max(
      answer.time.findIndex((t) => t + bucket > device.first_seen),
      0,
    );
    // A shorter silence may begin and end inside of two buckets that both have events.
    least.value = Math.max(GAP_PERIODS * periodOf(device), 2 * bucket);
    gaps.value = gapsIn(count.slice(begin), answer.time.slice(begin), bucket, least.value - bucket);
    const drawn = coarser(count, answer.time, COLUMNS);
    plot.current?.show({ time: drawn.time, count: drawn.count, bucket: bucket * drawn.factor, gaps: gaps.value });
  };
  const pair = (label: string, value: string) => (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
  const now = live.clock.now();
  return (
    <aside
      class="card device-detail"
      aria-label={say('detail.label', { device: device.device })}
      data-testid="device-detail"
    >
      <div class="card-head">
        <h3>{device.device}</h3>
        <span class={`state-word ${device.state}`}>{say(`state.${device.state}`)}</span>
        <a class="button small" href={`#${new URLSearchParams({ dataset: device.dataset })}`}>
          {say('detail.charts')}
        </a>
        <button type="button" class="button small" onClick={() => setOwn({ device: '' })}>
          {say('close')}
        </button>
      </div>
      <dl class="pairs">
        {pair(say('list.dataset'), device.dataset)}
        {pair(say('detail.prototype'), device.prototype ?? '–')}
        {pair(say('detail.first'), formatMicros(device.first_seen).slice(0, 19))}
        {pair(say('list.seen'), formatAge(now - device.last_seen))}
        {pair(
          say('list.rate'),
          device.expected_rate === null
            ? formatRate(device.rate)
            : say('detail.of', { rate: formatRate(device.rate), expected: formatRate(device.expected_rate) }),
        )}
        {pair(say('list.events'), formatNumber(device.events))}
      </dl>
      <h4>{say('detail.activity', { span: formatDuration(SPAN) })}</h4>
      <div class="activity" ref={box} />
      <Trouble failure={failure.value} />
      {gaps.value !== null && (
        <div class="gaps" data-testid="gaps">
          <h4>{say('detail.gaps', { n: gaps.value.length })}</h4>
          {gaps.value.length === 0 && <Note>{say('detail.noGap', { span: formatDuration(least.value) })}</Note>}
          <ul>
            {gaps.value.slice(0, SHOWN_GAPS).map((gap) => (
              <li key={gap.from}>
                <b>{formatDuration(gap.to - gap.from)}</b> <small>{formatMicros(gap.from).slice(11, 19)}</small>
              </li>
            ))}
          </ul>
        </div>
      )}
    </aside>
  );
}
