// What a chart with axes must be able to do. The panels know only this; uPlot is behind it (uplot-plot.ts).

import type { Line, Shape } from './lines';
import type { Threshold } from './thresholds';

/** The plotting area inside the plot's element, CSS pixels. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** How lines are drawn, and the values that are marked. */
export interface Look {
  shape: Shape;
  thresholds: readonly Threshold[];
}

export const PLAIN: Look = { shape: 'line', thresholds: [] };

export interface Plot {
  readonly area: Area;
  /** Draws axes and lines of the window at once; the value range follows the lines. Returns the range, null without values. */
  draw(lines: Line[], from: number, to: number, look?: Look): { low: number; high: number } | null;
  resize(width: number, height: number): void;
  /** Height of a value inside the plotting area, CSS pixels from its top. */
  yOf(value: number): number;
  destroy(): void;
}
