// The newest value on a scale from the lowest to the highest of the window, or the ends that were chosen.

import { valueAtOrBefore } from '../state/ring';
import { say } from '../text/charts';
import { formatValue } from '../view/format';
import { CanvasPanel } from './canvas-panel';
import { extentOf } from './histogram-panel';
import type { Moment } from './loop';
import { palette } from './palette';
import type { ChartTable } from './readings';
import { type DeviceLine, sourceLines } from './source';
import { severityColor, severityOf, type Threshold } from './thresholds';
import { valueTick } from './ticks';

const BEGIN = Math.PI * 0.8;
const SWEEP = Math.PI * 1.4;
const THICKNESS = 12;

export function newestOf(line: DeviceLine | undefined, until: number): number {
  if (line === undefined) return Number.NaN;
  const at = valueAtOrBefore(line.rows, line.last, until);
  return at < 0 ? Number.NaN : (line.last[(line.rows.start + at) & line.rows.mask] as number);
}

export class GaugePanel extends CanvasPanel {
  private shown = { low: 0, value: Number.NaN, high: 1 };

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly field: string,
    private readonly title: string,
    private readonly unit: string,
    private readonly ends: { low: number; high: number } | null,
    private readonly thresholds: readonly Threshold[],
  ) {
    super(element, dataset);
  }

  override table(): ChartTable {
    const { low, value, high } = this.shown;
    const title = `${this.title} ${this.unit}`.trim();
    return {
      heads: [title, say('table.lowest'), say('table.highest')],
      rows: [[value, low, high].map(formatValue)],
      numbersFrom: 0,
    };
  }

  protected draw(moment: Moment): void {
    const ctx = this.begin();
    const { lines } = sourceLines(this.dataset, this.field, 'number', moment, 240);
    const value = newestOf(lines[0], moment.to);
    const range = this.ends ?? extentOf(lines.slice(0, 1), moment.from, moment.to) ?? { low: 0, high: 1 };
    this.shown = { ...range, value };
    // Above: the marks of thresholds; below: the labels of both ends.
    const radius = Math.max(Math.min(this.width / 2 - 14, (this.height - 37) / 1.59), 20);
    const x = this.width / 2;
    const y = radius + 13;
    const colors = palette();
    const part = (v: number) => Math.min(Math.max((v - range.low) / (range.high - range.low || 1), 0), 1);
    const arc = (from: number, to: number, color: string, thickness: number, r = radius) => {
      ctx.beginPath();
      ctx.strokeStyle = color;
      ctx.lineWidth = thickness;
      ctx.arc(x, y, r, BEGIN + SWEEP * from, BEGIN + SWEEP * to);
      ctx.stroke();
    };
    ctx.lineCap = 'round';
    arc(0, 1, colors.grid, THICKNESS);
    const severity = severityOf(value, this.thresholds);
    const color = severity === null ? (colors.series[0] as string) : severityColor(severity);
    if (Number.isFinite(value) && part(value) > 0) arc(0, part(value), color, THICKNESS);
    ctx.lineCap = 'butt';
    for (const threshold of this.thresholds) {
      const at = part(threshold.value);
      if (at > 0 && at < 1)
        arc(at - 0.006, at + 0.006, severityColor(threshold.severity), 5, radius + THICKNESS / 2 + 4);
    }
    this.write(ctx, x, y, radius, value, range);
  }

  private write(
    ctx: CanvasRenderingContext2D,
    x: number,
    y: number,
    radius: number,
    value: number,
    range: { low: number; high: number },
  ): void {
    const colors = palette();
    const family = colors.font.slice(colors.font.indexOf('px ') + 3);
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillStyle = colors.ink;
    ctx.font = `600 ${Math.max(Math.min(radius * 0.44, 44), 15)}px ${family}`;
    ctx.fillText(formatValue(value), x, y - 2);
    ctx.font = colors.font;
    ctx.fillStyle = colors.inkSoft;
    ctx.fillText(this.unit, x, y + radius * 0.34);
    const step = (range.high - range.low) / 4 || 1;
    const low = { x: x + Math.cos(BEGIN) * radius, y: y + Math.sin(BEGIN) * radius + 17 };
    ctx.fillText(valueTick(range.low, step), low.x, low.y);
    ctx.fillText(valueTick(range.high, step), 2 * x - low.x, low.y);
    ctx.textAlign = 'left';
    this.element.setAttribute(
      'aria-label',
      say('panel.summaryGauge', { title: this.title, value: formatValue(value) }),
    );
  }
}
