// One field against another: a point for every row in the window that has both, the newest ones strongest.

import { lowerBound } from '../state/ring';
import { say } from '../text/charts';
import { formatCount, formatValue } from '../view/format';
import { drawAxes, innerArea } from './axes';
import { correlation } from './bins';
import { CanvasPanel, putMessage } from './canvas-panel';
import type { Moment } from './loop';
import { niceRange } from './range';
import { type ChartTable, MOST_ROWS } from './readings';
import { type DeviceLine, sourceLines } from './source';

const DRAWN_EVERY_MS = 200;
const SIZE = 3;
/** More are thinned evenly: points beyond these only cover each other. */
const MOST_POINTS = 20_000;

interface Pairs {
  device: string;
  color: string;
  x: number[];
  y: number[];
}

/** Values of both fields that came in the same row; exported for the tests. */
export function pairsOf(across: DeviceLine, up: DeviceLine, from: number, to: number): Pairs {
  const { rows } = across;
  const pairs: Pairs = { device: across.device, color: across.color, x: [], y: [] };
  const begin = lowerBound(rows, from);
  const end = lowerBound(rows, to + 1);
  const stride = Math.max(Math.ceil((end - begin) / MOST_POINTS), 1);
  for (let i = begin; i < end; i += stride) {
    const slot = (rows.start + i) & rows.mask;
    const x = across.value[slot] as number;
    const y = up.value[slot] as number;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    pairs.x.push(x);
    pairs.y.push(y);
  }
  return pairs;
}

function rangeOf(values: number[][]): { low: number; high: number } {
  const extent = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  for (const list of values) {
    for (const value of list) {
      if (value < extent.low) extent.low = value;
      if (value > extent.high) extent.high = value;
    }
  }
  return niceRange(extent);
}

export class ScatterPanel extends CanvasPanel {
  private all: Pairs[] = [];

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly fields: readonly [string, string],
    private readonly title: string,
    private readonly readout: HTMLElement,
    private readonly message: HTMLElement,
  ) {
    super(element, dataset);
  }

  override table(): ChartTable {
    const each = Math.ceil(MOST_ROWS / Math.max(this.all.length, 1));
    const rows = this.all.flatMap(({ device, x, y }) => {
      const newest = x.slice(-each).map((value, i, some) => [device, value, y[y.length - some.length + i]] as const);
      return newest.toReversed().map(([name, a, b]) => [name, formatValue(a), formatValue(b as number)]);
    });
    return { heads: [say('table.device'), ...this.fields], rows, numbersFrom: 1 };
  }

  protected override interval(moment: Moment): number {
    return Math.max(super.interval(moment), DRAWN_EVERY_MS);
  }

  protected draw(moment: Moment): void {
    const ctx = this.begin();
    const [across, up] = this.fields.map((field) => sourceLines(this.dataset, field, 'number', moment, this.width)) as [
      ReturnType<typeof sourceLines>,
      ReturnType<typeof sourceLines>,
    ];
    const all = across.lines.flatMap((line) => {
      const other = up.lines.find((l) => l.device === line.device);
      // Rows of the past come in answers of their own: only the same rows can be paired by their number.
      return other === undefined || other.rows.size !== line.rows.size
        ? []
        : [pairsOf(line, other, moment.from, moment.to)];
    });
    this.all = all;
    const count = all.reduce((sum, { x }) => sum + x.length, 0);
    const words = across.waiting || up.waiting ? say('panel.waiting') : (across.refusal ?? say('panel.empty'));
    putMessage(this.message, count > 0 ? '' : words);
    if (count === 0) {
      this.readout.textContent = '';
      return;
    }
    const area = innerArea(this.width, this.height);
    const x = { extent: rangeOf(all.map((p) => p.x)) };
    const y = { extent: rangeOf(all.map((p) => p.y)) };
    const { xOf, yOf } = drawAxes(ctx, area, x, y);
    for (const pairs of all) {
      ctx.fillStyle = pairs.color;
      const { length } = pairs.x;
      for (let i = 0; i < length; i++) {
        ctx.globalAlpha = 0.25 + 0.65 * (i / length);
        ctx.fillRect(xOf(pairs.x[i] as number) - SIZE / 2, yOf(pairs.y[i] as number) - SIZE / 2, SIZE, SIZE);
      }
    }
    ctx.globalAlpha = 1;
    this.tell(all, count);
  }

  private tell(all: Pairs[], count: number): void {
    const r = correlation(
      all.flatMap((p) => p.x),
      all.flatMap((p) => p.y),
    );
    const text = say('panel.correlation', { r: formatValue(r), count: formatCount(count) });
    if (this.readout.textContent !== text) this.readout.textContent = text;
    this.element.setAttribute('aria-label', `${this.title}: ${text}`);
  }
}
