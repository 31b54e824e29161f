// Where the values of a field were over time, of all devices together: the darker a cell, the more of them.

import { say } from '../text/charts';
import { formatClock, formatCount, formatValue } from '../view/format';
import { drawAxes, innerArea } from './axes';
import { countCells } from './bins';
import { CanvasPanel, putMessage } from './canvas-panel';
import { extentOf } from './histogram-panel';
import type { Moment } from './loop';
import { palette } from './palette';
import type { Extent } from './range';
import { type ChartTable, MOST_ROWS } from './readings';
import { sourceLines } from './source';
import { timeTick } from './ticks';

const CELL_X = 8;
const CELL_Y = 9;
const COUNTED_EVERY_MS = 200;
/** The faintest cell that is not empty. */
const LEAST_ALPHA = 0.14;

export class HeatmapPanel extends CanvasPanel {
  private counted: { cells: Float64Array; down: number; from: number; to: number; range: Extent } | null = null;

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly field: string,
    private readonly title: string,
    private readonly message: HTMLElement,
  ) {
    super(element, dataset);
    this.followPointer();
  }

  protected override area() {
    return innerArea(this.width, this.height);
  }

  override table(): ChartTable {
    if (this.counted === null) return this.noTable;
    const { cells, down, from, to, range } = this.counted;
    const time = ((to - from) * down) / cells.length;
    const height = (range.high - range.low) / down;
    const rows: string[][] = [];
    for (let i = cells.length - 1; i >= 0 && rows.length < MOST_ROWS; i--) {
      if (cells[i] === 0) continue;
      const low = range.low + (i % down) * height;
      rows.push([
        formatClock(from + Math.floor(i / down) * time, 3),
        formatValue(low),
        formatValue(low + height),
        formatCount(cells[i] as number),
      ]);
    }
    return {
      heads: [say('table.begins'), say('table.from'), say('table.to'), say('table.count')],
      rows,
      numbersFrom: 1,
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
    const area = this.area();
    const across = Math.max(Math.floor(area.width / CELL_X), 4);
    const down = Math.max(Math.floor(area.height / CELL_Y), 4);
    const cells = new Float64Array(across * down);
    for (const line of lines) {
      countCells(cells, across, down, line.rows, line.value, moment.from, moment.to, range);
    }
    this.counted = { cells, down, from: moment.from, to: moment.to, range };
    const seconds = { low: moment.from / 1e6, high: moment.to / 1e6 };
    drawAxes(ctx, area, { extent: seconds, text: timeTick }, { extent: range });
    const most = cells.reduce((a, b) => Math.max(a, b), 1);
    const width = area.width / across;
    const height = area.height / down;
    ctx.fillStyle = palette().series[0] as string;
    for (let x = 0; x < across; x++) {
      for (let y = 0; y < down; y++) {
        const count = cells[x * down + y] as number;
        if (count === 0) continue;
        ctx.globalAlpha = LEAST_ALPHA + (1 - LEAST_ALPHA) * Math.sqrt(count / most);
        ctx.fillRect(area.left + x * width, area.top + area.height - (y + 1) * height, width - 0.5, height - 0.5);
      }
    }
    ctx.globalAlpha = 1;
    this.element.setAttribute('aria-label', say('panel.summaryHeatmap', { title: this.title }));
    this.point(moment);
  }
}
