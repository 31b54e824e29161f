// When is a line broken? Where the device was silent for more than GAP_PERIODS of its usual period, or where a field that
// comes with every row was left out of one. A field that comes with every fifth row is not full of holes.

import { ABSENT, type Rows } from './ring';

export const GAP_PERIODS = 5;
/** The newest intervals that the usual period is taken from. */
const INTERVALS = 65;

/** Median distance in µs between the newest values of `column` (of all rows without one); NaN with fewer than three. */
export function typicalPeriod(rows: Rows, column?: Float64Array): number {
  const distances: number[] = [];
  let later = Number.NaN;
  for (let i = rows.size - 1; i >= 0 && distances.length < INTERVALS; i--) {
    const slot = (rows.start + i) & rows.mask;
    if (column !== undefined && !Number.isFinite(column[slot] as number)) continue;
    const time = rows.time[slot] as number;
    if (time !== later && !Number.isNaN(later)) distances.push(later - time);
    later = time;
  }
  if (distances.length < 2) return Number.NaN;
  distances.sort((a, b) => a - b);
  return distances[distances.length >> 1] as number;
}

export interface GapRule {
  /** Neighbours further apart than this are not joined. µs. */
  longest: number;
  /** A row without a value breaks the line, because the field comes with every row. */
  absentBreaks: boolean;
}

/**
 * `resolution`: µs between rows that merging or bucketing leaves; neighbours two of them apart may have been one apart.
 */
export function gapRule(rows: Rows, column: Float64Array, resolution: number): GapRule {
  const period = typicalPeriod(rows, column);
  const rowPeriod = typicalPeriod(rows);
  const known = Number.isFinite(period);
  return {
    longest: known ? Math.max(GAP_PERIODS * period, 2.5 * resolution) : Number.POSITIVE_INFINITY,
    absentBreaks: known && Number.isFinite(rowPeriod) && period < 1.5 * rowPeriod,
  };
}

export function isAbsent(value: number): boolean {
  return value === ABSENT;
}
