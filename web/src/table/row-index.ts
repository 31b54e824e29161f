// Which time holds row number n, newest first: counts per stretch of time, refined only where somebody looks. Ten million rows
// need the counts of 500 stretches, and of 500 more inside one of them, to name any row exactly.

export interface Stretch {
  /** µs, `to` exclusive. */
  from: number;
  to: number;
  count: number;
}

/** A stretch and the number of its first row. */
export interface Place extends Stretch {
  first: number;
}

export class RowIndex {
  private stretches: Stretch[];
  private firsts: Float64Array = new Float64Array(0);
  /** Rows in all. */
  total = 0;

  /** `oldestFirst`: as the server gives counts. */
  constructor(oldestFirst: readonly Stretch[]) {
    this.stretches = oldestFirst.filter((s) => s.count > 0).toReversed();
    this.number();
  }

  /** The stretch that holds row `index`, or null outside of the table. */
  at(index: number): Place | null {
    const i = this.position(index);
    return i < 0 ? null : this.place(i);
  }

  /**
   * Neighbouring stretches from the one of row `index` on, both ways, as long as they hold at most `most` rows together. One
   * that alone holds more comes alone: it is to be refined.
   */
  page(index: number, most: number): Place | null {
    const i = this.position(index);
    if (i < 0) return null;
    // Pages are cut inside groups of a fixed number of stretches, so that the same rows never have two names.
    let begin = Math.floor(i / GROUP) * GROUP;
    const stop = Math.min(begin + GROUP, this.stretches.length);
    let count = 0;
    let end = begin;
    for (; end < stop; end++) {
      const next = (this.stretches[end] as Stretch).count;
      if (count > 0 && count + next > most) {
        if (end > i) break;
        begin = end;
        count = 0;
      }
      count += next;
    }
    const newest = this.stretches[begin] as Stretch;
    const oldest = this.stretches[end - 1] as Stretch;
    return { from: oldest.from, to: newest.to, count, first: this.firsts[begin] as number };
  }

  /** Puts finer stretches (oldest first) in the place of the one that begins at `from`. */
  refine(from: number, to: number, oldestFirst: readonly Stretch[]): void {
    const i = this.stretches.findIndex((s) => s.from === from && s.to === to);
    if (i < 0) return;
    const finer = oldestFirst.filter((s) => s.count > 0).toReversed();
    this.stretches.splice(i, 1, ...finer);
    this.number();
  }

  /** Says that the stretches between `from` and `to` hold `count` rows in truth: they become one. */
  correct(from: number, to: number, count: number): void {
    const begin = this.stretches.findIndex((s) => s.from < to && s.to > from);
    if (begin < 0) return;
    let end = begin;
    while (end < this.stretches.length && (this.stretches[end] as Stretch).to > from) end += 1;
    this.stretches.splice(begin, end - begin, ...(count > 0 ? [{ from, to, count }] : []));
    this.number();
  }

  /** Number of the first row at or before `time`; `total` when all are later. */
  rowAt(time: number): number {
    for (let i = 0; i < this.stretches.length; i++) {
      const s = this.stretches[i] as Stretch;
      if (time >= s.to) return this.firsts[i] as number;
      if (time >= s.from) {
        // Rows are taken as evenly spread inside the stretch until it is refined.
        const part = (s.to - time) / (s.to - s.from);
        return Math.min((this.firsts[i] as number) + Math.floor(part * s.count), this.total - 1);
      }
    }
    return this.total;
  }

  private position(index: number): number {
    if (index < 0 || index >= this.total) return -1;
    let low = 0;
    let high = this.stretches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.firsts[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private place(i: number): Place {
    return { ...(this.stretches[i] as Stretch), first: this.firsts[i] as number };
  }

  private number(): void {
    this.firsts = new Float64Array(this.stretches.length);
    let sum = 0;
    this.stretches.forEach((s, i) => {
      this.firsts[i] = sum;
      sum += s.count;
    });
    this.total = sum;
  }
}

/** No page reaches over the ends of so many stretches. */
const GROUP = 64;
