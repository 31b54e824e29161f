// The states of one text or truth-value field over time: coloured runs with the value written in them, one lane per device.

import { lowerBound, nearestValue, valueAtOrBefore } from '../state/ring';
import { say } from '../text/charts';
import { formatClock, formatDuration } from '../view/format';
import { Surface } from './canvas';
import type { Moment } from './loop';
import { palette } from './palette';
import { Panel } from './panel';
import type { Area } from './plot';
import { type ChartTable, MOST_ROWS, timeBeside } from './readings';
import { type DeviceLine, sourceLines } from './source';
import type { ValueList } from './values';

/** Space between lanes, CSS pixels. */
const LANE_GAP = 2;
const LANE_HEIGHT = 16;
const SINGLE_LANE_HEIGHT = 22;
const MOST_LANES = 8;
const LABEL_PADDING = 6;
const NARROWEST_LABEL = 26;
const SUMMARY_EVERY_MS = 4_000;

interface Run {
  from: number;
  to: number;
  value: number;
}

/** Stretches of equal value inside the window; the last one reaches to `to` unless the device has fallen silent. */
export function runsOf(line: DeviceLine, from: number, to: number): Run[] {
  const { rows, value, rule } = line;
  const runs: Run[] = [];
  let run: Run | null = null;
  const first = nearestBefore(line, from);
  for (let i = first; i < rows.size; i++) {
    const slot = (rows.start + i) & rows.mask;
    const time = rows.time[slot] as number;
    const v = value[slot] as number;
    if (time > to) break;
    if (!Number.isFinite(v)) continue;
    if (run !== null && time - run.to > rule.longest) run = null;
    else if (run !== null) run.to = time;
    if (run === null || run.value !== v) {
      run = { from: time, to: time, value: v };
      runs.push(run);
    }
  }
  if (run !== null && to - run.to <= rule.longest) run.to = to;
  return runs;
}

function nearestBefore(line: DeviceLine, from: number): number {
  const at = lowerBound(line.rows, from);
  for (let i = at - 1; i >= 0 && i > at - 64; i--) {
    if (Number.isFinite(line.value[(line.rows.start + i) & line.rows.mask] as number)) return i;
  }
  return at;
}

export class StripPanel extends Panel {
  private surface: Surface | null = null;
  private lines: DeviceLine[] = [];
  private window = { from: 0, to: 0 };
  private summarisedAt = Number.NEGATIVE_INFINITY;
  /** Colours by text, in the order of appearance: one text has one colour in every lane, live and past. */
  private readonly colors = new Map<string, number>();

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly field: string,
    private readonly title: string,
    private readonly boolean: boolean,
    private readonly values: ValueList,
    private readonly message: HTMLElement,
  ) {
    super(element, dataset);
    this.followPointer();
  }

  override table(): ChartTable {
    const { from, to } = this.window;
    const runs = this.lines.flatMap((line) => runsOf(line, from, to).map((run) => ({ line, run })));
    runs.sort((a, b) => b.run.from - a.run.from);
    return {
      heads: [say('table.begins'), say('table.lasts'), say('table.device'), this.title],
      rows: runs
        .slice(0, MOST_ROWS)
        .map(({ line, run }) => [
          formatClock(run.from, 3),
          formatDuration(run.to - run.from),
          line.device,
          line.text(run.value),
        ]),
      numbersFrom: 4,
    };
  }

  protected override beside(time: number, step: 1 | -1): number | null {
    return timeBeside(this.lines, time, step);
  }

  protected override words(): string {
    return this.values.words();
  }

  protected area(): Area {
    return { left: 0, top: 0, width: this.width, height: this.height };
  }

  protected create(): void {
    this.surface ??= new Surface(this.element, 'strip');
  }

  protected discard(): void {
    this.surface?.remove();
    this.surface = null;
  }

  protected sizeChanged(): void {
    // The surface takes the size at the next drawing.
  }

  protected draw(moment: Moment): void {
    this.create();
    const sourced = sourceLines(this.dataset, this.field, this.boolean ? 'boolean' : 'text', moment, this.width);
    this.lines = sourced.lines;
    this.window = { from: moment.from, to: moment.to };
    this.fitLanes();
    const ctx = (this.surface as Surface).begin(this.width, this.height);
    ctx.font = palette().font;
    ctx.textBaseline = 'middle';
    const lane = this.height / Math.max(this.lines.length, 1);
    let drawn = 0;
    for (const [i, line] of this.lines.entries()) drawn += this.drawLane(ctx, line, moment, i * lane, lane - LANE_GAP);
    const words = drawn > 0 ? '' : sourced.waiting ? say('panel.waiting') : (sourced.refusal ?? say('panel.empty'));
    if (this.message.textContent !== words) this.message.textContent = words;
    this.message.hidden = drawn > 0;
    this.point(moment);
    if ((moment.live || moment.moving) && moment.at - this.summarisedAt < SUMMARY_EVERY_MS) return;
    this.summarisedAt = moment.at;
    this.element.setAttribute('aria-label', say('panel.summaryState', { title: this.title, last: this.values.text() }));
  }

  protected showValues(moment: Moment, time: number | null): void {
    for (const [i, line] of this.lines.entries()) {
      const { rows, value } = line;
      const at =
        time === null ? valueAtOrBefore(rows, value, moment.to) : nearestValue(rows, value, time, line.rule.longest);
      const text = at < 0 ? '–' : line.text(value[(rows.start + at) & rows.mask] as number);
      this.values.set(i, line.device, line.color, text);
    }
    this.values.end(this.lines.length);
  }

  private colorOf(text: string): { fill: string; ink: string } | undefined {
    const { states } = palette();
    const known = this.colors.get(text) ?? this.colors.size;
    this.colors.set(text, known);
    return states[known % states.length];
  }

  /** As high as its lanes need; the change of size draws again. */
  private fitLanes(): void {
    const lanes = Math.min(this.lines.length, MOST_LANES);
    const height = `${lanes < 2 ? SINGLE_LANE_HEIGHT : lanes * LANE_HEIGHT}px`;
    if (this.element.style.height !== height) this.element.style.height = height;
  }

  private drawLane(
    ctx: CanvasRenderingContext2D,
    line: DeviceLine,
    moment: Moment,
    top: number,
    height: number,
  ): number {
    const scale = this.width / (moment.to - moment.from);
    const colors = palette();
    const runs = runsOf(line, moment.from, moment.to);
    for (const run of runs) {
      const left = Math.max((run.from - moment.from) * scale, 0);
      const right = Math.min((run.to - moment.from) * scale, this.width);
      const color = this.boolean ? (run.value === 0 ? colors.off : colors.on) : this.colorOf(line.text(run.value));
      if (color === undefined || right < left) continue;
      ctx.fillStyle = color.fill;
      ctx.fillRect(left, top, Math.max(right - left - 0.75, 0.75), height);
      if (right - left < NARROWEST_LABEL || height < 11) continue;
      ctx.fillStyle = color.ink;
      const label = fitted(ctx, line.text(run.value), right - left - 2 * LABEL_PADDING);
      ctx.fillText(label, left + LABEL_PADDING, top + height / 2 + 0.5);
    }
    return runs.length;
  }
}

/** The text, shortened to `width` with an ellipsis. */
function fitted(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  let shorter = text.slice(0, 40);
  while (shorter.length > 1 && ctx.measureText(`${shorter}…`).width > width) shorter = shorter.slice(0, -1);
  return shorter.length > 1 ? `${shorter}…` : '';
}
