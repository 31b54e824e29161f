// The past that the rings do not hold: lines from `/series` as pictures (first, lowest, highest and last reading of each pixel
// column), other numbers as lowest, highest, average and last of buckets, texts from `/events`. Panels ask while they are drawn; questions of one moment are gathered into one request per
// dataset and device.

import {
  getEvents,
  getPicture,
  getSeries,
  type PictureAnswer,
  type SeriesAnswer,
  type StoredEvent,
} from '../wire/rest';
import { type Rows, TextTable } from './ring';
import { parseInstant, type Stretch } from './window';

/** One field of one device over one window, in buckets or in the readings of a picture. */
export interface PastLine extends Rows {
  value: Float64Array;
  low: Float64Array | null;
  high: Float64Array | null;
  /** Last value of each bucket. */
  last: Float64Array;
  /** µs per bucket or pixel column. */
  bucket: number;
  /** What a number of a text field reads as. */
  text: (value: number) => string;
}

export type PastKind = 'line' | 'number' | 'boolean' | 'text';

export interface PastQuestion {
  dataset: string;
  device: string;
  field: string;
  /**
   * Of a line its picture is asked for, of other numbers average and extremes of buckets, whose times all fields share, of truth
   * values the last of each bucket, of texts the events themselves.
   */
  kind: PastKind;
  from: number;
  to: number;
  points: number;
  /** Of a window that moves: a block of `blockAround`. */
  moving?: boolean;
}

type Entry = { line: PastLine | null; detail: string | null };

/** The panels of one frame ask at once; frames that follow each other, as of a drag, do not all ask. */
const GATHER_MS = 40;
/** Requests under way; further questions wait, and those of a block that was passed meanwhile are dropped. */
const MOST_UNDER_WAY = 4;
/** Of all lines together; the ones that were asked for longest ago are forgotten first. */
const MOST_BYTES = 48 * 1_048_576;
/** Refusals are small, but a long playing may gather many. */
const MOST_ENTRIES = 4_000;
/** Texts of a longer stretch are known from its newest events on. */
const TEXT_EVENTS = 5_000;
/** Buckets across one window while it moves: fine enough for the eye, and one question for panels of all widths. */
const MOVING_POINTS = 400;
const MOST_POINTS = 6_000;
/** A block lasts as long as this of playing at least. µs of the clock. */
const BLOCK_LASTS = 2_000_000;

/**
 * The stretch that is asked for while a window moves: a block and the one after it, so that the window is inside for a while,
 * and the questions of all frames of that while are one. Blocks of a given length begin at its multiples.
 */
export function blockAround(window: Stretch, rate: number): Stretch & { points: number; length: number } {
  const width = window.to - window.from;
  const length = 2 ** Math.ceil(Math.log2(Math.max(width, Math.abs(rate) * BLOCK_LASTS)));
  const from = Math.floor(window.from / length) * length;
  const points = Math.min(Math.ceil((MOVING_POINTS * 2 * length) / width), MOST_POINTS);
  return { from, to: from + 2 * length, points, length };
}

function bytesOf(line: PastLine): number {
  return line.time.byteLength * (line.low === null ? 2 : 5);
}

function keyOf(q: PastQuestion): string {
  return JSON.stringify([q.dataset, q.device, q.from, q.to, q.points, q.kind, q.field]);
}

function padded(length: number): number {
  let size = 16;
  while (size < length) size *= 2;
  return size;
}

function numberColumn(values: (number | null)[] | undefined, size: number): Float64Array {
  const column = new Float64Array(size).fill(Number.NaN);
  values?.forEach((value, i) => {
    if (value !== null) column[i] = value;
  });
  return column;
}

/** The line of one field in an answer; exported for the tests. */
export function lineOf(answer: SeriesAnswer, question: PastQuestion): PastLine {
  const count = answer.time.length;
  const size = padded(count);
  const bucket = answer.interval_us;
  const time = new Float64Array(size);
  // A bucket is drawn at its middle, where its extremes are off by half a pixel column at most.
  for (let i = 0; i < count; i++) time[i] = (answer.time[i] as number) + bucket / 2;
  const named = (agg: string) => answer.series.find((s) => s.field === question.field && s.agg === agg)?.values;
  const last = numberColumn(named('last'), size);
  const number = question.kind === 'number';
  return {
    time,
    start: 0,
    size: count,
    mask: size - 1,
    bucket,
    value: number ? numberColumn(named('avg'), size) : last,
    last,
    low: number ? numberColumn(named('min'), size) : null,
    high: number ? numberColumn(named('max'), size) : null,
    text: number ? String : (value) => (value === 0 ? 'false' : 'true'),
  };
}

/** The line of one field in a picture; exported for the tests. */
export function pictureOf(answer: PictureAnswer, field: string): PastLine {
  const found = answer.series.find((s) => s.field === field);
  const count = found?.time.length ?? 0;
  const size = padded(count);
  const time = new Float64Array(size);
  time.set(found?.time ?? []);
  const value = numberColumn(found?.values, size);
  return {
    ...{ time, start: 0, size: count, mask: size - 1, text: String },
    ...{ bucket: (answer.to - answer.from) / answer.columns, value, last: value, low: null, high: null },
  };
}

/** The line of a text field from events, newest first; exported for the tests. */
export function textLineOf(events: StoredEvent[], field: string): PastLine {
  const size = padded(events.length);
  const time = new Float64Array(size);
  const value = new Float64Array(size).fill(Number.NaN);
  const table = new TextTable();
  let count = 0;
  for (const event of events.toReversed()) {
    const at = parseInstant(event['@timestamp'], 0);
    const text = event[field];
    if (at === null || typeof text !== 'string') continue;
    time[count] = at;
    value[count] = table.number(text);
    count += 1;
  }
  const read = (number: number) => table.text(number);
  return {
    time,
    start: 0,
    size: count,
    mask: size - 1,
    bucket: 0,
    value,
    last: value,
    low: null,
    high: null,
    text: read,
  };
}

function laneOf(q: PastQuestion): string {
  return JSON.stringify([q.dataset, q.device, q.kind, q.field]);
}

export class History {
  private readonly entries = new Map<string, Entry>();
  /** The newest answer of each field of each device: shown where the right one is still under way. */
  private readonly newest = new Map<string, { line: PastLine; from: number; to: number }>();
  private asked: PastQuestion[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private abort = new AbortController();
  private window = '';
  private bytes = 0;
  private underWay = 0;
  private flushedAt = Number.NEGATIVE_INFINITY;
  /** Rises with every answer. */
  version = 0;

  /** `arrived` is called when an answer or a refusal has come. */
  constructor(private readonly arrived: () => void) {}

  /** The line if it is here, with the reason if there is none; null while it is under way. */
  ask(question: PastQuestion): Entry | null {
    const key = keyOf(question);
    const known = this.entries.get(key);
    if (known !== undefined) {
      // Asked for again: the last one to be forgotten.
      this.entries.delete(key);
      this.entries.set(key, known);
      return known.line === null && known.detail === null ? null : known;
    }
    const window = `${question.from}:${question.to}`;
    // Blocks are not given up with the window: it will be inside them for a while.
    if (question.moving !== true && window !== this.window) this.leaveWindow(window);
    this.entries.set(key, { line: null, detail: null });
    this.asked.push(question);
    this.timer ??= setTimeout(() => this.flush(), Math.max(this.flushedAt + GATHER_MS - performance.now(), 0));
    return null;
  }

  /** What is known of the same field and overlaps the stretch, until the answer is here. */
  near(question: PastQuestion): PastLine | null {
    const known = this.newest.get(laneOf(question));
    return known !== undefined && known.from < question.to && known.to > question.from ? known.line : null;
  }

  /** Forgets everything: the server was restarted or was away. */
  clear(): void {
    this.leaveWindow('');
    this.entries.clear();
    this.newest.clear();
    this.bytes = 0;
  }

  private leaveWindow(window: string): void {
    this.window = window;
    this.abort.abort();
    this.abort = new AbortController();
    this.asked = [];
    for (const [key, entry] of this.entries) if (entry.line === null) this.entries.delete(key);
  }

  private flush(): void {
    this.timer = undefined;
    this.flushedAt = performance.now();
    if (this.underWay >= MOST_UNDER_WAY) {
      this.dropPassed();
      this.timer = setTimeout(() => this.flush(), GATHER_MS);
      return;
    }
    const batches = new Map<string, PastQuestion[]>();
    for (const q of this.asked) {
      const batch = JSON.stringify([q.dataset, q.device, q.points, q.kind, q.from, q.to]);
      const questions = batches.get(batch);
      if (questions === undefined) batches.set(batch, [q]);
      else questions.push(q);
    }
    this.asked = [];
    const { signal } = this.abort;
    for (const questions of batches.values()) {
      const kind = questions[0]?.kind;
      if (kind === 'text') for (const q of questions) void this.count(this.fetchText(q, signal));
      else if (kind === 'line') void this.count(this.fetchPicture(questions, signal));
      else void this.count(this.fetchSeries(questions, signal));
    }
  }

  private async count(request: Promise<void>): Promise<void> {
    this.underWay += 1;
    await request.finally(() => {
      this.underWay -= 1;
    });
  }

  /** Of the questions that wait, only the newest stretches are still of use. */
  private dropPassed(): void {
    const stretches = [...new Set(this.asked.map((q) => q.from))].slice(-2);
    this.asked = this.asked.filter((q) => {
      const wanted = stretches.includes(q.from);
      if (!wanted) this.entries.delete(keyOf(q));
      return wanted;
    });
  }

  private async fetchSeries(questions: PastQuestion[], signal: AbortSignal): Promise<void> {
    const first = questions[0] as PastQuestion;
    const fields = questions.map((q) => q.field);
    const agg = first.kind === 'number' ? 'min,max,avg,last' : 'last';
    const answer = await getSeries({ ...first, fields, agg }, signal);
    if (signal.aborted) return;
    for (const q of questions) {
      this.settle(
        q,
        answer.ok ? { line: lineOf(answer.value, q), detail: null } : { line: null, detail: answer.detail },
      );
    }
  }

  private async fetchPicture(questions: PastQuestion[], signal: AbortSignal): Promise<void> {
    const answer = await getPicture(
      { ...(questions[0] as PastQuestion), fields: questions.map((q) => q.field) },
      signal,
    );
    if (signal.aborted) return;
    for (const q of questions) {
      const line = answer.ok ? pictureOf(answer.value, q.field) : null;
      this.settle(q, { line, detail: answer.ok ? null : answer.detail });
    }
  }

  private async fetchText(question: PastQuestion, signal: AbortSignal): Promise<void> {
    const answer = await getEvents({ ...question, limit: TEXT_EVENTS }, signal);
    if (signal.aborted) return;
    const line = answer.ok ? textLineOf(answer.value.events, question.field) : null;
    this.settle(question, { line, detail: answer.ok ? null : answer.detail });
  }

  private settle(question: PastQuestion, entry: Entry): void {
    const key = keyOf(question);
    this.entries.set(key, entry);
    if (entry.line !== null) {
      this.bytes += bytesOf(entry.line);
      this.newest.set(laneOf(question), { line: entry.line, from: question.from, to: question.to });
    }
    this.forgetOldest(key);
    this.version += 1;
    this.arrived();
  }

  private forgetOldest(except: string): void {
    for (const [key, entry] of this.entries) {
      if (this.bytes <= MOST_BYTES && this.entries.size <= MOST_ENTRIES) return;
      // What is under way is waited for.
      if (key === except || (entry.line === null && entry.detail === null)) continue;
      if (entry.line !== null) {
        this.bytes -= bytesOf(entry.line);
        for (const [lane, known] of this.newest) if (known.line === entry.line) this.newest.delete(lane);
      }
      this.entries.delete(key);
    }
  }
}
