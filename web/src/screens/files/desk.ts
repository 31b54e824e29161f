// Everything that is drawn of one file, or of two against each other: charts, map, scatter. It asks for what they need, and passes
// cursor and marks from one to all. Nothing of this passes through the view layer.

import { microsOf } from '../../kit/format';
import { type FileLine, FileLinesPlot, type Span, stretchesOfTimes } from '../../plots/file-lines';
import { ScatterPlot } from '../../plots/scatter';
import { TrackPlot } from '../../plots/track';
import type { Failure } from '../../wire/call';
import { type EventRow, fieldValue } from '../../wire/explore';
import { getLines, getRowsOf } from '../../wire/files';
import type { SeriesAnswer } from '../../wire/rest';

/** A file as the desk needs it. */
export interface Sheet {
  dataset: string;
  /** µs; of a file without times: its rows as seconds. */
  from: number;
  to: number;
  latitude: string | null;
  longitude: string | null;
  /** What it can be asked for. */
  fields: ReadonlySet<string>;
}

const POINTS = 600;
/** Fields that are asked for at once. */
const BATCH = 12;
/** Rows that scatter and map are drawn of. */
export const MOST_ROWS = 20_000;
/** Marked rows nearer than this many periods are one stretch. */
const JOIN_PERIODS = 5;

export interface DeskEvents {
  failed(failure: Failure): void;
  /** Rows are marked; 0: none. */
  marked(rows: number): void;
  /** Rows that scatter and map are drawn of, and whether there are more. */
  rows(count: number, more: boolean): void;
  zoomed(span: Span | null): void;
}

interface RowColumns {
  time: Float64Array;
  columns: Map<string, Float64Array>;
  more: boolean;
}

/** Columns of numbers from rows; NaN where a row has none. Exported for the tests. */
export function columnsOf(events: readonly EventRow[], fields: readonly string[]): RowColumns {
  const time = new Float64Array(events.length);
  const columns = new Map(fields.map((name) => [name, new Float64Array(events.length).fill(Number.NaN)]));
  events.forEach((event, i) => {
    const at = microsOf(event['@timestamp']);
    time[i] = Number.isNaN(at) ? i * 1e6 : at;
    for (const [name, column] of columns) {
      const value = fieldValue(event, name);
      if (typeof value === 'number') column[i] = value;
      else if (typeof value === 'boolean') column[i] = value ? 1 : 0;
    }
  });
  return { time, columns, more: false };
}

function lineOf(answer: SeriesAnswer, field: string, start: number): FileLine {
  const named = (agg: string) => answer.series.find((s) => s.field === field && s.agg === agg)?.values ?? [];
  const time = answer.time.map((t) => t + answer.interval_us / 2);
  return { time, low: named('min'), high: named('max'), mean: named('avg'), start };
}

export class Desk {
  private readonly charts = new Map<string, FileLinesPlot>();
  private readonly readouts = new Map<string, (values: number[]) => void>();
  private readonly lines = new Map<string, FileLine[]>();
  private scatter: ScatterPlot | null = null;
  private track: TrackPlot | null = null;
  private rows: RowColumns | null = null;
  private pair: [string, string] | null = null;
  private span: Span;
  private markedSpans: Span[] = [];
  private abort = new AbortController();
  private pairAbort = new AbortController();
  private asking = false;

  constructor(
    private readonly sheets: readonly Sheet[],
    private readonly events: DeskEvents,
  ) {
    this.span = this.whole();
  }

  dispose(): void {
    this.abort.abort();
    this.pairAbort.abort();
  }

  /** Two files are laid on each other by the time since their starts. */
  get elapsed(): boolean {
    return this.sheets.length > 1;
  }

  addChart(
    parent: HTMLElement,
    field: string,
    title: string,
    readout: (values: number[]) => void,
  ): { plot: FileLinesPlot; remove: () => void } {
    const plot = new FileLinesPlot(parent, title, {
      point: (time) => this.point(time),
      zoom: (from, to) => this.zoom({ from, to }),
      reset: () => this.zoom(null),
    });
    this.charts.set(field, plot);
    this.readouts.set(field, readout);
    plot.setMarked(this.markedSpans);
    this.showChart(field);
    this.askSoon();
    const remove = () => {
      plot.dispose();
      this.charts.delete(field);
      this.readouts.delete(field);
      this.lines.delete(field);
    };
    return { plot, remove };
  }

  addTrack(parent: HTMLElement): () => void {
    const plot = new TrackPlot(parent);
    this.track = plot;
    this.showTrack();
    if (this.rows === null) void this.askRows();
    return () => {
      plot.dispose();
      this.track = null;
    };
  }

  addScatter(parent: HTMLElement): () => void {
    const plot = new ScatterPlot(parent, (rows) => this.mark(rows));
    this.scatter = plot;
    return () => {
      plot.dispose();
      this.scatter = null;
    };
  }

  setPair(x: string, y: string): void {
    this.pair = [x, y];
    this.mark(new Uint32Array(0));
    void this.askRows();
  }

  zoom(span: Span | null): void {
    this.span = span ?? this.whole();
    this.events.zoomed(span);
    this.abort.abort();
    this.abort = new AbortController();
    this.lines.clear();
    this.askSoon();
  }

  mark(rows: Uint32Array): void {
    const times = this.rows === null ? [] : [...rows].map((i) => this.rows?.time[i] as number);
    const start = this.elapsed ? (this.sheets[0]?.from ?? 0) : 0;
    this.markedSpans = stretchesOfTimes(times, JOIN_PERIODS * this.period()).map((s) => ({
      from: s.from - start,
      to: s.to - start,
    }));
    this.scatter?.setMarked(rows);
    this.track?.setMarked(rows);
    for (const chart of this.charts.values()) chart.setMarked(this.markedSpans);
    this.events.marked(rows.length);
  }

  /** In the colours of another theme. */
  redraw(): void {
    for (const chart of this.charts.values()) chart.draw();
    this.scatter?.draw();
    this.track?.draw();
  }

  private whole(): Span {
    if (!this.elapsed) {
      const only = this.sheets[0];
      return { from: only?.from ?? 0, to: Math.max(only?.to ?? 1, (only?.from ?? 0) + 1) };
    }
    return { from: 0, to: Math.max(...this.sheets.map((s) => s.to - s.from), 1) };
  }

  private point(time: number | null): void {
    for (const [field, chart] of this.charts) {
      chart.setCursor(time);
      this.readouts.get(field)?.(chart.values());
    }
    const start = this.elapsed ? (this.sheets[0]?.from ?? 0) : 0;
    this.track?.setCursor(time === null ? null : time + start);
  }

  /** Charts come one after another: they are asked for together. */
  private askSoon(): void {
    if (this.asking) return;
    this.asking = true;
    setTimeout(() => {
      this.asking = false;
      void this.askLines();
    }, 0);
  }

  private async askLines(): Promise<void> {
    const missing = [...this.charts.keys()].filter((field) => !this.lines.has(field));
    const { signal } = this.abort;
    for (let at = 0; at < missing.length; at += BATCH) {
      const fields = missing.slice(at, at + BATCH);
      await this.askBatch(fields, signal);
      if (signal.aborted) return;
    }
  }

  private async askBatch(fields: string[], signal: AbortSignal): Promise<void> {
    const span = this.span;
    const answers = await Promise.all(
      this.sheets.map(async (sheet) => {
        // The second file may not have a field of the first one: the server refuses a list with a name that it does not know.
        const there = fields.filter((name) => sheet.fields.has(name));
        if (there.length === 0) return null;
        const shift = this.elapsed ? sheet.from : 0;
        const query = {
          dataset: sheet.dataset,
          fields: there,
          from: span.from + shift,
          to: span.to + shift + 1,
          points: POINTS,
        };
        return getLines(query, signal);
      }),
    );
    if (signal.aborted) return;
    for (const field of fields) {
      const lines: FileLine[] = [];
      answers.forEach((answer, i) => {
        const sheet = this.sheets[i];
        if (answer === null || sheet === undefined || !sheet.fields.has(field)) return;
        if (answer.ok) lines.push(lineOf(answer.value, field, sheet.from));
        else if (!answer.aborted) this.events.failed(answer);
      });
      this.lines.set(field, lines);
      this.showChart(field);
    }
  }

  private showChart(field: string): void {
    const chart = this.charts.get(field);
    const lines = this.lines.get(field);
    if (chart === undefined || lines === undefined) return;
    chart.show(lines, this.span, this.elapsed);
    this.readouts.get(field)?.(chart.values());
  }

  private async askRows(): Promise<void> {
    this.pairAbort.abort();
    const abort = new AbortController();
    this.pairAbort = abort;
    const answers = await Promise.all(this.sheets.map((sheet) => this.fetchRows(sheet, abort.signal)));
    if (abort.signal.aborted) return;
    const [first, second] = answers;
    if (first === undefined || first === null) return;
    this.rows = first;
    this.events.rows(first.time.length, first.more);
    this.showTrack();
    if (this.pair === null) return;
    const [x, y] = this.pair;
    const columnsIn = (rows: RowColumns) => ({
      x: rows.columns.get(x) ?? new Float64Array(0),
      y: rows.columns.get(y) ?? new Float64Array(0),
    });
    const other = second === undefined || second === null ? undefined : columnsIn(second);
    this.scatter?.show({ ...columnsIn(first), other });
  }

  private async fetchRows(sheet: Sheet, signal: AbortSignal): Promise<RowColumns | null> {
    const place = [sheet.latitude, sheet.longitude].filter((name): name is string => name !== null);
    const fields = [...new Set([...(this.pair ?? []), ...place])].filter((name) => sheet.fields.has(name));
    if (fields.length === 0) return null;
    const answer = await getRowsOf(sheet.dataset, fields, MOST_ROWS, signal);
    if (!answer.ok) {
      if (!answer.aborted) this.events.failed(answer);
      return null;
    }
    return { ...columnsOf(answer.value.events, fields), more: answer.value.next !== null };
  }

  private showTrack(): void {
    const sheet = this.sheets[0];
    if (this.track === null || this.rows === null || sheet?.latitude == null || sheet.longitude == null) return;
    const latitude = this.rows.columns.get(sheet.latitude);
    const longitude = this.rows.columns.get(sheet.longitude);
    if (latitude === undefined || longitude === undefined) return;
    this.track.show({ time: this.rows.time, latitude, longitude });
  }

  /** Usual time between rows. */
  private period(): number {
    const times = this.rows?.time;
    if (times === undefined || times.length < 2) return 0;
    return ((times[times.length - 1] as number) - (times[0] as number)) / (times.length - 1);
  }
}
