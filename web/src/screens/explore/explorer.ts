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
const FRESH_MS = 1_200;

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
}

function stretchesOf(answer: SeriesAnswer, from: number, to: number): Stretch[] {
  const counts = answer.series[0]?.values ?? [];
  return answer.time.map((start, i) => ({
    from: Math.max(start, from),
    to: Math.min(start + answer.interval_us, to),
    count: counts[i] ?? 0,
  }));
}

export class Explorer implements GridSource<EventRow> {
  private index = new RowIndex([]);
  private selection: Selection | null = null;
  private countField = '';
  private columns: readonly string[] = [];
  private readonly cache: PageCache<EventRow, TimePage>;
  private readonly refining = new Set<string>();
  private abort = new AbortController();
  private newest = 0;
  private freshFrom = Number.POSITIVE_INFINITY;

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
    return this.freshFrom < performance.now() + FRESH_MS && microsOf(row['@timestamp']) > this.newest;
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
    const before = anchor === null ? null : this.index.rowAt(anchor);
    this.index = new RowIndex(stretches);
    this.refining.clear();
    const above = before === null || anchor === null ? 0 : this.index.rowAt(anchor) - before;
    const bars: TimeBars = {
      time: answer.value.time,
      count: answer.value.time.map((_, i) => answer.value.series[0]?.values[i] ?? 0),
      bucket: answer.value.interval_us,
      from: selection.from,
      to: selection.to,
    };
    this.events.counted(bars, this.index.total, performance.now() - began);
    this.events.changed(Math.max(above, 0));
  }

  dispose(): void {
    this.abort.abort();
    this.cache.clear();
  }

  private pageOf(index: number): (TimePage & { first: number }) | null {
    const place = this.index.page(index, PAGE);
    if (place === null) return null;
    if (place.count > PAGE && place.to - place.from > SHORTEST) {
      void this.refine(place);
      return null;
    }
    return { ...place, key: `${place.from}:${place.to}`, version: place.count };
  }

  /** The counts inside a stretch that holds more rows than a page. */
  private async refine(place: Stretch): Promise<void> {
    const key = `${place.from}:${place.to}`;
    const selection = this.selection;
    if (selection === null || this.refining.has(key)) return;
    this.refining.add(key);
    const { signal } = this.abort;
    const points = Math.min(Math.ceil(place.count / (PAGE / 4)), 500);
    const inside = { ...selection, from: place.from, to: place.to, field: this.countField, points };
    const answer = await getCounts(inside, signal);
    if (signal.aborted) return;
    if (answer.ok) {
      this.index.refine(place.from, place.to, stretchesOf(answer.value, place.from, place.to));
      this.events.changed(0);
    } else {
      setTimeout(() => this.refining.delete(key), 1_000);
    }
  }

  private async load(page: TimePage, signal: AbortSignal): Promise<(EventRow | null)[] | null> {
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
      this.index.correct(page.from, page.to, rows.length);
      page.version = rows.length;
    }
    return rows;
  }

  /** Rows later than this are new to whoever looks. */
  noteSeen(time: number): void {
    if (this.newest === 0) this.freshFrom = Number.POSITIVE_INFINITY;
    this.newest = time;
    this.freshFrom = performance.now();
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
