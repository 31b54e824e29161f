// A stat tile: the newest value of a field and a small line of the window.

import { valueAtOrBefore } from '../state/ring';
import { formatValue } from '../view/format';
import { Surface } from './canvas';
import { drawLines } from './lines';
import type { Moment } from './loop';
import { Panel } from './panel';
import type { Area } from './plot';
import { widen } from './range';
import { type DeviceLine, sourceLines } from './source';
import { severityOf, type Threshold } from './thresholds';

export class Tile extends Panel {
  private surface: Surface | null = null;

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly field: string,
    private readonly value: HTMLElement,
    private readonly thresholds: readonly Threshold[] = [],
  ) {
    super(element, dataset);
  }

  protected area(): Area {
    return { left: 0, top: 2, width: this.width, height: this.height - 4 };
  }

  protected create(): void {
    this.surface ??= new Surface(this.element, 'spark');
  }

  protected discard(): void {
    this.surface?.remove();
    this.surface = null;
  }

  protected sizeChanged(): void {
    // The surface takes the size at the next drawing.
  }

  override point(): void {
    // A tile shows the newest value, wherever the crosshair is.
  }

  protected draw(moment: Moment): void {
    this.create();
    const [line] = sourceLines(this.dataset, this.field, 'number', moment, 240).lines;
    const ctx = (this.surface as Surface).begin(this.width, this.height);
    this.showNewest(line, moment.to);
    if (line === undefined) return;
    const extent = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
    if (widen(extent, line.rows, line.value, moment.from, moment.to) === 0) return;
    const { top, width, height } = this.area();
    const span = extent.high - extent.low;
    const transform = {
      t0: moment.from,
      kx: width / (moment.to - moment.from),
      x0: 0,
      v0: span === 0 ? extent.low - 1 : extent.low,
      ky: span === 0 ? -height / 2 : -height / span,
      y0: top + height,
    };
    drawLines(ctx, [{ ...line, low: null, high: null }], moment.from, moment.to, transform, 1);
  }

  protected showValues(): void {
    // Written by `draw`, with the line.
  }

  private showNewest(line: DeviceLine | undefined, until: number): void {
    const at = line === undefined ? -1 : valueAtOrBefore(line.rows, line.last, until);
    const number =
      line === undefined || at < 0 ? Number.NaN : (line.last[(line.rows.start + at) & line.rows.mask] as number);
    const text = formatValue(number);
    const severity = severityOf(number, this.thresholds) ?? '';
    if ((this.value.dataset.severity ?? '') !== severity) this.value.dataset.severity = severity;
    if (this.value.textContent !== text) this.value.textContent = text;
  }
}
