// A small line without axes: the last figures of something, newest at the right. It draws when told, never by itself.

import { Surface } from '../chart/canvas';
import { palette } from '../chart/palette';

export class Trail {
  private readonly values: Float64Array;
  private size = 0;
  private next = 0;

  constructor(readonly length: number) {
    this.values = new Float64Array(length);
  }

  add(value: number): void {
    this.values[this.next] = value;
    this.next = (this.next + 1) % this.length;
    this.size = Math.min(this.size + 1, this.length);
  }

  get count(): number {
    return this.size;
  }

  /** `i` 0 is the oldest. */
  at(i: number): number {
    return this.values[(this.next - this.size + i + this.length) % this.length] as number;
  }

  highest(): number {
    let most = 0;
    for (let i = 0; i < this.size; i++) {
      const value = this.at(i);
      if (value > most) most = value;
    }
    return most;
  }
}

export interface SparkLine {
  trail: Trail;
  /** Position in the palette of series. */
  color: number;
}

/** Draws `lines` in one scale from zero; `level` is a dashed line to compare with. */
export class Spark {
  private readonly surface: Surface;
  private readonly observer: ResizeObserver;

  constructor(
    private readonly parent: HTMLElement,
    private readonly lines: readonly SparkLine[],
    private readonly level: () => number | null = () => null,
  ) {
    this.surface = new Surface(parent, 'spark-canvas');
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parent);
  }

  dispose(): void {
    this.observer.disconnect();
    this.surface.remove();
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const ctx = this.surface.begin(width, height);
    const level = this.level();
    const top = Math.max(...this.lines.map((line) => line.trail.highest()), level ?? 0, 1e-9) * 1.12;
    const y = (value: number) => height - 1 - (value / top) * (height - 3);
    if (level !== null && level > 0) {
      ctx.strokeStyle = palette().inkSoft;
      ctx.globalAlpha = 0.6;
      ctx.setLineDash([3, 3]);
      ctx.beginPath();
      ctx.moveTo(0, y(level));
      ctx.lineTo(width, y(level));
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.globalAlpha = 1;
    }
    for (const line of this.lines) this.drawLine(ctx, line, width, height, y);
  }

  private drawLine(
    ctx: CanvasRenderingContext2D,
    { trail, color }: SparkLine,
    width: number,
    height: number,
    y: (value: number) => number,
  ): void {
    if (trail.count < 2) return;
    const step = width / (trail.length - 1);
    const first = width - (trail.count - 1) * step;
    const ink = palette().series[color % palette().series.length] as string;
    ctx.beginPath();
    for (let i = 0; i < trail.count; i++) ctx.lineTo(first + i * step, y(trail.at(i)));
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.5;
    ctx.lineJoin = 'round';
    ctx.stroke();
    ctx.lineTo(width, height);
    ctx.lineTo(first, height);
    ctx.closePath();
    ctx.globalAlpha = 0.1;
    ctx.fillStyle = ink;
    ctx.fill();
    ctx.globalAlpha = 1;
  }
}
