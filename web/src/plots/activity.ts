// Events per bucket of time as bars, empty stretches marked: the rhythm of one device, and where it was silent.

import { Surface } from '../chart/canvas';
import { palette } from '../chart/palette';
import { timeTick } from '../chart/ticks';

export interface Activity {
  /** Starts of the buckets, µs. */
  time: readonly number[];
  count: readonly (number | null)[];
  bucket: number;
  /** Stretches in which events were missing, µs; shown however short. */
  gaps: readonly { from: number; to: number }[];
}

const AXIS = 16;

export class ActivityPlot {
  private readonly surface: Surface;
  private readonly observer: ResizeObserver;
  private data: Activity | null = null;

  constructor(private readonly parent: HTMLElement) {
    this.surface = new Surface(parent, 'activity-canvas');
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parent);
  }

  show(data: Activity): void {
    this.data = data;
    this.draw();
  }

  dispose(): void {
    this.observer.disconnect();
    this.surface.remove();
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const ctx = this.surface.begin(width, height);
    const data = this.data;
    if (data === null || data.time.length === 0) return;
    const room = height - AXIS;
    const most = Math.max(...data.count.map((c) => c ?? 0), 1);
    const across = width / data.time.length;
    const colors = palette();
    ctx.fillStyle = colors.series[0] as string;
    data.count.forEach((count, i) => {
      if ((count ?? 0) === 0) return;
      const tall = Math.max(((count as number) / most) * (room - 4), 1);
      ctx.fillRect(i * across, room - tall, Math.max(across - 0.6, 0.8), tall);
    });
    const from = data.time[0] as number;
    const scale = width / (data.bucket * data.time.length);
    ctx.fillStyle = colors.series[7] as string;
    for (const gap of data.gaps) {
      const x = Math.max((gap.from - from) * scale, 0);
      const wide = Math.max((gap.to - Math.max(gap.from, from)) * scale, 2);
      ctx.globalAlpha = 0.2;
      ctx.fillRect(x, 0, wide, room);
      ctx.globalAlpha = 1;
      ctx.fillRect(x, 0, wide, 3);
    }
    this.drawAxis(ctx, data, width, height);
  }

  private drawAxis(ctx: CanvasRenderingContext2D, data: Activity, width: number, height: number): void {
    const from = data.time[0] as number;
    const span = data.bucket * data.time.length;
    const step = STEPS.find((s) => (span / 1e6 / s) * 64 <= width) ?? 86_400;
    ctx.font = palette().font;
    ctx.fillStyle = palette().inkSoft;
    ctx.textBaseline = 'bottom';
    ctx.textAlign = 'center';
    for (let at = Math.ceil(from / 1e6 / step) * step; at * 1e6 < from + span; at += step) {
      const x = ((at * 1e6 - from) / span) * width;
      if (x > 24 && x < width - 24) ctx.fillText(timeTick(at, step), x, height);
    }
  }
}

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 604_800,
];
