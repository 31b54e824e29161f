// What a chart shows, as rows of texts: for the table behind each chart.

import { lowerBound } from '../state/ring';
import { say } from '../text/charts';
import { formatClock, formatValue } from '../view/format';
import type { DeviceLine } from './source';

/** A chart in words. Times and what they belong to come first, newest on top. */
export interface ChartTable {
  heads: string[];
  rows: string[][];
  /** Columns from this one on hold numbers. */
  numbersFrom: number;
}

/** More rows than these are not made: nobody reads them, and Explore has all. */
export const MOST_ROWS = 2_000;

interface Cell {
  line: DeviceLine;
  slot: number;
}
export interface TableRow {
  time: number;
  device: string;
  cells: (Cell | null)[];
}

export function textOf({ line, slot }: Cell): string {
  const value = line.value[slot] as number;
  if (!Number.isFinite(value)) return '';
  const text = line.text(value);
  // A number's text is the number: with the page's own digits and separators.
  return text === String(value) ? formatValue(value) : text;
}

/** The newest rows of all devices, newest first; exported for the tests. */
export function newestRows(columns: DeviceLine[][], from: number, to: number, count: number): TableRow[] {
  const devices = new Set(columns.flat().map((line) => line.device));
  const rows: TableRow[] = [];
  for (const device of devices) {
    const lines = columns.map((column) => column.find((line) => line.device === device) ?? null);
    const times = new Set<number>();
    for (const line of lines) {
      if (line === null) continue;
      const begin = lowerBound(line.rows, from);
      const end = lowerBound(line.rows, to + 1);
      for (let i = end - 1; i >= Math.max(begin, end - count); i--) {
        times.add(line.rows.time[(line.rows.start + i) & line.rows.mask] as number);
      }
    }
    for (const time of times) rows.push({ time, device, cells: lines.map((line) => cellAt(line, time)) });
  }
  return rows.sort((a, b) => b.time - a.time).slice(0, count);
}

function cellAt(line: DeviceLine | null, time: number): Cell | null {
  if (line === null) return null;
  const at = lowerBound(line.rows, time);
  const slot = (line.rows.start + at) & line.rows.mask;
  return at < line.rows.size && line.rows.time[slot] === time ? { line, slot } : null;
}

/** The newest readings of the fields, a column each. */
export function readingsTable(
  titles: readonly string[],
  columns: DeviceLine[][],
  from: number,
  to: number,
): ChartTable {
  const rows = newestRows(columns, from, to, MOST_ROWS).map((row) => [
    formatClock(row.time, 3),
    row.device,
    ...row.cells.map((cell) => (cell === null ? '' : textOf(cell))),
  ]);
  return {
    heads: [say('table.time'), say('table.device'), ...titles],
    rows: rows.filter((row) => row.slice(2).some((text) => text !== '')),
    numbersFrom: 2,
  };
}

/** Time of the reading of any line next to `time`, before or after it; null when there is none. */
export function timeBeside(lines: readonly DeviceLine[], time: number, step: 1 | -1): number | null {
  let best: number | null = null;
  for (const { rows, value } of lines) {
    // A microsecond away is the same reading: a place on the screen is not as exact as a time.
    let i = step > 0 ? lowerBound(rows, time + 1.5) : lowerBound(rows, time - 1) - 1;
    while (i >= 0 && i < rows.size && !Number.isFinite(value[(rows.start + i) & rows.mask] as number)) i += step;
    if (i < 0 || i >= rows.size) continue;
    const found = rows.time[(rows.start + i) & rows.mask] as number;
    if (best === null || (found - best) * step < 0) best = found;
  }
  return best;
}
