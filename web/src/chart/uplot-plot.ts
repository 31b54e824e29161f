// A Plot on uPlot: scales, axes, grid and the pixel ratio are uPlot's; lines are drawn by lines.ts inside its draw hook.
// uPlot's own series were not taken: they need one x column for all series (several devices never share their times) in
// plain arrays, rebuilt at every frame, while the rings can be drawn in place.

import uPlot from 'uplot';
import { drawLines, type Line } from './lines';
import { palette } from './palette';
import { type Area, type Look, PLAIN, type Plot } from './plot';
import { type Extent, niceRange, widen } from './range';
import { drawThresholds } from './thresholds';
import { timeTick, valueTick } from './ticks';

const VALUE_AXIS_WIDTH = 46;
const DIGIT_WIDTH = 6.2;
const TIME_AXIS_HEIGHT = 20;
const PADDING: [number, number, number, number] = [8, 10, 0, 0];
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
/** Steps of the time axis, s; uPlot's own list leaves out 2 and 20. */
const TIME_STEPS = [
  ...[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1].flatMap((step) => [step, 2 * step, 5 * step]),
  ...[1, 2, 5, 10, 20, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY],
];

/** Wide enough for the longest tick; one width for ordinary ones, so that the charts of a column line up. */
function valueAxisWidth(values: string[] | null): number {
  const longest = Math.max(0, ...(values ?? []).map((text) => text.length));
  return Math.max(VALUE_AXIS_WIDTH, longest * DIGIT_WIDTH + 14);
}

/** `hasValues`: without any, the value axis has no numbers to write. */
function axes(hasValues: () => boolean): uPlot.Axis[] {
  const common = {
    stroke: () => palette().inkSoft,
    font: palette().font,
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...common,
      size: TIME_AXIS_HEIGHT,
      gap: 4,
      space: 74,
      incrs: TIME_STEPS,
      values: (_u, splits, _axis, _space, step) => splits.map((s) => timeTick(s, step)),
    },
    {
      ...common,
      size: (_u, values) => valueAxisWidth(values),
      gap: 6,
      space: 28,
      values: (_u, splits, _axis, _space, step) => splits.map((v) => (hasValues() ? valueTick(v, step) : '')),
    },
  ];
}

export class UPlotPlot implements Plot {
  private readonly plot: uPlot;
  private lines: Line[] = [];
  private from = 0;
  private to = 1;
  private hasValues = false;
  private look: Look = PLAIN;

  constructor(parent: HTMLElement, width: number, height: number) {
    const options: uPlot.Options = {
      width,
      height,
      padding: PADDING,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, auto: false, range: (_u, min, max) => [min, max] },
        y: { auto: false, range: (_u, min, max) => [min, max] },
      },
      axes: axes(() => this.hasValues),
      series: [{}, { show: true, paths: () => null, points: { show: false } }],
      hooks: { draw: [(u) => this.drawSeries(u)] },
    };
    this.plot = new uPlot(
      options,
      [
        [0, 1],
        [0, 1],
      ],
      parent,
    );
  }

  get area(): Area {
    const { left, top, width, height } = this.plot.bbox;
    const ratio = devicePixelRatio;
    return { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio };
  }

  draw(lines: Line[], from: number, to: number, look: Look = PLAIN): Extent | null {
    this.lines = lines;
    this.look = look;
    this.from = from;
    this.to = to;
    const extent = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
    for (const line of lines) {
      const shift = line.shift ?? 0;
      widen(extent, line.rows, line.low ?? line.value, from - shift, to - shift);
      widen(extent, line.rows, line.high ?? line.value, from - shift, to - shift);
    }
    this.hasValues = extent.low <= extent.high;
    // What stands on the ground shows the ground.
    const ground = look.shape === 'line' ? extent : { low: Math.min(extent.low, 0), high: Math.max(extent.high, 0) };
    const range = niceRange(this.hasValues ? ground : extent);
    this.plot.batch(() => {
      this.plot.setScale('x', { min: from / 1e6, max: to / 1e6 });
      this.plot.setScale('y', { min: range.low, max: range.high });
    });
    return this.hasValues ? extent : null;
  }

  resize(width: number, height: number): void {
    this.plot.setSize({ width, height });
  }

  yOf(value: number): number {
    return this.plot.valToPos(value, 'y');
  }

  destroy(): void {
    this.plot.destroy();
  }

  private drawSeries(u: uPlot): void {
    const { ctx, bbox } = u;
    const low = u.scales.y?.min ?? 0;
    const high = u.scales.y?.max ?? 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top - 2, bbox.width, bbox.height + 4);
    ctx.clip();
    const transform = {
      t0: this.from,
      kx: bbox.width / (this.to - this.from),
      x0: bbox.left,
      v0: low,
      ky: -bbox.height / (high - low),
      y0: bbox.top + bbox.height,
    };
    drawLines(ctx, this.lines, this.from, this.to, transform, devicePixelRatio, this.look.shape);
    if (this.look.thresholds.length > 0) {
      const yOf = (value: number) => (value - low) * transform.ky + transform.y0;
      drawThresholds(ctx, this.look.thresholds, bbox, yOf, devicePixelRatio);
    }
    ctx.restore();
  }
}
