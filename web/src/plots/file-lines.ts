// A field of one or two files over time: lowest and highest per bucket as a band, the average as a line. Marked stretches are
// shaded; one cursor goes through all charts and the map.

import { Surface } from '../chart/canvas';
import { palette } from '../chart/palette';
import { type ChartTable, MOST_ROWS } from '../chart/readings';
import { timeTick, valueTick } from '../chart/ticks';
import { say } from '../text/charts';
import { formatInstant, formatValue } from '../view/format';
import { roundStep, TIME_STEPS } from './time-bars';

export interface FileLine {
  /** µs of the file's own time, middles of the buckets. */
  time: readonly number[];
  low: readonly (number | null)[];
  high: readonly (number | null)[];
  mean: readonly (number | null)[];
  /** The file's start: with `elapsed`, times count from it. */
  start: number;
}

export interface Span {
  from: number;
  to: number;
}

export interface FileLinesEvents {
  /** The pointer is at this time (on the chart's own scale); null: away. */
  point(time: number | null): void;
  zoom(from: number, to: number): void;
  reset(): void;
}

const LEFT = 56;
const BOTTOM = 17;
const TOP = 6;
const LEAST_DRAG = 5;

export class FileLinesPlot {
  private readonly surface: Surface;
  private readonly cursorLine = document.createElement('div');
  private readonly mark = document.createElement('div');
  private readonly observer: ResizeObserver;
  private lines: readonly FileLine[] = [];
  private span: Span = { from: 0, to: 1 };
  private elapsed = false;
  private marked: readonly Span[] = [];
  private cursor: number | null = null;
  private drag: number | null = null;

  constructor(
    private readonly parent: HTMLElement,
    private readonly title: string,
    private readonly events: FileLinesEvents,
  ) {
    this.surface = new Surface(parent, 'lines-canvas');
    this.cursorLine.className = 'lines-cursor';
    this.cursorLine.hidden = true;
    this.mark.className = 'lines-mark';
    this.mark.hidden = true;
    parent.append(this.cursorLine, this.mark);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parent);
    parent.addEventListener('pointermove', (event) => this.move(event));
    parent.addEventListener('pointerdown', (event) => this.down(event));
    parent.addEventListener('pointerup', (event) => this.up(event));
    parent.addEventListener('pointercancel', () => this.stop());
    parent.addEventListener('pointerleave', () => {
      if (this.drag === null) this.events.point(null);
    });
    parent.addEventListener('dblclick', () => this.events.reset());
  }

  dispose(): void {
    this.observer.disconnect();
    this.surface.remove();
    this.cursorLine.remove();
    this.mark.remove();
  }

  /** `span` on the chart's scale: µs of recorded time, or since each file's start. */
  show(lines: readonly FileLine[], span: Span, elapsed: boolean): void {
    this.lines = lines;
    this.span = span;
    this.elapsed = elapsed;
    this.parent.setAttribute('aria-label', this.summary());
    this.draw();
  }

  get element(): HTMLElement {
    return this.parent;
  }

  /** What is drawn, the latest on top; of two files with the number of each. */
  table(): ChartTable {
    const several = this.lines.length > 1;
    const rows = this.lines.flatMap((line, n) =>
      line.time.flatMap((time, i) => {
        const values = [line.mean[i], line.low[i], line.high[i]];
        if (values.some((value) => value === null || value === undefined)) return [];
        const at = this.elapsed ? time - line.start : time;
        const texts = values.map((value) => formatValue(value as number));
        const when = this.elapsed ? elapsedTick(Math.round(at / 1e6)) : formatInstant(at);
        return [{ at, texts: several ? [when, String(n + 1), ...texts] : [when, ...texts] }];
      }),
    );
    rows.sort((a, b) => b.at - a.at);
    return {
      heads: [
        say('table.time'),
        ...(several ? [say('table.file')] : []),
        say('table.mean'),
        say('table.lowest'),
        say('table.highest'),
      ],
      rows: rows.slice(0, MOST_ROWS).map(({ texts }) => texts),
      numbersFrom: 1,
    };
  }

  setMarked(marked: readonly Span[]): void {
    this.marked = marked;
    this.draw();
  }

  setCursor(time: number | null): void {
    this.cursor = time;
    const x = time === null ? -1 : this.x(time);
    this.cursorLine.hidden = time === null || x < LEFT || x > this.parent.clientWidth;
    if (time !== null) this.cursorLine.style.transform = `translateX(${x}px)`;
  }

  /** The average nearest to the cursor, of each line; NaN where there is none. */
  values(): number[] {
    const at = this.cursor;
    return this.lines.map((line) => {
      if (at === null || line.time.length === 0) return lastOf(line);
      const wanted = at + (this.elapsed ? line.start : 0);
      let low = 0;
      let high = line.time.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((line.time[middle] as number) < wanted) low = middle + 1;
        else high = middle;
      }
      const before = low > 0 && wanted - (line.time[low - 1] as number) < (line.time[low] as number) - wanted;
      return line.mean[before ? low - 1 : low] ?? Number.NaN;
    });
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const ctx = this.surface.begin(width, height);
    const [low, high] = this.range();
    const y = (value: number) => TOP + (1 - (value - low) / (high - low)) * (height - TOP - BOTTOM);
    this.drawMarked(ctx, height);
    this.drawAxes(ctx, low, high, y, width, height);
    ctx.save();
    ctx.beginPath();
    ctx.rect(LEFT, 0, width - LEFT, height - BOTTOM + 1);
    ctx.clip();
    this.lines.forEach((line, i) => {
      this.drawLine(ctx, line, palette().series[i % palette().series.length] as string, y);
    });
    ctx.restore();
    this.setCursor(this.cursor);
  }

  private summary(): string {
    const [low, high] = this.extremes();
    if (!Number.isFinite(low)) return say('panel.summaryEmpty', { title: this.title });
    return say('panel.summaryFile', { title: this.title, low: formatValue(low), high: formatValue(high) });
  }

  private extremes(): [number, number] {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const line of this.lines) {
      for (const value of line.low) if (value !== null && value < low) low = value;
      for (const value of line.high) if (value !== null && value > high) high = value;
    }
    return [low, high];
  }

  private range(): [number, number] {
    const [low, high] = this.extremes();
    if (!Number.isFinite(low)) return [0, 1];
    const pad = high === low ? Math.max(Math.abs(low) * 0.05, 0.5) : (high - low) * 0.06;
    return [low - pad, high + pad];
  }

  private drawLine(ctx: CanvasRenderingContext2D, line: FileLine, ink: string, y: (value: number) => number): void {
    const shift = this.elapsed ? line.start : 0;
    ctx.fillStyle = ink;
    ctx.globalAlpha = 0.28;
    const count = line.time.length;
    const across = count > 1 ? Math.max(this.x(line.time[1] as number) - this.x(line.time[0] as number), 1) : 2;
    for (let i = 0; i < count; i++) {
      const [low, high] = [line.low[i], line.high[i]];
      if (low === null || high === null || low === undefined || high === undefined || low === high) continue;
      const x = this.x((line.time[i] as number) - shift);
      ctx.fillRect(x - across / 2, y(high), across, Math.max(y(low) - y(high), 1));
    }
    ctx.globalAlpha = 1;
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.4;
    ctx.lineJoin = 'round';
    ctx.beginPath();
    let pen = false;
    let empty = 0;
    for (let i = 0; i < count; i++) {
      const value = line.mean[i];
      if (value === null || value === undefined) {
        // A few empty buckets lie between the rows of a slow field; more are a gap.
        empty += 1;
        continue;
      }
      const x = this.x((line.time[i] as number) - shift);
      if (pen && empty <= this.usualGap(line)) ctx.lineTo(x, y(value));
      else ctx.moveTo(x, y(value));
      if (!pen || empty > this.usualGap(line)) ctx.lineTo(x + 0.01, y(value));
      pen = true;
      empty = 0;
    }
    ctx.stroke();
  }

  /** Empty buckets that usually lie between two values. */
  private usualGap(line: FileLine): number {
    let filled = 0;
    for (const value of line.mean) if (value !== null) filled += 1;
    return filled < 2 ? 0 : Math.ceil((line.mean.length / filled) * 4);
  }

  private drawMarked(ctx: CanvasRenderingContext2D, height: number): void {
    ctx.fillStyle = palette().series[3] as string;
    ctx.globalAlpha = 0.22;
    for (const { from, to } of this.marked) {
      const [a, b] = [Math.max(this.x(from), LEFT), this.x(to)];
      if (b >= LEFT) ctx.fillRect(a, TOP, Math.max(b - a, 1.5), height - TOP - BOTTOM);
    }
    ctx.globalAlpha = 1;
  }

  private drawAxes(
    ctx: CanvasRenderingContext2D,
    low: number,
    high: number,
    y: (value: number) => number,
    width: number,
    height: number,
  ): void {
    const colors = palette();
    const step = roundStep(high - low, Math.max(Math.floor(height / 38), 2));
    ctx.font = colors.font;
    ctx.textAlign = 'right';
    ctx.textBaseline = 'middle';
    for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
      ctx.fillStyle = colors.grid;
      ctx.fillRect(LEFT, Math.round(y(v)), width - LEFT, 1);
      ctx.fillStyle = colors.inkSoft;
      // The last argument squeezes the few labels that are longer than their room.
      ctx.fillText(valueTick(v, step), LEFT - 7, y(v), LEFT - 9);
    }
    ctx.textAlign = 'center';
    ctx.textBaseline = 'alphabetic';
    const seconds = (this.span.to - this.span.from) / 1e6;
    const apart = TIME_STEPS.find((s) => (seconds / s) * 76 <= width - LEFT) ?? 31_536_000;
    for (let at = Math.ceil(this.span.from / 1e6 / apart) * apart; at * 1e6 <= this.span.to; at += apart) {
      const x = this.x(at * 1e6);
      if (x < LEFT + 14 || x > width - 22) continue;
      ctx.fillStyle = colors.inkSoft;
      ctx.fillText(this.elapsed ? elapsedTick(at) : timeTick(at, apart), x, height - 3);
    }
  }

  private x(time: number): number {
    return LEFT + ((time - this.span.from) / (this.span.to - this.span.from)) * (this.parent.clientWidth - LEFT);
  }

  private timeAt(x: number): number {
    const part = Math.min(Math.max((x - LEFT) / (this.parent.clientWidth - LEFT), 0), 1);
    return this.span.from + part * (this.span.to - this.span.from);
  }

  private localX(event: PointerEvent): number {
    return event.clientX - this.parent.getBoundingClientRect().left;
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.drag = this.localX(event);
    this.parent.setPointerCapture(event.pointerId);
  }

  private move(event: PointerEvent): void {
    const x = this.localX(event);
    this.events.point(x < LEFT ? null : this.timeAt(x));
    if (this.drag === null) return;
    this.mark.hidden = Math.abs(x - this.drag) < LEAST_DRAG;
    this.mark.style.left = `${Math.min(x, this.drag)}px`;
    this.mark.style.width = `${Math.abs(x - this.drag)}px`;
  }

  private up(event: PointerEvent): void {
    const drag = this.drag;
    this.stop();
    const x = this.localX(event);
    if (drag === null || Math.abs(x - drag) < LEAST_DRAG) return;
    this.events.zoom(this.timeAt(Math.min(x, drag)), this.timeAt(Math.max(x, drag)));
  }

  private stop(): void {
    this.drag = null;
    this.mark.hidden = true;
  }
}

function lastOf(line: FileLine): number {
  for (let i = line.mean.length - 1; i >= 0; i--) {
    const value = line.mean[i];
    if (value !== null && value !== undefined) return value;
  }
  return Number.NaN;
}

/** `1:05`, `1:02:05`: time since the start. */
function elapsedTick(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Times of marked rows as stretches: neighbours nearer than `join` are one. `times` ascending. */
export function stretchesOfTimes(times: readonly number[], join: number): Span[] {
  const spans: Span[] = [];
  for (const time of times) {
    const last = spans[spans.length - 1];
    if (last !== undefined && time - last.to <= join) last.to = time;
    else spans.push({ from: time, to: time });
  }
  return spans;
}
