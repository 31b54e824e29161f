// Values that a person wants to see crossed, with what it means.

import { palette } from './palette';

export type Severity = 'good' | 'warn' | 'bad';

export interface Threshold {
  value: number;
  severity: Severity;
}

/** Of the highest threshold at or below `value`; null below all of them. */
export function severityOf(value: number, thresholds: readonly Threshold[]): Severity | null {
  let reached: Threshold | null = null;
  for (const threshold of thresholds) {
    if (value >= threshold.value && (reached === null || threshold.value >= reached.value)) reached = threshold;
  }
  return reached?.severity ?? null;
}

export function severityColor(severity: Severity): string {
  return palette()[severity];
}

/** Dashed lines across the area at each threshold's height. `yOf` in the context's pixels, `ratio` of them a CSS pixel. */
export function drawThresholds(
  ctx: CanvasRenderingContext2D,
  thresholds: readonly Threshold[],
  area: { left: number; width: number; top: number; height: number },
  yOf: (value: number) => number,
  ratio: number,
): void {
  ctx.save();
  ctx.lineWidth = 1.25 * ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  for (const { value, severity } of thresholds) {
    const y = yOf(value);
    if (y < area.top - ratio || y > area.top + area.height + ratio) continue;
    ctx.strokeStyle = severityColor(severity);
    ctx.beginPath();
    ctx.moveTo(area.left, y);
    ctx.lineTo(area.left + area.width, y);
    ctx.stroke();
  }
  ctx.restore();
}
