// Axes of the pictures that uPlot does not draw: histogram, heatmap, scatter.

import { palette } from './palette';
import type { Area } from './plot';
import type { Extent } from './range';
import { valueTick } from './ticks';

export const AXIS_LEFT = 46;
export const AXIS_BOTTOM = 20;
const TOP = 8;
const RIGHT = 10;

/** The room between the axes. */
export function innerArea(width: number, height: number): Area {
  return {
    left: AXIS_LEFT,
    top: TOP,
    width: Math.max(width - AXIS_LEFT - RIGHT, 1),
    height: Math.max(height - TOP - AXIS_BOTTOM, 1),
  };
}

/** A round step (1, 2 or 5 times a power of ten) that gives at most `most` ticks. */
export function tickStep(extent: Extent, most: number): number {
  const least = (extent.high - extent.low) / Math.max(most, 1);
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10) * power;
}

/** Multiples of `step` inside the extent. */
export function ticksOf(extent: Extent, step: number): number[] {
  const first = Math.ceil(extent.low / step - 1e-9);
  const last = Math.floor(extent.high / step + 1e-9);
  // Beyond a few dozen something is wrong with the extent; nobody could read them.
  return Array.from({ length: Math.min(Math.max(last - first + 1, 0), 64) }, (_, i) => (first + i) * step);
}

export interface Axis {
  extent: Extent;
  /** The text of a tick; of a value by default. */
  text?: (value: number, step: number) => string;
}

const SPACE_X = 74;
const SPACE_Y = 28;

/** Grid, ticks and their texts; returns the places of values, CSS pixels. */
export function drawAxes(
  ctx: CanvasRenderingContext2D,
  area: Area,
  x: Axis,
  y: Axis,
): { xOf: (value: number) => number; yOf: (value: number) => number } {
  const colors = palette();
  const xOf = (v: number) => area.left + ((v - x.extent.low) / (x.extent.high - x.extent.low || 1)) * area.width;
  const yOf = (v: number) =>
    area.top + area.height - ((v - y.extent.low) / (y.extent.high - y.extent.low || 1)) * area.height;
  ctx.font = colors.font;
  ctx.strokeStyle = colors.grid;
  ctx.fillStyle = colors.inkSoft;
  ctx.lineWidth = 1;
  ctx.beginPath();
  const stepX = tickStep(x.extent, area.width / SPACE_X);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'alphabetic';
  for (const value of ticksOf(x.extent, stepX)) {
    const at = Math.round(xOf(value)) + 0.5;
    ctx.moveTo(at, area.top);
    ctx.lineTo(at, area.top + area.height);
    ctx.fillText((x.text ?? valueTick)(value, stepX), at, area.top + area.height + 14);
  }
  const stepY = tickStep(y.extent, area.height / SPACE_Y);
  ctx.textAlign = 'right';
  ctx.textBaseline = 'middle';
  for (const value of ticksOf(y.extent, stepY)) {
    const at = Math.round(yOf(value)) + 0.5;
    ctx.moveTo(area.left, at);
    ctx.lineTo(area.left + area.width, at);
    ctx.fillText((y.text ?? valueTick)(value, stepY), area.left - 6, at);
  }
  ctx.stroke();
  ctx.textAlign = 'left';
  return { xOf, yOf };
}
