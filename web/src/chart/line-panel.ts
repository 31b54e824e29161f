// The chart of numeric fields over time: one line per field and device.

import { nearestValue, valueAtOrBefore } from '../state/ring';
import { say } from '../text/charts';
import { formatValue } from '../view/format';
import type { Moment } from './loop';
import { seriesColor } from './palette';
import { Panel } from './panel';
import { type Area, type Look, PLAIN, type Plot } from './plot';
import { type ChartTable, readingsTable, timeBeside } from './readings';
import { type DeviceLine, overlayLines, sourceLines } from './source';
import { UPlotPlot } from './uplot-plot';
import type { ValueList } from './values';

const SUMMARY_EVERY_MS = 4_000;

/** The value of a line at `time` of the window, the last one in the window when it is null. */
function valueAt(line: DeviceLine, { from, to }: Moment, time: number | null): number {
  const { rows, value, last, rule, shift = 0 } = line;
  const reach = (to - from) / 20;
  const column = time === null ? last : value;
  const at =
    time === null
      ? valueAtOrBefore(rows, last, to - shift)
      : nearestValue(rows, value, time - shift, Math.min(Math.max(rule.longest, reach / 4), reach));
  return at < 0 ? Number.NaN : (column[(rows.start + at) & rows.mask] as number);
}

export class LinePanel extends Panel {
  private plot: Plot | null = null;
  private lines: DeviceLine[] = [];
  private perField: DeviceLine[][] = [];
  private window = { from: 0, to: 0 };
  private summarisedAt = Number.NEGATIVE_INFINITY;

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly fields: readonly string[],
    private readonly title: string,
    private readonly values: ValueList,
    private readonly message: HTMLElement,
    private readonly look: Look = PLAIN,
  ) {
    super(element, dataset);
    this.followPointer();
  }

  override table(): ChartTable {
    const titles = this.fields.length === 1 ? [this.title] : this.fields;
    return readingsTable(titles, this.perField, this.window.from, this.window.to);
  }

  protected override beside(time: number, step: 1 | -1): number | null {
    return timeBeside(this.perField.flat(), time, step);
  }

  protected override words(): string {
    return this.values.words();
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
    const width = this.area().width;
    // A bar is an average; whatever is drawn as a line goes through the readings themselves.
    const kind = this.look.shape === 'bar' ? 'number' : 'line';
    const sourced = this.fields.map((field) => sourceLines(this.dataset, field, kind, moment, width));
    const over = this.fields.map((field) => overlayLines(this.dataset, field, kind, moment, width));
    this.perField = sourced.map((s) => s.lines);
    this.window = { from: moment.from, to: moment.to };
    this.lines = this.colored([...sourced.map((s) => s.lines), ...over]);
    const extent = this.plot?.draw(this.lines, moment.from, moment.to, this.look) ?? null;
    const waiting = sourced.some((s) => s.waiting);
    const refusal = sourced.find((s) => s.refusal !== null)?.refusal ?? null;
    const words = extent !== null ? '' : waiting ? say('panel.waiting') : (refusal ?? say('panel.empty'));
    if (this.message.textContent !== words) this.message.textContent = words;
    this.message.hidden = extent !== null;
    this.point(moment);
    // A window that stands still is told at once: there may be no other drawing.
    if ((moment.live || moment.moving) && moment.at - this.summarisedAt < SUMMARY_EVERY_MS) return;
    // What is empty now is told anew as soon as it is not.
    this.summarisedAt = extent === null ? Number.NEGATIVE_INFINITY : moment.at;
    this.element.setAttribute('aria-label', this.summary(extent));
  }

  protected showValues(moment: Moment, time: number | null): void {
    for (const [i, line] of this.lines.entries()) {
      const number = valueAt(line, moment, time);
      this.values.set(i, line.device, line.color, formatValue(number) + this.difference(line, number, moment, time));
    }
    this.values.end(this.lines.length);
  }

  /** With one field a colour is a device's; with several each field of each device has its own. */
  private colored(perField: DeviceLine[][]): DeviceLine[] {
    const { length } = this.fields;
    if (length === 1) return perField.flat();
    return perField.flatMap((lines, i) =>
      lines.map((line, d) => ({
        ...line,
        color: seriesColor((i % length) + d * length),
        device: `${this.fields[i % length]} · ${line.device}`,
      })),
    );
  }

  /** Of a line that is laid over another: how far it is from that one. */
  private difference(line: DeviceLine, number: number, moment: Moment, time: number | null): string {
    if (line.shift === undefined) return '';
    const plain = this.lines.filter((l) => l.shift === undefined);
    // Its own line, where that has a value: another device's run may be compared with what was there instead.
    plain.sort((a, b) => Number(b.device === line.device) - Number(a.device === line.device));
    const below = plain.map((l) => valueAt(l, moment, time)).find(Number.isFinite) ?? Number.NaN;
    const away = number - below;
    return Number.isFinite(away) ? ` (${away > 0 ? '+' : ''}${formatValue(away)})` : '';
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
