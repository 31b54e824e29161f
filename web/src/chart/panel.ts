// What line charts, state strips and the track share: size, crosshair, drag, and the question whether a redraw is due.

import {
  goBack,
  hiddenDevices,
  history,
  live,
  namesOfDevices,
  overlay,
  pan,
  pauseForDrag,
  resumeAfterDrag,
  view,
  zoomAround,
  zoomTo,
} from '../state/app';
import { bounds } from '../state/window';
import { formatClock } from '../view/format';
import { attachPointer, cursor } from './cursor';
import { attachKeys } from './keys';
import { loop, type Moment, type Painter } from './loop';
import { paletteVersion } from './palette';
import type { Area } from './plot';
import type { ChartTable } from './readings';

/** New rows are drawn at once in a short window; in a long one they move nothing visible, and wait. */
const DATA_INTERVAL_MS = 30;
const LONG_WINDOW_US = 600_000_000;
const LONG_INTERVAL_MS = 200;
/** For who asked the system for less motion: charts step once a second in place of sliding. */
const CALM_INTERVAL_MS = 1_000;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

function intervalOf({ from, to, live: isLive }: Moment): number {
  if (calm.matches) return CALM_INTERVAL_MS;
  return isLive && to - from > LONG_WINDOW_US ? LONG_INTERVAL_MS : DATA_INTERVAL_MS;
}

function overlayKey(): string {
  const over = overlay.peek();
  return over === null ? '' : `${over.offset}/${over.device}`;
}

const resized = new Map<Element, () => void>();
const resizer = new ResizeObserver((entries) => {
  for (const entry of entries) resized.get(entry.target)?.();
  loop.request();
});

function div(parent: HTMLElement, name: string): HTMLDivElement {
  const element = document.createElement('div');
  element.className = name;
  parent.append(element);
  return element;
}

export abstract class Panel implements Painter {
  protected width = 0;
  protected height = 0;
  protected readonly pixelRatio = () => devicePixelRatio;
  private drawn = { from: 0, to: 0, key: '', at: Number.NEGATIVE_INFINITY };
  protected readonly noTable: ChartTable = { heads: [], rows: [], numbersFrom: 0 };
  private readonly cross: HTMLDivElement;
  private readonly crossTime: HTMLDivElement;
  private readonly selection: HTMLDivElement;
  private readonly detachers: (() => void)[] = [];

  /** `element`: the box that is drawn in; it is focusable and carries the summary. */
  constructor(
    readonly element: HTMLElement,
    readonly dataset: string,
  ) {
    this.selection = div(element, 'selection');
    this.cross = div(element, 'cross');
    this.crossTime = div(element, 'cross-time');
    this.hideCross();
    resized.set(element, () => this.measure());
    resizer.observe(element);
    this.detachers.push(() => {
      resizer.unobserve(element);
      resized.delete(element);
    });
    this.detachers.push(loop.add(this));
  }

  /** Follows the pointer on the plotting area; panels without a time axis do not call it. */
  protected followPointer(): void {
    this.detachers.push(
      attachPointer({
        element: this.element,
        area: () => this.area(),
        begin: pauseForDrag,
        cancel: resumeAfterDrag,
        back: goBack,
        pan,
        zoom: zoomAround,
        select: (from, to) => {
          const window = bounds(view.peek(), live.clock.now());
          const span = window.to - window.from;
          zoomTo(window.from + from * span, window.from + to * span);
        },
      }),
      attachKeys({
        element: this.element,
        beside: (time, step) => this.beside(time, step),
        words: () => this.words(),
      }),
    );
  }

  /** What was drawn last, as a table. */
  table(): ChartTable {
    return this.noTable;
  }

  /** Time of the reading before or after `time`; null when there is none. */
  protected beside(_time: number, _step: 1 | -1): number | null {
    return null;
  }

  /** What the panel's head says at the crosshair. */
  protected words(): string {
    return '';
  }

  destroy(): void {
    for (const detach of this.detachers) detach();
    this.vanish();
  }

  appear(): void {
    this.measure();
    this.create();
    this.drawn.key = '';
  }

  vanish(): void {
    this.discard();
    // Nobody moves it any more: the crosshair would still stand there when the panel comes back.
    this.hideCross();
  }

  paint(moment: Moment): boolean {
    if (this.width === 0 || this.height === 0) return false;
    const key = this.stateKey();
    const stale = key !== this.drawn.key;
    const pixel = (moment.to - moment.from) / this.width / this.pixelRatio();
    const slid =
      Math.abs(moment.from - this.drawn.from) >= pixel || moment.to - moment.from !== this.drawn.to - this.drawn.from;
    if (!stale && !slid) return false;
    if ((moment.live || moment.moving) && moment.at - this.drawn.at < this.interval(moment)) return false;
    this.drawn = { from: moment.from, to: moment.to, key, at: moment.at };
    this.draw(moment);
    return true;
  }

  point(moment: Moment): void {
    const { left, top, width, height } = this.area();
    const { fraction } = cursor;
    if (fraction === null) {
      this.hideCross();
      this.showValues(moment, null);
      return;
    }
    const time = moment.from + fraction * (moment.to - moment.from);
    const x = left + fraction * width;
    this.cross.hidden = false;
    this.cross.style.transform = `translateX(${x}px)`;
    this.cross.style.top = `${top}px`;
    this.cross.style.height = `${height}px`;
    this.pointTime(time, x, moment.to - moment.from);
    this.pointSelection(left, width, top, height, fraction);
    this.showValues(moment, time);
  }

  protected abstract area(): Area;
  protected abstract create(): void;
  protected abstract discard(): void;
  protected abstract draw(moment: Moment): void;
  /** Shows the values at `time`; the newest ones when it is null. */
  protected abstract showValues(moment: Moment, time: number | null): void;
  /** The size has changed. */
  protected abstract sizeChanged(): void;

  /** ms between drawings of a window that moves. */
  protected interval(moment: Moment): number {
    return intervalOf(moment);
  }

  protected measure(): void {
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    this.drawn.key = '';
    if (width > 0 && height > 0) this.sizeChanged();
  }

  private stateKey(): string {
    const feed = live.feeds.get(this.dataset);
    return `${feed?.version ?? -1} ${history.version} ${paletteVersion()} ${hiddenDevices.peek().size} ${namesOfDevices(this.dataset).length} ${overlayKey()} ${this.pixelRatio()}`;
  }

  private pointTime(time: number, x: number, span: number): void {
    const own = cursor.owner === this.element;
    this.crossTime.hidden = !own;
    if (!own) return;
    this.crossTime.textContent = formatClock(time, span < 120e6 ? 3 : 0);
    const half = this.crossTime.offsetWidth / 2;
    this.crossTime.style.transform = `translateX(${Math.min(Math.max(x, half), this.width - half) - half}px)`;
  }

  private pointSelection(left: number, width: number, top: number, height: number, fraction: number): void {
    const from = cursor.dragFrom;
    this.selection.hidden = from === null;
    if (from === null) return;
    this.selection.style.transform = `translateX(${left + Math.min(from, fraction) * width}px)`;
    this.selection.style.width = `${Math.abs(fraction - from) * width}px`;
    this.selection.style.top = `${top}px`;
    this.selection.style.height = `${height}px`;
  }

  private hideCross(): void {
    this.cross.hidden = true;
    this.crossTime.hidden = true;
    this.selection.hidden = true;
  }
}
