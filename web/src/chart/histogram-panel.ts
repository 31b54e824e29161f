// How the values of a field are distributed in the window: counts of equal parts, devices on top of each other.

import { say } from '../text/charts';
import { formatCount, formatValue } from '../view/format';
import { drawAxes, innerArea } from './axes';
import { countInto } from './bins';
import { CanvasPanel, putMessage } from './canvas-panel';
import type { Moment } from './loop';
import { type Extent, niceRange, widen } from './range';
import type { ChartTable } from './readings';
import { type DeviceLine, sourceLines } from './source';
import { drawThresholds, type Threshold } from './thresholds';

/** A bar is about this wide, CSS pixels. */
const BAR = 11;
const COUNTED_EVERY_MS = 200;

export function extentOf(lines: DeviceLine[], from: number, to: number): Extent | null {
  const extent = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  let count = 0;
  for (const line of lines) count += widen(extent, line.rows, line.value, from, to);
  return count === 0 ? null : niceRange(extent);
}

export class HistogramPanel extends CanvasPanel {
  private counted: { range: Extent; devices: string[]; counts: Float64Array[] } | null = null;

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly field: string,
    private readonly title: string,
    private readonly thresholds: readonly Threshold[],
    private readonly message: HTMLElement,
  ) {
    super(element, dataset);
  }

  override table(): ChartTable {
    if (this.counted === null) return this.noTable;
    const { range, devices, counts } = this.counted;
    const bars = counts[0]?.length ?? 0;
    const edge = (bar: number) => formatValue(range.low + ((range.high - range.low) * bar) / bars);
    return {
      heads: [say('table.from'), say('table.to'), ...devices],
      rows: Array.from({ length: bars }, (_, bar) => [
        edge(bar),
        edge(bar + 1),
        ...counts.map((bins) => formatCount(bins[bar] as number)),
      ]),
      numbersFrom: 0,
    };
  }

  protected override interval(moment: Moment): number {
    return Math.max(super.interval(moment), COUNTED_EVERY_MS);
  }

  protected draw(moment: Moment): void {
    const ctx = this.begin();
    const { lines, waiting, refusal } = sourceLines(this.dataset, this.field, 'number', moment, this.width);
    const range = extentOf(lines, moment.from, moment.to);
    putMessage(this.message, range !== null ? '' : waiting ? say('panel.waiting') : (refusal ?? say('panel.empty')));
    if (range === null) return;
    const area = innerArea(this.width, this.height);
    const bars = Math.max(Math.floor(area.width / BAR), 4);
    const counts = lines.map((line) => {
      const bins = new Float64Array(bars);
      countInto(bins, line.rows, line.value, moment.from, moment.to, range);
      return bins;
    });
    this.counted = { range, devices: lines.map((line) => line.device), counts };
    const sums = Array.from({ length: bars }, (_, bar) => counts.reduce((sum, bins) => sum + (bins[bar] as number), 0));
    const most = Math.max(...sums, 1);
    const { xOf, yOf } = drawAxes(
      ctx,
      area,
      { extent: range },
      { extent: { low: 0, high: most * 1.05 }, text: (value) => (Number.isInteger(value) ? formatCount(value) : '') },
    );
    const across = area.width / bars;
    for (let bar = 0; bar < bars; bar++) {
      let below = 0;
      for (const [i, bins] of counts.entries()) {
        const count = bins[bar] as number;
        if (count === 0) continue;
        ctx.fillStyle = (lines[i] as DeviceLine).color;
        const top = yOf(below + count);
        ctx.fillRect(area.left + bar * across + 0.75, top, across - 1.5, yOf(below) - top);
        below += count;
      }
    }
    // Here a value is a place across, not a height.
    ctx.save();
    ctx.transform(0, 1, 1, 0, 0, 0);
    const turned = { left: area.top, width: area.height, top: area.left, height: area.width };
    drawThresholds(ctx, this.thresholds, turned, xOf, 1);
    ctx.restore();
    const total = sums.reduce((sum, count) => sum + count, 0);
    this.element.setAttribute(
      'aria-label',
      say('panel.summaryHistogram', { title: this.title, count: formatCount(total) }),
    );
  }
}
