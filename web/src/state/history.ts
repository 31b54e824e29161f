// The past that the rings do not hold: asked from `/series` with lowest, highest and average at the panel's pixel width.
// Panels ask while they are drawn; questions of one moment are gathered into one request per dataset and device.

import { getSeries, type SeriesAnswer } from '../wire/rest';
import { type Rows, TextTable } from './ring';

/** One field of one device over one window, in buckets. */
export interface PastLine extends Rows {
  value: Float64Array;
  low: Float64Array | null;
  high: Float64Array | null;
  /** Last value of each bucket. */
  last: Float64Array;
  /** µs per bucket. */
  bucket: number;
  /** What a number of a text field reads as. */
  text: (value: number) => string;
}

export interface PastQuestion {
  dataset: string;
  device: string;
  field: string;
  /** A text or truth value: the last of each bucket is asked for instead of the extremes. */
  state: boolean;
  from: number;
  to: number;
  points: number;
}

type Entry = { line: PastLine | null; detail: string | null };

const GATHER_MS = 40;
const KEPT_ENTRIES = 1_500;

function keyOf(q: PastQuestion): string {
  return JSON.stringify([q.dataset, q.device, q.from, q.to, q.points, q.field]);
}

function padded(length: number): number {
  let size = 16;
  while (size < length) size *= 2;
  return size;
}

function numberColumn(
  values: SeriesAnswer['series'][number]['values'] | undefined,
  size: number,
  table: TextTable,
): Float64Array {
  const column = new Float64Array(size).fill(Number.NaN);
  values?.forEach((value, i) => {
    if (typeof value === 'number') column[i] = value;
    else if (typeof value === 'boolean') column[i] = value ? 1 : 0;
    else if (typeof value === 'string') column[i] = table.number(value);
  });
  return column;
}

function readText(
  values: SeriesAnswer['series'][number]['values'] | undefined,
  table: TextTable,
): (value: number) => string {
  const sample = values?.find((value) => value !== null);
  if (typeof sample === 'boolean') return (value) => (value === 0 ? 'false' : 'true');
  return typeof sample === 'string' ? (value) => table.text(value) : String;
}

/** The line of one field in an answer; exported for the tests. */
export function lineOf(answer: SeriesAnswer, question: PastQuestion): PastLine {
  const count = answer.time.length;
  const size = padded(count);
  const bucket =
    count > 1
      ? (answer.time[1] as number) - (answer.time[0] as number)
      : (question.to - question.from) / question.points;
  const time = new Float64Array(size);
  // A bucket is drawn at its middle, where its extremes are off by half a pixel column at most.
  for (let i = 0; i < count; i++) time[i] = (answer.time[i] as number) + bucket / 2;
  const named = (agg: string) => answer.series.find((s) => s.field === question.field && s.agg === agg)?.values;
  const table = new TextTable();
  const main = question.state ? named('last') : named('avg');
  return {
    time,
    start: 0,
    size: count,
    mask: size - 1,
    bucket,
    value: numberColumn(main, size, table),
    last: numberColumn(named('last'), size, table),
    low: question.state ? null : numberColumn(named('min'), size, table),
    high: question.state ? null : numberColumn(named('max'), size, table),
    text: readText(main, table),
  };
}

export class History {
  private readonly entries = new Map<string, Entry>();
  private asked: PastQuestion[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private abort = new AbortController();
  private window = '';
  /** Rises with every answer. */
  version = 0;

  /** `arrived` is called when an answer or a refusal has come. */
  constructor(private readonly arrived: () => void) {}

  /** The line if it is here, with the reason if there is none; null while it is under way. */
  ask(question: PastQuestion): Entry | null {
    const key = keyOf(question);
    const known = this.entries.get(key);
    if (known !== undefined) return known.line === null && known.detail === null ? null : known;
    const window = `${question.from}:${question.to}`;
    if (window !== this.window) this.leaveWindow(window);
    this.entries.set(key, { line: null, detail: null });
    this.asked.push(question);
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
    return null;
  }

  /** Forgets everything: the server was restarted or was away. */
  clear(): void {
    this.leaveWindow('');
    this.entries.clear();
  }

  private leaveWindow(window: string): void {
    this.window = window;
    this.abort.abort();
    this.abort = new AbortController();
    this.asked = [];
    for (const [key, entry] of this.entries) {
      if (entry.line === null || this.entries.size > KEPT_ENTRIES) this.entries.delete(key);
    }
  }

  private flush(): void {
    this.timer = undefined;
    const batches = new Map<string, PastQuestion[]>();
    for (const q of this.asked) {
      const batch = JSON.stringify([q.dataset, q.device, q.points, q.state]);
      const questions = batches.get(batch);
      if (questions === undefined) batches.set(batch, [q]);
      else questions.push(q);
    }
    this.asked = [];
    for (const questions of batches.values()) void this.fetch(questions, this.abort.signal);
  }

  private async fetch(questions: PastQuestion[], signal: AbortSignal): Promise<void> {
    const first = questions[0] as PastQuestion;
    const fields = questions.map((q) => q.field);
    const agg = first.state ? 'last' : 'min,max,avg,last';
    const answer = await getSeries({ ...first, fields, agg }, signal);
    if (signal.aborted) return;
    for (const q of questions) {
      const entry = answer.ok ? { line: lineOf(answer.value, q), detail: null } : { line: null, detail: answer.detail };
      this.entries.set(keyOf(q), entry);
    }
    this.version += 1;
    this.arrived();
  }
}
