// Counts over time as bars: hover reads one, a drag selects a stretch, arrows move a cursor, Enter zooms to it.

import { Surface } from '../chart/canvas';
import { palette } from '../chart/palette';
import { timeTick, valueTick } from '../chart/ticks';

export interface TimeBars {
  /** µs: starts of the buckets. */
  time: readonly number[];
  count: readonly number[];
  bucket: number;
  /** The window, which the buckets may overhang. */
  from: number;
  to: number;
}

export interface TimeBarsEvents {
  /** What is under the pointer or the cursor; null for nothing. */
  read(bar: { from: number; to: number; count: number } | null): void;
  select(from: number, to: number): void;
}

const LEFT = 46;
const BOTTOM = 18;
const TOP = 6;
const LEAST_DRAG = 4;
export const TIME_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600,
  7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
];

/** A round step of which at most `most` fit into `range`. */
export function roundStep(range: number, most: number): number {
  const raw = range / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const part = raw / power;
  return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * power;
}

export class TimeBarsPlot {
  private readonly surface: Surface;
  private readonly mark = document.createElement('div');
  private readonly observer: ResizeObserver;
  private data: TimeBars | null = null;
  private cursor = -1;
  private drag: { x: number; pointer: number } | null = null;

  constructor(
    private readonly parent: HTMLElement,
    private readonly events: TimeBarsEvents,
  ) {
    this.surface = new Surface(parent, 'bars-canvas');
    this.mark.className = 'bars-mark';
    this.mark.hidden = true;
    parent.append(this.mark);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parent);
    parent.addEventListener('pointerdown', (event) => this.down(event));
    parent.addEventListener('pointermove', (event) => this.move(event));
    parent.addEventListener('pointerup', (event) => this.up(event));
    parent.addEventListener('pointercancel', () => this.stopDrag());
    parent.addEventListener('pointerleave', () => {
      if (this.drag === null) this.point(-1);
    });
    parent.addEventListener('keydown', (event) => this.key(event));
  }

  dispose(): void {
    this.observer.disconnect();
    this.surface.remove();
    this.mark.remove();
  }

  show(data: TimeBars | null): void {
    this.data = data;
    if (this.cursor >= (data?.time.length ?? 0)) this.cursor = -1;
    this.draw();
  }

  /** A picture of it with a title, on the page's background. */
  async picture(title: string, subtitle: string): Promise<Blob | null> {
    const { width, height } = this.surface.canvas;
    const ratio = devicePixelRatio;
    const head = Math.round(58 * ratio);
    const pad = Math.round(16 * ratio);
    const canvas = document.createElement('canvas');
    canvas.width = width + 2 * pad;
    canvas.height = height + head + 2 * pad;
    const ctx = canvas.getContext('2d') as CanvasRenderingContext2D;
    const colors = palette();
    ctx.fillStyle = colors.surface;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.drawImage(this.surface.canvas, pad, head + pad);
    ctx.scale(ratio, ratio);
    const family = colors.font.replace(/^\d+px /, '');
    ctx.fillStyle = colors.ink;
    ctx.font = `600 16px ${family}`;
    ctx.fillText(title, 16, 32);
    ctx.fillStyle = colors.inkSoft;
    ctx.font = `12px ${family}`;
    ctx.fillText(subtitle, 16, 54);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const ctx = this.surface.begin(width, height);
    const data = this.data;
    if (data === null) return;
    const most = Math.max(...data.count, 1);
    const step = Math.max(roundStep(most, 3), 1);
    const top = Math.max(Math.ceil(most / step) * step, 1);
    const room = height - TOP - BOTTOM;
    const y = (count: number) => TOP + room - (count / top) * room;
    const colors = palette();
    ctx.font = colors.font;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'right';
    for (let value = 0; value <= top; value += step) {
      ctx.fillStyle = colors.grid;
      ctx.fillRect(LEFT, Math.round(y(value)), width - LEFT, 1);
      ctx.fillStyle = colors.inkSoft;
      ctx.fillText(valueTick(value, step), LEFT - 7, Math.max(y(value), TOP + 2));
    }
    this.drawBars(ctx, data, y);
    this.drawTimes(ctx, data, width, height);
  }

  private drawBars(ctx: CanvasRenderingContext2D, data: TimeBars, y: (count: number) => number): void {
    const ink = palette().series[0] as string;
    ctx.fillStyle = ink;
    data.count.forEach((count, i) => {
      if (count === 0) return;
      const from = this.x(Math.max(data.time[i] as number, data.from));
      const to = this.x(Math.min((data.time[i] as number) + data.bucket, data.to));
      const gap = to - from > 4 ? 1 : 0;
      ctx.globalAlpha = this.cursor === i ? 1 : this.cursor >= 0 ? 0.6 : 0.85;
      const tall = Math.min(y(count), y(0) - 1);
      ctx.fillRect(from, tall, Math.max(to - from - gap, 1), y(0) - tall);
    });
    ctx.globalAlpha = 1;
  }

  private drawTimes(ctx: CanvasRenderingContext2D, data: TimeBars, width: number, height: number): void {
    const span = (data.to - data.from) / 1e6;
    const step = TIME_STEPS.find((s) => (span / s) * 92 <= width - LEFT) ?? 31_536_000;
    ctx.fillStyle = palette().inkSoft;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'alphabetic';
    for (let at = Math.ceil(data.from / 1e6 / step) * step; at * 1e6 < data.to; at += step) {
      const x = this.x(at * 1e6);
      if (x > LEFT + 16 && x < width - 24) ctx.fillText(timeTick(at, step), x, height - 4);
    }
  }

  private x(time: number): number {
    const data = this.data as TimeBars;
    return LEFT + ((time - data.from) / (data.to - data.from)) * (this.parent.clientWidth - LEFT);
  }

  private timeAt(x: number): number {
    const data = this.data as TimeBars;
    const part = Math.min(Math.max((x - LEFT) / (this.parent.clientWidth - LEFT), 0), 1);
    return data.from + part * (data.to - data.from);
  }

  private barAt(x: number): number {
    const data = this.data;
    if (data === null || data.time.length === 0 || x < LEFT) return -1;
    const i = Math.floor((this.timeAt(x) - (data.time[0] as number)) / data.bucket);
    return i >= 0 && i < data.time.length ? i : -1;
  }

  private point(i: number): void {
    if (i === this.cursor) return;
    this.cursor = i;
    this.draw();
    const data = this.data;
    if (data === null || i < 0) this.events.read(null);
    else {
      const from = data.time[i] as number;
      this.events.read({ from, to: from + data.bucket, count: data.count[i] as number });
    }
  }

  private localX(event: PointerEvent): number {
    return event.clientX - this.parent.getBoundingClientRect().left;
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0 || this.data === null) return;
    this.drag = { x: this.localX(event), pointer: event.pointerId };
    this.parent.setPointerCapture(event.pointerId);
  }

  private move(event: PointerEvent): void {
    const x = this.localX(event);
    if (this.drag === null) {
      this.point(this.barAt(x));
      return;
    }
    const [left, right] = [Math.max(Math.min(x, this.drag.x), LEFT), Math.max(x, this.drag.x)];
    this.mark.hidden = right - left < LEAST_DRAG;
    this.mark.style.left = `${left}px`;
    this.mark.style.width = `${Math.max(right - left, 0)}px`;
  }

  private up(event: PointerEvent): void {
    const drag = this.drag;
    this.stopDrag();
    if (drag === null || this.data === null) return;
    const x = this.localX(event);
    if (Math.abs(x - drag.x) < LEAST_DRAG) return;
    const [from, to] = [this.timeAt(Math.min(x, drag.x)), this.timeAt(Math.max(x, drag.x))];
    if (to > from) this.events.select(Math.round(from), Math.round(to));
  }

  private stopDrag(): void {
    this.drag = null;
    this.mark.hidden = true;
  }

  private key(event: KeyboardEvent): void {
    const data = this.data;
    if (data === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = data.time.length - 1;
    const here = this.cursor < 0 ? last : this.cursor;
    if (event.key === 'ArrowLeft') this.point(Math.max(here - 1, 0));
    else if (event.key === 'ArrowRight') this.point(Math.min(here + 1, last));
    else if (event.key === 'Home') this.point(0);
    else if (event.key === 'End') this.point(last);
    else if (event.key === 'Enter' && this.cursor >= 0) {
      const from = data.time[this.cursor] as number;
      this.events.select(from, from + data.bucket);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
