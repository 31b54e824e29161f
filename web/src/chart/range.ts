// The value range of a chart: what the lines hold inside the window, one neighbour beyond either edge included.

import { lowerBound, type Rows } from '../state/ring';

export interface Extent {
  low: number;
  high: number;
}

/** Widens `extent` by the finite values of `column` between `from` and `to`; returns how many there were. */
export function widen(extent: Extent, rows: Rows, column: Float64Array, from: number, to: number): number {
  const begin = Math.max(lowerBound(rows, from) - 1, 0);
  const end = Math.min(lowerBound(rows, to) + 1, rows.size);
  let count = 0;
  for (let i = begin; i < end; i++) {
    const value = column[(rows.start + i) & rows.mask] as number;
    if (!Number.isFinite(value)) continue;
    if (value < extent.low) extent.low = value;
    if (value > extent.high) extent.high = value;
    count += 1;
  }
  return count;
}

const NICE = [1, 2, 2.5, 5, 10];

/** A round number at or above `value`. */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (NICE.find((n) => n * power >= value * 0.999) ?? 10) * power;
}

/** The axis for an extent: a little air, round ends (so that it does not tremble with every row), no needless negatives. */
export function niceRange({ low, high }: Extent): Extent {
  if (!(low <= high)) return { low: 0, high: 1 };
  if (low === high) {
    const half = low === 0 ? 1 : Math.abs(low) * 0.1;
    return { low: low - half, high: high + half };
  }
  const span = high - low;
  const step = niceStep(span / 8);
  const floor = Math.floor((low - span * 0.04) / step) * step;
  const ceiling = Math.ceil((high + span * 0.04) / step) * step;
  return { low: low >= 0 && floor < 0 ? 0 : floor, high: high <= 0 && ceiling > 0 ? 0 : ceiling };
}
