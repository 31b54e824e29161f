// How often which values were there: the arithmetic of histogram and heatmap, from rows in place.

import { lowerBound, type Rows } from '../state/ring';
import type { Extent } from './range';

/** Adds to `bins` how many values of `column` between `from` and `to` lie in each of its equal parts of the extent. */
export function countInto(
  bins: Float64Array,
  rows: Rows,
  column: Float64Array,
  from: number,
  to: number,
  extent: Extent,
): void {
  const scale = bins.length / (extent.high - extent.low || 1);
  const end = lowerBound(rows, to + 1);
  for (let i = lowerBound(rows, from); i < end; i++) {
    const value = column[(rows.start + i) & rows.mask] as number;
    if (!Number.isFinite(value) || value < extent.low || value > extent.high) continue;
    const bin = Math.min(Math.floor((value - extent.low) * scale), bins.length - 1);
    bins[bin] = (bins[bin] as number) + 1;
  }
}

/** The same by time as well: `cells[x * down + y]`, x over the window, y over the extent. */
export function countCells(
  cells: Float64Array,
  across: number,
  down: number,
  rows: Rows,
  column: Float64Array,
  from: number,
  to: number,
  extent: Extent,
): void {
  const scaleX = across / (to - from);
  const scaleY = down / (extent.high - extent.low || 1);
  const end = lowerBound(rows, to + 1);
  for (let i = lowerBound(rows, from); i < end; i++) {
    const slot = (rows.start + i) & rows.mask;
    const value = column[slot] as number;
    if (!Number.isFinite(value) || value < extent.low || value > extent.high) continue;
    const x = Math.min(Math.floor(((rows.time[slot] as number) - from) * scaleX), across - 1);
    const y = Math.min(Math.floor((value - extent.low) * scaleY), down - 1);
    cells[x * down + y] = (cells[x * down + y] as number) + 1;
  }
}

/** Pearson's correlation of pairs; NaN with fewer than three, or when one stands still. */
export function correlation(x: number[], y: number[]): number {
  const n = x.length;
  if (n < 3) return Number.NaN;
  // Welford's way: sums of squares of large numbers would cancel.
  let meanX = 0;
  let meanY = 0;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < n; i++) {
    const dx = (x[i] as number) - meanX;
    const dy = (y[i] as number) - meanY;
    meanX += dx / (i + 1);
    meanY += dy / (i + 1);
    xx += dx * ((x[i] as number) - meanX);
    yy += dy * ((y[i] as number) - meanY);
    xy += dx * ((y[i] as number) - meanY);
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}
