// Draws lines from column rings onto a canvas. Where rows are denser than pixels, each pixel column gets the first, lowest,
// highest and last value of its rows (M4: Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", 2014),
// which colours the same pixels as drawing every row.

import type { GapRule } from '../state/gaps';
import { isAbsent } from '../state/gaps';
import { lowerBound, type Rows } from '../state/ring';

export type Shape = 'line' | 'area' | 'bar';

export interface Line {
  rows: Rows;
  value: Float64Array;
  /** Lowest and highest of each bucket; null for a line of single values. */
  low: Float64Array | null;
  high: Float64Array | null;
  color: string;
  rule: GapRule;
  /** µs that are added to the line's times: another stretch, laid over the window. Such a line is dashed. */
  shift?: number;
}

/** Maps µs and values to device pixels: x = (t - t0) * kx + x0, y = (v - v0) * ky + y0. */
export interface Transform {
  t0: number;
  kx: number;
  x0: number;
  v0: number;
  ky: number;
  y0: number;
}

/** The part of the canvas 2D context that lines need; a test gives its own. */
export type Pen = Pick<CanvasRenderingContext2D, 'moveTo' | 'lineTo'>;

interface Dot {
  x: number;
  y: number;
}

export interface Traced {
  /** Lone points, which a path would leave invisible. */
  dots: Dot[];
  /** How far the line goes up and down inside pixel columns, device pixels. */
  travel: number;
}

export function traceLine(pen: Pen, line: Line, from: number, to: number, t: Transform): Traced {
  const { rows, value, rule } = line;
  const begin = Math.max(lastBefore(rows, value, from), 0);
  const end = Math.min(lowerBound(rows, to) + 1, rows.size);
  const dots: Dot[] = [];
  let previous = Number.NaN;
  let runLength = 0;
  let travel = 0;
  let column = Number.NaN;
  let first = 0;
  let low = 0;
  let high = 0;
  let last = 0;
  let x = 0;
  let inColumn = 0;

  const flush = () => {
    if (inColumn === 0) return;
    if (runLength === 0) pen.moveTo(x, first);
    else pen.lineTo(x, first);
    if (inColumn > 1) {
      if (low !== first) pen.lineTo(x, low);
      if (high !== low) pen.lineTo(x, high);
      if (last !== high) pen.lineTo(x, last);
    }
    travel += high - low;
    runLength += inColumn;
    inColumn = 0;
  };
  const breakLine = () => {
    flush();
    if (runLength === 1) dots.push({ x, y: last });
    runLength = 0;
    column = Number.NaN;
  };

  for (let i = begin; i < end; i++) {
    const slot = (rows.start + i) & rows.mask;
    const v = value[slot] as number;
    if (!Number.isFinite(v)) {
      if (rule.absentBreaks && isAbsent(v)) breakLine();
      continue;
    }
    const time = rows.time[slot] as number;
    if (time - previous > rule.longest) breakLine();
    previous = time;
    const px = (time - t.t0) * t.kx + t.x0;
    const y = (v - t.v0) * t.ky + t.y0;
    if (Math.floor(px) !== column) {
      flush();
      column = Math.floor(px);
      x = px;
      first = low = high = y;
    } else {
      if (y < low) low = y;
      if (y > high) high = y;
    }
    last = y;
    inColumn += 1;
  }
  breakLine();
  return { dots, travel };
}

/** The row to begin with: the last one with a value before `from`, so that the line enters from the edge. */
function lastBefore(rows: Rows, value: Float64Array, from: number): number {
  const at = lowerBound(rows, from);
  for (let i = at - 1; i >= 0 && i > at - 64; i--) {
    if (Number.isFinite(value[(rows.start + i) & rows.mask] as number)) return i;
  }
  return at;
}

const BAND_ALPHA = 0.28;

/** Fills between `low` and `high` of each unbroken run of buckets. */
function fillBand(ctx: CanvasRenderingContext2D, line: Line, from: number, to: number, t: Transform): void {
  const { rows, low, high, rule } = line;
  if (low === null || high === null) return;
  const begin = Math.max(lowerBound(rows, from) - 1, 0);
  const end = Math.min(lowerBound(rows, to) + 1, rows.size);
  let run: number[] = [];
  const close = () => {
    if (run.length > 1) {
      const at = (slot: number) => ((rows.time[slot] as number) - t.t0) * t.kx + t.x0;
      for (const slot of run) ctx.lineTo(at(slot), ((high[slot] as number) - t.v0) * t.ky + t.y0);
      for (const slot of run.toReversed()) ctx.lineTo(at(slot), ((low[slot] as number) - t.v0) * t.ky + t.y0);
      ctx.fill();
    }
    run = [];
    ctx.beginPath();
  };
  ctx.beginPath();
  let previous = Number.NaN;
  for (let i = begin; i < end; i++) {
    const slot = (rows.start + i) & rows.mask;
    if (!Number.isFinite(low[slot] as number) || !Number.isFinite(high[slot] as number)) continue;
    const time = rows.time[slot] as number;
    if (time - previous > rule.longest) close();
    previous = time;
    run.push(slot);
  }
  close();
}

/**
 * Ups and downs per pixel of width: up to the first a line is a line; at the second its chart is a surface, drawn this much
 * lighter, so that devices show through each other. Between them it changes by degrees, and alike for all lines of a chart.
 */
const LINE_TRAVEL = 6;
const SURFACE_TRAVEL = 18;
const SURFACE_ALPHA = 0.6;

function alphaOf(travel: number): number {
  const part = Math.min(Math.max((travel - LINE_TRAVEL) / (SURFACE_TRAVEL - LINE_TRAVEL), 0), 1);
  return 1 - part * (1 - SURFACE_ALPHA);
}

const AREA_ALPHA = 0.2;
/** A bar of one line is about this wide, CSS pixels. */
const BAR = 7;

/** Height of the ground: of value 0. */
function groundOf(t: Transform): number {
  return (0 - t.v0) * t.ky + t.y0;
}

/** Fills between the line and the ground, one run after the other; per pixel column the value furthest from the ground. */
function fillArea(ctx: CanvasRenderingContext2D, line: Line, from: number, to: number, t: Transform): void {
  const { rows, value, rule } = line;
  const ground = groundOf(t);
  const end = Math.min(lowerBound(rows, to) + 1, rows.size);
  let previous = Number.NaN;
  let column = Number.NaN;
  let x = 0;
  let y = ground;
  let open = false;
  const close = () => {
    if (!open) return;
    ctx.lineTo(x, y);
    ctx.lineTo(x, ground);
    ctx.fill();
    open = false;
    column = Number.NaN;
  };
  for (let i = Math.max(lastBefore(rows, value, from), 0); i < end; i++) {
    const slot = (rows.start + i) & rows.mask;
    const v = value[slot] as number;
    if (!Number.isFinite(v)) {
      if (rule.absentBreaks && isAbsent(v)) close();
      continue;
    }
    const time = rows.time[slot] as number;
    if (time - previous > rule.longest) close();
    previous = time;
    const px = (time - t.t0) * t.kx + t.x0;
    const py = (v - t.v0) * t.ky + t.y0;
    if (!open) {
      ctx.beginPath();
      ctx.moveTo(px, ground);
      open = true;
    } else if (Math.floor(px) !== column) {
      ctx.lineTo(x, y);
    } else if (Math.abs(py - ground) < Math.abs(y - ground)) {
      continue;
    }
    column = Math.floor(px);
    x = px;
    y = py;
  }
  close();
}

/** Means of equal parts of the window, as bars on the ground; lines beside each other in each part. */
function drawBars(
  ctx: CanvasRenderingContext2D,
  lines: Line[],
  from: number,
  to: number,
  t: Transform,
  ratio: number,
): void {
  const ground = groundOf(t);
  const span = (to - from) * t.kx;
  const parts = Math.max(Math.floor(span / (BAR * ratio * Math.max(lines.length, 1) + 2 * ratio)), 1);
  // Parts begin at multiples of their length: bars of a window that slides keep what they hold.
  const length = (to - from) / parts;
  const first = Math.floor(from / length) * length;
  const width = (length * t.kx - 2 * ratio) / Math.max(lines.length, 1);
  for (const [n, line] of lines.entries()) {
    const { rows, value, shift = 0 } = line;
    const sums = new Float64Array(parts + 1);
    const counts = new Float64Array(parts + 1);
    const end = lowerBound(rows, to - shift + 1);
    for (let i = lowerBound(rows, from - shift); i < end; i++) {
      const slot = (rows.start + i) & rows.mask;
      const v = value[slot] as number;
      if (!Number.isFinite(v)) continue;
      const part = Math.min(Math.floor(((rows.time[slot] as number) + shift - first) / length), parts);
      sums[part] = (sums[part] as number) + v;
      counts[part] = (counts[part] as number) + 1;
    }
    ctx.fillStyle = line.color;
    ctx.globalAlpha = line.shift === undefined ? 1 : 0.45;
    for (let part = 0; part <= parts; part++) {
      if (counts[part] === 0) continue;
      const y = ((sums[part] as number) / (counts[part] as number) - t.v0) * t.ky + t.y0;
      const x = (first + part * length - t.t0) * t.kx + t.x0 + ratio + n * width;
      ctx.fillRect(x, Math.min(y, ground), Math.max(width - 0.5 * ratio, 1), Math.max(Math.abs(y - ground), ratio));
    }
  }
  ctx.globalAlpha = 1;
}

export function drawLines(
  ctx: CanvasRenderingContext2D,
  lines: Line[],
  from: number,
  to: number,
  t: Transform,
  ratio: number,
  shape: Shape = 'line',
): void {
  if (shape === 'bar') {
    drawBars(ctx, lines, from, to, t, ratio);
    return;
  }
  const traced = lines.map((line) => {
    const path = new Path2D();
    const shift = line.shift ?? 0;
    const moved = { ...t, t0: t.t0 - shift };
    return { line, path, moved, shift, ...traceLine(path, line, from - shift, to - shift, moved) };
  });
  const alpha = alphaOf(Math.max(0, ...traced.map(({ travel }) => travel)) / ((to - from) * t.kx));
  const size = 2.5 * ratio;
  ctx.lineJoin = 'round';
  ctx.lineWidth = 1.4 * ratio;
  for (const { line, path, dots, moved, shift } of traced) {
    ctx.strokeStyle = line.color;
    ctx.fillStyle = line.color;
    ctx.globalAlpha = BAND_ALPHA;
    fillBand(ctx, line, from - shift, to - shift, moved);
    if (shape === 'area' && line.shift === undefined) {
      ctx.globalAlpha = AREA_ALPHA;
      fillArea(ctx, line, from - shift, to - shift, moved);
    }
    ctx.globalAlpha = alpha;
    ctx.setLineDash(line.shift === undefined ? [] : [5 * ratio, 3 * ratio]);
    ctx.stroke(path);
    ctx.globalAlpha = 1;
    for (const dot of dots) ctx.fillRect(dot.x - size / 2, dot.y - size / 2, size, size);
  }
  ctx.setLineDash([]);
}
