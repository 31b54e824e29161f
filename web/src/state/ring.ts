// The samples of one device of one subscription: a ring of columns, one Float64Array per field, all of one capacity.
// Text and boolean values are held as numbers (a text by its number in a TextTable), so that every column is alike.
//
// A missing value is NaN where the frame was merged (the value may exist and was not kept) and ABSENT where the frame
// held every row (the device did not send it). The difference decides whether a line is broken there.

/** The device did not send this field in this row. */
export const ABSENT = Number.POSITIVE_INFINITY;

/** A stretch of time-ordered rows, read as `array[(start + i) & mask]` for i in 0 … size-1. */
export interface Rows {
  time: Float64Array;
  start: number;
  size: number;
  mask: number;
}

const FIRST_CAPACITY = 256;
export const MAX_ROWS = 65_536;

export class ColumnRing implements Rows {
  time: Float64Array = new Float64Array(FIRST_CAPACITY);
  start = 0;
  size = 0;
  mask = FIRST_CAPACITY - 1;
  /** Rows overwritten because the ring was full; a trim is not counted. */
  overwritten = 0;
  /** Rows at or before this time came in merged frames: not every value of theirs is here. */
  mergedUntil = Number.NEGATIVE_INFINITY;
  /** Fields that have had a value. */
  columnCount = 0;
  private columns: (Float64Array | undefined)[] = [];

  constructor(private readonly maxRows = MAX_ROWS) {}

  /** The column of field `index`, or undefined when no value of it has arrived. */
  column(index: number): Float64Array | undefined {
    return this.columns[index];
  }

  timeAt(i: number): number {
    return this.time[(this.start + i) & this.mask] as number;
  }

  get newest(): number {
    return this.size === 0 ? Number.NaN : this.timeAt(this.size - 1);
  }

  get oldest(): number {
    return this.size === 0 ? Number.NaN : this.timeAt(0);
  }

  /**
   * Adds a row, in its place by time, and returns its physical slot, for `set`. Every field of it starts as `missing`.
   * The slot holds until the next call.
   */
  append(time: number, missing: number): number {
    if (this.size > this.mask) this.makeRoom();
    let slot = (this.start + this.size) & this.mask;
    this.size += 1;
    for (const column of this.columns) if (column !== undefined) column[slot] = missing;
    this.time[slot] = time;
    // A late row sinks to its place; devices send in order, so this loop almost never runs.
    for (let i = this.size - 1; i > 0; i--) {
      const before = (this.start + i - 1) & this.mask;
      if ((this.time[before] as number) <= time) break;
      this.swap(before, slot);
      slot = before;
    }
    return slot;
  }

  /** Sets field `index` in the row that `append` just made. */
  set(slot: number, index: number, value: number): void {
    let column = this.columns[index];
    if (column === undefined) {
      column = new Float64Array(this.mask + 1).fill(Number.NaN);
      this.columns[index] = column;
      this.columnCount += 1;
    }
    column[slot] = value;
  }

  /** Forgets rows before `time`. */
  trim(time: number): void {
    while (this.size > 0 && this.timeAt(0) < time) {
      this.start = (this.start + 1) & this.mask;
      this.size -= 1;
    }
  }

  private makeRoom(): void {
    const capacity = this.mask + 1;
    if (capacity >= this.maxRows) {
      this.start = (this.start + 1) & this.mask;
      this.size -= 1;
      this.overwritten += 1;
      return;
    }
    this.time = this.unrolled(this.time, capacity * 2);
    this.columns = this.columns.map((column) => column && this.unrolled(column, capacity * 2));
    this.start = 0;
    this.mask = capacity * 2 - 1;
  }

  private unrolled(from: Float64Array, capacity: number): Float64Array {
    const to = new Float64Array(capacity);
    to.set(from.subarray(this.start));
    to.set(from.subarray(0, this.start), from.length - this.start);
    return to;
  }

  private swap(a: number, b: number): void {
    const time = this.time[a] as number;
    this.time[a] = this.time[b] as number;
    this.time[b] = time;
    for (const column of this.columns) {
      if (column === undefined) continue;
      const value = column[a] as number;
      column[a] = column[b] as number;
      column[b] = value;
    }
  }
}

/** Number of the first row at or after `time`; `rows.size` when there is none. */
export function lowerBound(rows: Rows, time: number): number {
  let low = 0;
  let high = rows.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows.time[(rows.start + middle) & rows.mask] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Number of the row with a value of `column` that is nearest to `time`, within `reach` µs; -1 when there is none. */
export function nearestValue(rows: Rows, column: Float64Array, time: number, reach: number): number {
  const from = lowerBound(rows, time);
  let best = -1;
  let distance = reach;
  for (let i = from; i < rows.size; i++) {
    const slot = (rows.start + i) & rows.mask;
    const away = (rows.time[slot] as number) - time;
    if (away > distance) break;
    if (Number.isFinite(column[slot] as number)) {
      best = i;
      distance = away;
      break;
    }
  }
  for (let i = from - 1; i >= 0; i--) {
    const slot = (rows.start + i) & rows.mask;
    const away = time - (rows.time[slot] as number);
    if (away > distance) break;
    if (Number.isFinite(column[slot] as number)) return i;
  }
  return best;
}

/** Number of the last row with a value of `column` at or before `time`; -1 when there is none. */
export function valueAtOrBefore(rows: Rows, column: Float64Array, time: number): number {
  for (let i = Math.min(lowerBound(rows, time + 1), rows.size) - 1; i >= 0; i--) {
    if (Number.isFinite(column[(rows.start + i) & rows.mask] as number)) return i;
  }
  return -1;
}

/** Texts by number. Full, it hands out one number for all further texts: such a field is an identifier, not a state. */
export class TextTable {
  readonly texts: string[] = [];
  private readonly numbers = new Map<string, number>();

  constructor(private readonly limit = 4_096) {}

  number(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    if (this.texts.length >= this.limit) return this.limit;
    this.texts.push(text);
    this.numbers.set(text, this.texts.length - 1);
    return this.texts.length - 1;
  }

  text(number: number): string {
    return this.texts[number] ?? '…';
  }
}
