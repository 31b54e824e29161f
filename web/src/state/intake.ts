// One subscription's samples: a ring per device, the dictionary that names its columns, and how far back it reaches.
// A change of window makes a new Intake; the old one is drawn until the new one's back-fill is complete.

import { type Frame, isPresent, textAt } from '../wire/frame';
import type { FieldEntry, Fields } from '../wire/messages';
import { ABSENT, ColumnRing, TextTable } from './ring';

export class Intake {
  readonly rings = new Map<string, ColumnRing>();
  devices: string[] = [];
  /** The back-fill has arrived whole. */
  complete = false;
  /** Everything from here on is in the rings, whole or merged. µs. */
  coveredFrom: number;
  /** Event time of the newest row that came live; NaN before the first. */
  newestLive = Number.NaN;
  /** Rows of the viewer's share that came merged, by the server's count. */
  mergedRows = 0;
  private fields: (FieldEntry | undefined)[] = [];
  private readonly indexes = new Map<string, number>();
  private readonly tables: (TextTable | undefined)[] = [];
  private byPosition: (ColumnRing | undefined)[] = [];
  private nextSeq = 1;

  constructor(
    readonly id: number,
    /** Length of the window, µs. */
    readonly span: number,
    readonly pixels: number,
    begin: number,
  ) {
    this.coveredFrom = begin - span;
  }

  /** µs that one pixel column of the back-fill stands for. */
  get resolution(): number {
    return this.span / this.pixels;
  }

  /** Rises with every device and every field that has its first value. */
  get shape(): number {
    let shape = this.rings.size;
    for (const ring of this.rings.values()) shape += ring.columnCount;
    return shape;
  }

  /** Event time of the newest row; -Infinity without any. µs. */
  get newest(): number {
    let newest = Number.NEGATIVE_INFINITY;
    for (const ring of this.rings.values()) if (ring.size > 0) newest = Math.max(newest, ring.newest);
    return newest;
  }

  /** Event time of the oldest row; Infinity without any. µs. */
  get oldest(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const ring of this.rings.values()) if (ring.size > 0) oldest = Math.min(oldest, ring.oldest);
    return oldest;
  }

  /** Takes the dictionary; true when it holds a field or device that was not there before. */
  define(message: Fields): boolean {
    let grown = message.devices.length > this.devices.length;
    for (const field of message.fields) {
      grown ||= !this.indexes.has(field.name);
      this.fields[field.index] = field;
      this.indexes.set(field.name, field.index);
    }
    this.devices = message.devices;
    return grown;
  }

  /** Column number of a field; -1 while the server has not named it. */
  indexOf(field: string): number {
    return this.indexes.get(field) ?? -1;
  }

  columnOf(ring: ColumnRing, field: string): Float64Array | undefined {
    return ring.column(this.indexOf(field));
  }

  hasValues(field: string): boolean {
    const index = this.indexOf(field);
    for (const ring of this.rings.values()) if (ring.column(index) !== undefined) return true;
    return false;
  }

  /** What a stored number of a text or boolean field reads as. */
  textOf(field: string, value: number): string {
    const index = this.indexOf(field);
    if (this.fields[index]?.type === 'boolean') return value === 0 ? 'false' : 'true';
    return this.tables[index]?.text(value) ?? String(value);
  }

  /** False when the frame is not the next one: something was lost, and the subscription must be made anew. */
  apply(frame: Frame): boolean {
    if (frame.seq !== this.nextSeq) return false;
    this.nextSeq += 1;
    this.mergedRows += frame.mergedRows;
    const missing = frame.merged ? Number.NaN : ABSENT;
    for (let row = 0; row < frame.rows; row++) this.addRow(frame, row, missing);
    if (frame.merged) this.noteMerged(frame);
    if (frame.last) this.complete = true;
    if (!frame.backfill) this.noteLive(frame);
    return true;
  }

  /** Forgets what is older than `time`. */
  trim(time: number): void {
    for (const ring of this.rings.values()) ring.trim(time);
    this.coveredFrom = Math.max(this.coveredFrom, time);
  }

  /** A full ring has overwritten rows that belong to the window since `from`. */
  lacks(from: number): boolean {
    for (const ring of this.rings.values()) if (ring.overwritten > 0 && ring.oldest > from) return true;
    return false;
  }

  /** The rings answer for everything since `from`, at `resolution` µs or finer. */
  covers(from: number, resolution: number): boolean {
    if (!this.complete || from < this.coveredFrom || this.lacks(from)) return false;
    if (this.resolution <= resolution) return true;
    for (const ring of this.rings.values()) if (ring.mergedUntil > from) return false;
    return true;
  }

  private addRow(frame: Frame, row: number, missing: number): void {
    const ring = this.ringAt(frame.device[row] as number);
    const slot = ring.append(frame.time[row] as number, missing);
    for (const column of frame.columns) {
      if (!isPresent(column, row)) continue;
      const value = column.numbers !== null ? (column.numbers[row] as number) : this.textNumber(column, row);
      if (Number.isFinite(value)) ring.set(slot, column.field, value);
    }
  }

  private textNumber(column: Frame['columns'][number], row: number): number {
    if (column.texts === null) return Number.NaN;
    let table = this.tables[column.field];
    if (table === undefined) {
      table = new TextTable();
      this.tables[column.field] = table;
    }
    return table.number(textAt(column.texts, row));
  }

  private ringAt(position: number): ColumnRing {
    const known = this.byPosition[position];
    if (known !== undefined) return known;
    const ring = new ColumnRing();
    this.byPosition[position] = ring;
    this.rings.set(this.devices[position] ?? `#${position}`, ring);
    return ring;
  }

  private noteLive(frame: Frame): void {
    this.complete = true;
    // A merged frame catches up after a pause: the age of its rows is not the latency of the path.
    if (frame.merged) return;
    for (let row = 0; row < frame.rows; row++) {
      const time = frame.time[row] as number;
      if (!(time <= this.newestLive)) this.newestLive = time;
    }
  }

  private noteMerged(frame: Frame): void {
    for (let row = 0; row < frame.rows; row++) {
      const ring = this.byPosition[frame.device[row] as number];
      const time = frame.time[row] as number;
      if (ring !== undefined && time > ring.mergedUntil) ring.mergedUntil = time;
    }
  }
}
