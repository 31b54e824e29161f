// Where a file's rows were: the track in the colours of time, marked rows on it, and the place of the cursor. No tiles.

import { Surface } from '../chart/canvas';
import { type Box, fitBox, isPosition, latitudeOf, project, scaleBar } from '../chart/mercator';
import { palette } from '../chart/palette';
import { ageColor } from './scatter';

export interface TrackData {
  /** µs, ascending. */
  time: Float64Array;
  latitude: Float64Array;
  longitude: Float64Array;
}

const MARGIN = 22;
const BANDS = 24;

export class TrackPlot {
  private readonly surface: Surface;
  private readonly dot = document.createElement('div');
  private readonly observer: ResizeObserver;
  private data: TrackData | null = null;
  private x = new Float64Array(0);
  private y = new Float64Array(0);
  private marked: Uint32Array = new Uint32Array(0);
  private cursor: number | null = null;
  private fit = { scale: 1, left: 0, top: 0 };

  constructor(private readonly parent: HTMLElement) {
    this.surface = new Surface(parent, 'track-canvas');
    this.dot.className = 'track-dot';
    this.dot.hidden = true;
    parent.append(this.dot);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parent);
  }

  dispose(): void {
    this.observer.disconnect();
    this.surface.remove();
    this.dot.remove();
  }

  show(data: TrackData): void {
    this.data = data;
    this.x = new Float64Array(data.time.length);
    this.y = new Float64Array(data.time.length);
    for (let i = 0; i < data.time.length; i++) {
      const [latitude, longitude] = [data.latitude[i] as number, data.longitude[i] as number];
      const point = isPosition(latitude, longitude) ? project(latitude, longitude) : null;
      this.x[i] = point?.x ?? Number.NaN;
      this.y[i] = point?.y ?? Number.NaN;
    }
    this.draw();
  }

  setMarked(rows: Uint32Array): void {
    this.marked = rows;
    this.draw();
  }

  setCursor(time: number | null): void {
    this.cursor = time;
    const row = time === null ? -1 : this.rowAt(time);
    const x = row < 0 ? Number.NaN : this.px(row);
    this.dot.hidden = Number.isNaN(x);
    if (!this.dot.hidden) this.dot.style.transform = `translate(${x}px, ${this.py(row)}px)`;
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const ctx = this.surface.begin(width, height);
    const box = this.box();
    if (this.data === null || box === null) return;
    this.fit = fitBox(box, width, height, MARGIN);
    this.drawScale(ctx, box, height);
    const count = this.x.length;
    ctx.lineWidth = 2.2;
    ctx.lineJoin = 'round';
    ctx.globalAlpha = this.marked.length > 0 ? 0.4 : 1;
    for (let band = 0; band < BANDS; band++) {
      ctx.strokeStyle = ageColor(band / (BANDS - 1));
      ctx.beginPath();
      const end = Math.min(Math.floor(((band + 1) * count) / BANDS) + 1, count);
      for (let i = Math.floor((band * count) / BANDS); i < end; i++) {
        if (!Number.isNaN(this.x[i] as number)) ctx.lineTo(this.px(i), this.py(i));
      }
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette().series[3] as string;
    for (const i of this.marked) {
      if (!Number.isNaN(this.x[i] as number)) ctx.fillRect(this.px(i) - 2.5, this.py(i) - 2.5, 5, 5);
    }
    this.setCursor(this.cursor);
  }

  private drawScale(ctx: CanvasRenderingContext2D, box: Box, height: number): void {
    const bar = scaleBar(this.fit.scale, latitudeOf((box.north + box.south) / 2), 90);
    ctx.fillStyle = palette().inkSoft;
    ctx.fillRect(12, height - 12, bar.pixels, 1.5);
    ctx.font = palette().font;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'alphabetic';
    ctx.fillText(bar.metres >= 1_000 ? `${bar.metres / 1_000} km` : `${bar.metres} m`, 12, height - 17);
  }

  private box(): Box | null {
    const box = { west: 2, east: -1, north: 2, south: -1 };
    for (let i = 0; i < this.x.length; i++) {
      const [x, y] = [this.x[i] as number, this.y[i] as number];
      if (Number.isNaN(x)) continue;
      box.west = Math.min(box.west, x);
      box.east = Math.max(box.east, x);
      box.north = Math.min(box.north, y);
      box.south = Math.max(box.south, y);
    }
    return box.east < box.west ? null : box;
  }

  private px(i: number): number {
    return this.fit.left + (this.x[i] as number) * this.fit.scale;
  }

  private py(i: number): number {
    return this.fit.top + (this.y[i] as number) * this.fit.scale;
  }

  private rowAt(time: number): number {
    const times = this.data?.time;
    if (times === undefined || times.length === 0) return -1;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
