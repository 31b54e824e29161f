// The chart of one numeric field: one line per device.

import { nearestValue } from '../state/ring';
import { say } from '../text/charts';
import { formatValue } from '../view/format';
import type { Moment } from './loop';
import { Panel } from './panel';
import type { Area, Plot } from './plot';
import { type DeviceLine, sourceLines } from './source';
import { UPlotPlot } from './uplot-plot';
import type { ValueList } from './values';

const SUMMARY_EVERY_MS = 4_000;

export class LinePanel extends Panel {
  private plot: Plot | null = null;
  private lines: DeviceLine[] = [];
  private summarisedAt = Number.NEGATIVE_INFINITY;

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly field: string,
    private readonly title: string,
    private readonly values: ValueList,
    private readonly message: HTMLElement,
  ) {
    super(element, dataset);
    this.followPointer();
  }

  protected area(): Area {
    return this.plot?.area ?? { left: 0, top: 0, width: this.width, height: this.height };
  }

  protected create(): void {
    if (this.plot === null && this.width > 0 && this.height > 0)
      this.plot = new UPlotPlot(this.element, this.width, this.height);
  }

  protected discard(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  protected sizeChanged(): void {
    this.plot?.resize(this.width, this.height);
  }

  protected draw(moment: Moment): void {
    this.create();
    const sourced = sourceLines(this.dataset, this.field, 'number', moment, this.area().width);
    this.lines = sourced.lines;
    const extent = this.plot?.draw(this.lines, moment.from, moment.to) ?? null;
    const words =
      extent !== null ? '' : sourced.waiting ? say('panel.waiting') : (sourced.refusal ?? say('panel.empty'));
    if (this.message.textContent !== words) this.message.textContent = words;
    this.message.hidden = extent !== null;
    this.point(moment);
    if (moment.at - this.summarisedAt < SUMMARY_EVERY_MS) return;
    this.summarisedAt = moment.at;
    this.element.setAttribute('aria-label', this.summary(extent));
  }

  protected showValues(moment: Moment, time: number | null): void {
    const reach = (moment.to - moment.from) / 20;
    for (const [i, line] of this.lines.entries()) {
      const { rows, value, rule } = line;
      const at = nearestValue(
        rows,
        value,
        time ?? moment.to,
        time === null ? Number.POSITIVE_INFINITY : Math.min(Math.max(rule.longest, reach / 4), reach),
      );
      const number = at < 0 ? Number.NaN : (value[(rows.start + at) & rows.mask] as number);
      this.values.set(i, line.device, line.color, formatValue(number));
    }
    this.values.end(this.lines.length);
  }

  private summary(extent: { low: number; high: number } | null): string {
    if (extent === null) return say('panel.summaryEmpty', { title: this.title });
    return say('panel.summary', {
      title: this.title,
      last: this.values.text(),
      low: formatValue(extent.low),
      high: formatValue(extent.high),
    });
  }
}
