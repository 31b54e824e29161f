// Draws lines from column rings onto a canvas. Where rows are denser than pixels, each pixel column gets the first, lowest,
// highest and last value of its rows (M4: Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", 2014),
// which colours the same pixels as drawing every row.

import type { GapRule } from '../state/gaps';
import { isAbsent } from '../state/gaps';
import { lowerBound, type Rows } from '../state/ring';

export interface Line {
  rows: Rows;
  value: Float64Array;
  /** Lowest and highest of each bucket; null for a line of single values. */
  low: Float64Array | null;
  high: Float64Array | null;
  color: string;
  rule: GapRule;
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

/** Traces a line; returns its lone points, which a path would leave invisible. */
export function traceLine(pen: Pen, line: Line, from: number, to: number, t: Transform): Dot[] {
  const { rows, value, rule } = line;
  const begin = Math.max(lastBefore(rows, value, from), 0);
  const end = Math.min(lowerBound(rows, to) + 1, rows.size);
  const dots: Dot[] = [];
  let previous = Number.NaN;
  let runLength = 0;
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
  return dots;
}

/** The row to begin with: the last one with a value before `from`, so that the line enters from the edge. */
function lastBefore(rows: Rows, value: Float64Array, from: number): number {
  const at = lowerBound(rows, from);
  for (let i = at - 1; i >= 0 && i > at - 64; i--) {
    if (Number.isFinite(value[(rows.start + i) & rows.mask] as number)) return i;
  }
  return at;
}

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

/** Rows per CSS pixel from which a line is a surface: drawn lighter, so that those of other devices show through it. */
const DENSE_ROWS = 2.5;
const DENSE_ALPHA = 0.62;

function isDense(rows: Rows, from: number, to: number, t: Transform, ratio: number): boolean {
  const count = lowerBound(rows, to) - lowerBound(rows, from);
  if (count < 2) return false;
  const begin = Math.max(from, rows.time[(rows.start + lowerBound(rows, from)) & rows.mask] as number);
  return count > (DENSE_ROWS * (to - begin) * t.kx) / ratio;
}

export function drawLines(
  ctx: CanvasRenderingContext2D,
  lines: Line[],
  from: number,
  to: number,
  t: Transform,
  ratio: number,
): void {
  ctx.lineJoin = 'round';
  ctx.lineWidth = 1.4 * ratio;
  for (const line of lines) {
    ctx.strokeStyle = line.color;
    ctx.fillStyle = line.color;
    if (line.low !== null) {
      ctx.globalAlpha = 0.28;
      fillBand(ctx, line, from, to, t);
      ctx.globalAlpha = 1;
    }
    ctx.beginPath();
    const dots = traceLine(ctx, line, from, to, t);
    if (isDense(line.rows, from, to, t, ratio)) ctx.globalAlpha = DENSE_ALPHA;
    ctx.stroke();
    ctx.globalAlpha = 1;
    const size = 2.5 * ratio;
    for (const dot of dots) ctx.fillRect(dot.x - size / 2, dot.y - size / 2, size, size);
  }
}
