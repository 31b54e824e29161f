// The rows of a dataset in a window of time under a filter: counts first, then only the pages that somebody looks at. Nothing of
// this passes through the view layer.

import { microsOf } from '../../kit/format';
import { formatMicros } from '../../kit/time';
import type { TimeBars } from '../../plots/time-bars';
import { PageCache, type PageRequest } from '../../table/cache';
import type { GridColumn, GridSource } from '../../table/grid';
import { RowIndex, type Stretch } from '../../table/row-index';
import type { Failure } from '../../wire/call';
import { type EventRow, fieldValue, getCounts, getRows, type Selection } from '../../wire/explore';
import type { SeriesAnswer } from '../../wire/rest';

const PAGE = 200;
const KEPT_PAGES = 80;
const POINTS = 240;
/** A stretch of this length is not refined further, µs. */
const SHORTEST = 2_000;
/** The most rows of a stretch that cannot be refined. */
const MOST_AT_ONCE = 5_000;
const RETRY_MS = 1_000;

interface TimePage extends PageRequest {
  from: number;
  to: number;
  count: number;
}

export interface ExplorerEvents {
  counted(bars: TimeBars, total: number, ms: number): void;
  failed(failure: Failure): void;
  /** Rows have come, or their number has changed; `above`: so many above those in sight. */
  changed(above: number): void;
  /** The rows in sight. */
  visible(): { first: number; end: number };
}

function stretchesOf(answer: SeriesAnswer, from: number, to: number): Stretch[] {
  const counts = answer.series[0]?.values ?? [];
  return answer.time.map((start, i) => ({
    from: Math.max(start, from),
    to: Math.min(start + answer.interval_us, to),
    count: counts[i] ?? 0,
  }));
}

/** It has to be counted inside before its rows can be fetched. */
function isTooFull(place: Stretch): boolean {
  return place.count > PAGE && place.to - place.from > SHORTEST;
}

export class Explorer implements GridSource<EventRow> {
  private index = new RowIndex([]);
  private selection: Selection | null = null;
  private countField = '';
  private columns: readonly string[] = [];
  private readonly cache: PageCache<EventRow, TimePage>;
  private readonly refining = new Set<string>();
  private abort = new AbortController();
  /** Rows later than this have come with the last look, µs. */
  private freshAfter = Number.POSITIVE_INFINITY;

  constructor(private readonly events: ExplorerEvents) {
    this.cache = new PageCache(
      KEPT_PAGES,
      (page, signal) => this.load(page, signal),
      () => events.changed(0),
    );
  }

  total(): number {
    return this.index.total;
  }

  row(index: number): EventRow | null {
    const page = this.pageOf(index);
    if (page === null) return null;
    const rows = this.cache.get(page);
    return rows?.[index - page.first] ?? null;
  }

  text(row: EventRow, column: GridColumn): string {
    return column.key === '@timestamp' ? formatMicros(microsOf(row['@timestamp'])) : cellText(row, column.key);
  }

  fresh(row: EventRow): boolean {
    return microsOf(row['@timestamp']) > this.freshAfter;
  }

  /** Number of the first row at or before `time`. */
  rowAt(time: number): number {
    return this.index.rowAt(time);
  }

  flush(): void {
    this.cache.flush();
  }

  setColumns(fields: readonly string[]): void {
    if (fields.join('\n') === this.columns.join('\n')) return;
    this.columns = fields;
    this.cache.clear();
    this.events.changed(0);
  }

  /** Another dataset, filter or window. `keepRows`: the window has only slid. */
  async select(selection: Selection, countField: string, keepRows: boolean, anchor: number | null): Promise<void> {
    this.abort.abort();
    const abort = new AbortController();
    this.abort = abort;
    if (!keepRows) this.cache.clear();
    this.selection = selection;
    this.countField = countField;
    const began = performance.now();
    const answer = await getCounts({ ...selection, field: countField, points: POINTS }, abort.signal);
    if (abort.signal.aborted) return;
    if (!answer.ok) {
      if (!answer.aborted) this.events.failed(answer);
      return;
    }
    const stretches = stretchesOf(answer.value, selection.from, selection.to);
    const next = new RowIndex(stretches);
    const above = anchor === null ? 0 : Math.max(next.rowAt(anchor) - this.index.rowAt(anchor), 0);
    if (keepRows) {
      await this.prepare(next, above, abort.signal);
      if (abort.signal.aborted) return;
    }
    this.freshAfter = keepRows ? this.newestTime() : Number.POSITIVE_INFINITY;
    this.index = next;
    this.refining.clear();
    const bars: TimeBars = {
      time: answer.value.time,
      count: answer.value.time.map((_, i) => answer.value.series[0]?.values[i] ?? 0),
      bucket: answer.value.interval_us,
      from: selection.from,
      to: selection.to,
    };
    this.events.counted(bars, this.index.total, performance.now() - began);
    this.events.changed(above);
  }

  /** Fetches what will be in sight with the next index, so that no row blinks when it takes the place of the present one. */
  private async prepare(next: RowIndex, above: number, signal: AbortSignal): Promise<void> {
    const { first, end } = this.events.visible();
    const shift = first === 0 ? 0 : above;
    const pages = new Map<string, TimePage>();
    for (let row = first + shift; row < Math.min(end + shift, next.total); row++) {
      let place = next.page(row, PAGE);
      if (place !== null && isTooFull(place)) {
        await this.refineIn(next, place, signal);
        if (signal.aborted) return;
        place = next.page(row, PAGE);
      }
      if (place === null || isTooFull(place)) continue;
      const page = { ...place, key: `${place.from}:${place.to}`, version: place.count };
      if (!this.cache.holds(page)) pages.set(page.key, page);
    }
    await Promise.all(
      [...pages.values()].map(async (page) => {
        const rows = await this.load(page, signal, next);
        if (rows !== null && !signal.aborted) this.cache.put(page, rows);
      }),
    );
  }

  private newestTime(): number {
    const row = this.row(0);
    return row === null ? Number.POSITIVE_INFINITY : microsOf(row['@timestamp']);
  }

  dispose(): void {
    this.abort.abort();
    this.cache.clear();
  }

  private pageOf(index: number): (TimePage & { first: number }) | null {
    const place = this.index.page(index, PAGE);
    if (place === null) return null;
    if (isTooFull(place)) {
      void this.refine(place);
      return null;
    }
    return { ...place, key: `${place.from}:${place.to}`, version: place.count };
  }

  private async refine(place: Stretch): Promise<void> {
    const key = `${place.from}:${place.to}`;
    if (this.refining.has(key)) return;
    this.refining.add(key);
    const { signal } = this.abort;
    const refined = await this.refineIn(this.index, place, signal);
    if (signal.aborted) return;
    if (refined) this.events.changed(0);
    else setTimeout(() => this.refining.delete(key), RETRY_MS);
  }

  /** Asks for the counts inside a stretch that holds more rows than a page. */
  private async refineIn(index: RowIndex, place: Stretch, signal: AbortSignal): Promise<boolean> {
    const selection = this.selection;
    if (selection === null) return false;
    const points = Math.min(Math.ceil(place.count / (PAGE / 4)), 500);
    const inside = { ...selection, from: place.from, to: place.to, field: this.countField, points };
    const answer = await getCounts(inside, signal);
    if (signal.aborted || !answer.ok) return false;
    index.refine(place.from, place.to, stretchesOf(answer.value, place.from, place.to));
    return true;
  }

  private async load(page: TimePage, signal: AbortSignal, index = this.index): Promise<(EventRow | null)[] | null> {
    const selection = this.selection;
    if (selection === null) return null;
    // More than counted may be there: late rows, and rows without the counted field.
    const limit = Math.min(page.count + PAGE, MOST_AT_ONCE);
    const answer = await getRows({ ...selection, from: page.from, to: page.to }, this.columns, limit, signal);
    if (!answer.ok) {
      if (!answer.aborted) this.events.failed(answer);
      return null;
    }
    const rows = answer.value.events;
    if (rows.length !== page.count && rows.length < limit) {
      index.correct(page.from, page.to, rows.length);
      page.version = rows.length;
    }
    return rows;
  }
}

export function cellText(row: Readonly<Record<string, unknown>>, field: string): string {
  const value = fieldValue(row, field);
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return shortNumber(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** As it was sent; what only the arithmetic of doubles has made long (8.120000000000001) is rounded to ten digits. */
function shortNumber(value: number): string {
  const text = String(value);
  return text.length <= 13 || Number.isInteger(value) ? text : String(Number(value.toPrecision(10)));
}
