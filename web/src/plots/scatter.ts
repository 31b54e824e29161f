// Two fields against each other, a dot per row, coloured from the first row to the last. A drag marks the rows inside.

import { Surface } from '../chart/canvas';
import { palette } from '../chart/palette';
import { valueTick } from '../chart/ticks';
import { roundStep } from './time-bars';

export interface ScatterData {
  x: Float64Array;
  y: Float64Array;
  /** Rows of a second file, drawn in another colour; undefined with one file. */
  other?: { x: Float64Array; y: Float64Array } | undefined;
}

const LEAST_LEFT = 40;
const MOST_LEFT = 96;
const BOTTOM = 22;
const EDGE = 8;
const LEAST_DRAG = 4;

export interface Rect {
  left: number;
  right: number;
  low: number;
  high: number;
}

/** Numbers of the rows inside `rect`, its edges included. */
export function rowsInside(x: Float64Array, y: Float64Array, rect: Rect): Uint32Array {
  const found: number[] = [];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number];
    if (a >= rect.left && a <= rect.right && b >= rect.low && b <= rect.high) found.push(i);
  }
  return Uint32Array.from(found);
}

function extent(columns: (Float64Array | undefined)[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const column of columns) {
    for (const value of column ?? []) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!Number.isFinite(low)) return [0, 1];
  const pad = high === low ? Math.max(Math.abs(low) * 0.05, 0.5) : (high - low) * 0.04;
  return [low - pad, high + pad];
}

export class ScatterPlot {
  private readonly surface: Surface;
  private readonly mark = document.createElement('div');
  private readonly observer: ResizeObserver;
  private data: ScatterData | null = null;
  private marked: Uint32Array = new Uint32Array(0);
  private xs: [number, number] = [0, 1];
  private ys: [number, number] = [0, 1];
  private drag: { x: number; y: number } | null = null;
  /** Room for the labels of the vertical axis. */
  private left = LEAST_LEFT;

  constructor(
    private readonly parent: HTMLElement,
    private readonly select: (rows: Uint32Array) => void,
  ) {
    this.surface = new Surface(parent, 'scatter-canvas');
    this.mark.className = 'scatter-mark';
    this.mark.hidden = true;
    parent.append(this.mark);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parent);
    parent.addEventListener('pointerdown', (event) => this.down(event));
    parent.addEventListener('pointermove', (event) => this.move(event));
    parent.addEventListener('pointerup', (event) => this.up(event));
    parent.addEventListener('pointercancel', () => this.stop());
  }

  dispose(): void {
    this.observer.disconnect();
    this.surface.remove();
    this.mark.remove();
  }

  show(data: ScatterData | null): void {
    this.data = data;
    if (data !== null) {
      this.xs = extent([data.x, data.other?.x]);
      this.ys = extent([data.y, data.other?.y]);
    }
    this.draw();
  }

  setMarked(rows: Uint32Array): void {
    this.marked = rows;
    this.draw();
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const ctx = this.surface.begin(width, height);
    const data = this.data;
    if (data === null) return;
    this.left = this.roomForLabels(ctx, height);
    this.drawAxes(ctx, width, height);
    ctx.save();
    ctx.beginPath();
    ctx.rect(this.left, EDGE, width - this.left - EDGE, height - BOTTOM - EDGE);
    ctx.clip();
    this.drawDots(ctx, data);
    ctx.restore();
  }

  private drawDots(ctx: CanvasRenderingContext2D, data: ScatterData): void {
    const count = data.x.length;
    const size = count > 5_000 ? 2 : 3;
    const faded = this.marked.length > 0;
    const bands = 12;
    // A colour for each twelfth of the file: one change of the fill for many dots.
    for (let band = 0; band < bands; band++) {
      ctx.fillStyle = data.other === undefined ? ageColor(band / (bands - 1)) : (palette().series[0] as string);
      ctx.globalAlpha = faded ? 0.12 : count > 3_000 ? 0.5 : 0.75;
      const end = Math.floor(((band + 1) * count) / bands);
      for (let i = Math.floor((band * count) / bands); i < end; i++) this.dot(ctx, data.x[i], data.y[i], size);
    }
    if (data.other !== undefined) {
      ctx.fillStyle = palette().series[1] as string;
      for (let i = 0; i < data.other.x.length; i++) this.dot(ctx, data.other.x[i], data.other.y[i], size);
    }
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette().series[3] as string;
    for (const i of this.marked) this.dot(ctx, data.x[i], data.y[i], size + 1);
  }

  private dot(ctx: CanvasRenderingContext2D, x: number | undefined, y: number | undefined, size: number): void {
    if (x === undefined || y === undefined || Number.isNaN(x) || Number.isNaN(y)) return;
    ctx.fillRect(this.px(x) - size / 2, this.py(y) - size / 2, size, size);
  }

  private drawAxes(ctx: CanvasRenderingContext2D, width: number, height: number): void {
    const colors = palette();
    ctx.font = colors.font;
    const across = roundStep(this.xs[1] - this.xs[0], Math.max(Math.floor((width - this.left) / 80), 2));
    const down = roundStep(this.ys[1] - this.ys[0], Math.max(Math.floor(height / 44), 2));
    ctx.textAlign = 'center';
    ctx.textBaseline = 'alphabetic';
    for (let v = Math.ceil(this.xs[0] / across) * across; v <= this.xs[1]; v += across) {
      ctx.fillStyle = colors.grid;
      ctx.fillRect(Math.round(this.px(v)), EDGE, 1, height - BOTTOM - EDGE);
      ctx.fillStyle = colors.inkSoft;
      const x = this.px(v);
      if (x > this.left + 8 && x < width - 18) ctx.fillText(valueTick(v, across), x, height - 6);
    }
    ctx.textAlign = 'right';
    ctx.textBaseline = 'middle';
    for (let v = Math.ceil(this.ys[0] / down) * down; v <= this.ys[1]; v += down) {
      ctx.fillStyle = colors.grid;
      ctx.fillRect(this.left, Math.round(this.py(v)), width - this.left - EDGE, 1);
      ctx.fillStyle = colors.inkSoft;
      ctx.fillText(valueTick(v, down), this.left - 7, this.py(v));
    }
  }

  private roomForLabels(ctx: CanvasRenderingContext2D, height: number): number {
    ctx.font = palette().font;
    const step = roundStep(this.ys[1] - this.ys[0], Math.max(Math.floor(height / 44), 2));
    const widths = this.ys.map((v) => ctx.measureText(valueTick(Math.round(v / step) * step, step)).width);
    return Math.min(Math.max(...widths, LEAST_LEFT - 14) + 14, MOST_LEFT);
  }

  private px(value: number): number {
    const width = this.parent.clientWidth - this.left - EDGE;
    return this.left + ((value - this.xs[0]) / (this.xs[1] - this.xs[0])) * width;
  }

  private py(value: number): number {
    const height = this.parent.clientHeight - BOTTOM - EDGE;
    return EDGE + height - ((value - this.ys[0]) / (this.ys[1] - this.ys[0])) * height;
  }

  private valueAt(x: number, y: number): { x: number; y: number } {
    const width = this.parent.clientWidth - this.left - EDGE;
    const height = this.parent.clientHeight - BOTTOM - EDGE;
    return {
      x: this.xs[0] + ((x - this.left) / width) * (this.xs[1] - this.xs[0]),
      y: this.ys[0] + ((EDGE + height - y) / height) * (this.ys[1] - this.ys[0]),
    };
  }

  private at(event: PointerEvent): { x: number; y: number } {
    const box = this.parent.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0 || this.data === null) return;
    this.drag = this.at(event);
    this.parent.setPointerCapture(event.pointerId);
  }

  private move(event: PointerEvent): void {
    const drag = this.drag;
    if (drag === null) return;
    const here = this.at(event);
    const style = this.mark.style;
    this.mark.hidden = false;
    style.left = `${Math.min(drag.x, here.x)}px`;
    style.top = `${Math.min(drag.y, here.y)}px`;
    style.width = `${Math.abs(drag.x - here.x)}px`;
    style.height = `${Math.abs(drag.y - here.y)}px`;
  }

  private up(event: PointerEvent): void {
    const drag = this.drag;
    this.stop();
    if (drag === null || this.data === null) return;
    const here = this.at(event);
    if (Math.abs(here.x - drag.x) < LEAST_DRAG && Math.abs(here.y - drag.y) < LEAST_DRAG) {
      this.select(new Uint32Array(0));
      return;
    }
    const a = this.valueAt(Math.min(drag.x, here.x), Math.max(drag.y, here.y));
    const b = this.valueAt(Math.max(drag.x, here.x), Math.min(drag.y, here.y));
    this.select(rowsInside(this.data.x, this.data.y, { left: a.x, right: b.x, low: a.y, high: b.y }));
  }

  private stop(): void {
    this.drag = null;
    this.mark.hidden = true;
  }
}

/** From the file's beginning (0) to its end (1). */
export function ageColor(part: number): string {
  const hue = 255 - part * 205;
  return `hsl(${hue} 75% ${document.documentElement.matches('[data-theme="light"]') ? 46 : 60}%)`;
}
