// The timeline's drawing and its handling: activity behind, the window as a thumb that is dragged, stretched at its ends, and
// moved by keys.

import { type Activity, askActivity } from '../state/activity';
import { extent, live, pause, schemas, scrubbing, seek, setView, shownDatasets, view } from '../state/app';
import { typicalPeriod } from '../state/gaps';
import { bounds, pausedAt, played, type Stretch, timelineAround } from '../state/window';
import { formatClock, formatInstant } from '../view/format';
import { Surface } from './canvas';
import { loop, type Moment, type Painter } from './loop';
import { palette, paletteVersion } from './palette';

const ASK_EVERY_MS = 10_000;
const ASK_AFTER_MS = 120;
const NARROWEST_THUMB = 14;
const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;
/** A sample's length where no device tells. */
const SAMPLE = 100_000;
const WHEEL_DOUBLE = 300;

export interface TimelineParts {
  track: HTMLElement;
  thumb: HTMLElement;
  /** Says the end of the window. */
  clock: HTMLElement;
  begin: HTMLElement;
  end: HTMLElement;
}

type Grip = 'whole' | 'from' | 'to';

export class TimelinePanel implements Painter {
  readonly light = true;
  readonly element: HTMLElement;
  private readonly surface: Surface;
  private readonly listening = new AbortController();
  private readonly leaveLoop: () => void;
  private shown: Stretch | null = null;
  private activity: Activity | null = null;
  private asking: AbortController | null = null;
  private askedAt = Number.NEGATIVE_INFINITY;
  private askedFor = '';
  private askTimer: ReturnType<typeof setTimeout> | undefined;
  private drawn = '';
  private texts = '';
  private drag: { grip: Grip; at: number; from: number; to: number } | null = null;

  constructor(private readonly parts: TimelineParts) {
    this.element = parts.track;
    this.surface = new Surface(parts.track, 'activity');
    this.listen();
    this.leaveLoop = loop.add(this);
  }

  destroy(): void {
    this.leaveLoop();
    this.listening.abort();
    this.asking?.abort();
    clearTimeout(this.askTimer);
    scrubbing.value = false;
  }

  appear(): void {
    this.drawn = '';
  }

  vanish(): void {
    // Its one canvas is small.
  }

  point(): void {
    // It has no crosshair.
  }

  paint(moment: Moment): boolean {
    const width = this.element.clientWidth;
    if (width === 0) return false;
    if (this.drag === null) this.shown = this.stretchFor(moment);
    const shown = this.shown as Stretch;
    this.place(moment, shown, width);
    this.write(moment, shown);
    this.ask(moment, shown);
    this.draw(shown, width);
    return true;
  }

  private stretchFor(moment: Moment): Stretch {
    // A live window is at the end: the stretch slides with it.
    return timelineAround(moment, extent(), moment.live ? null : this.shown);
  }

  private place(moment: Moment, shown: Stretch, width: number): void {
    const scale = width / (shown.to - shown.from);
    const right = (moment.to - shown.from) * scale;
    const size = Math.max((moment.to - moment.from) * scale, NARROWEST_THUMB);
    const { style } = this.parts.thumb;
    const left = `translateX(${Math.max(right - size, 0).toFixed(1)}px)`;
    if (style.transform !== left) style.transform = left;
    const across = `${Math.min(size, width).toFixed(1)}px`;
    if (style.width !== across) style.width = across;
  }

  private write(moment: Moment, shown: Stretch): void {
    const clock = formatClock(moment.to, moment.to - moment.from < 120 * SECOND && !moment.live ? 1 : 0);
    const texts = `${clock} ${Math.floor(shown.from / SECOND)} ${Math.floor(shown.to / SECOND)} ${moment.live}`;
    if (texts === this.texts) return;
    this.texts = texts;
    const far = shown.to - shown.from > DAY;
    const written = (time: number) => (far ? formatInstant(time) : formatClock(time));
    this.parts.clock.textContent = far ? formatInstant(moment.to) : clock;
    this.parts.begin.textContent = written(shown.from);
    this.parts.end.textContent = written(shown.to);
    const { thumb } = this.parts;
    thumb.setAttribute('aria-valuemin', String(Math.round(shown.from / SECOND)));
    thumb.setAttribute('aria-valuemax', String(Math.round(shown.to / SECOND)));
    thumb.setAttribute('aria-valuenow', String(Math.round(moment.to / SECOND)));
    thumb.setAttribute('aria-valuetext', `${formatInstant(moment.from)} – ${formatInstant(moment.to)}`);
  }

  /** Asks for the activity: at once for another stretch, now and then for one that grows. */
  private ask(moment: Moment, shown: Stretch): void {
    const names = shownDatasets.peek().map((d) => d.name);
    const key = moment.live ? `live ${shown.to - shown.from > DAY} ${names}` : `${shown.from} ${shown.to} ${names}`;
    const known = names.filter((name) => schemas.peek().has(name)).length;
    const due = `${key} ${known}`;
    if (due === this.askedFor && (!moment.live || moment.at - this.askedAt < ASK_EVERY_MS)) return;
    this.askedFor = due;
    this.askedAt = moment.at;
    clearTimeout(this.askTimer);
    this.askTimer = setTimeout(() => void this.fetch(shown), ASK_AFTER_MS);
  }

  private async fetch(shown: Stretch): Promise<void> {
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    const all = shownDatasets.peek().map(({ name }) => ({ name, schema: schemas.peek().get(name) }));
    const activity = await askActivity(all, shown, asking.signal);
    if (activity === null || asking.signal.aborted) return;
    this.activity = activity;
    this.drawn = '';
    loop.request();
  }

  private draw(shown: Stretch, width: number): void {
    const height = this.element.clientHeight;
    const scale = width / (shown.to - shown.from);
    const { activity } = this;
    const key = `${width} ${height} ${paletteVersion()} ${Math.round(shown.from * scale)} ${Math.round(1e9 * scale)}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const ctx = this.surface.begin(width, height);
    if (activity === null) return;
    const most = Math.max(...activity.count, 1);
    ctx.fillStyle = palette().inkSoft;
    ctx.globalAlpha = 0.42;
    const across = Math.max(activity.bucket * scale - 0.5, 1);
    for (let i = 0; i < activity.time.length; i++) {
      const x = ((activity.time[i] as number) - shown.from) * scale;
      if (x + across < 0 || x > width) continue;
      // A root: a quiet device beside a busy one is still seen.
      const tall = Math.max(Math.sqrt((activity.count[i] as number) / most) * (height - 4), 1.5);
      ctx.fillRect(x, height - tall, across, tall);
    }
    ctx.globalAlpha = 1;
  }

  // --- hands ---------------------------------------------------------------------------------------------------------

  private listen(): void {
    const { signal } = this.listening;
    const { track, thumb } = this.parts;
    track.addEventListener('pointerdown', (event) => this.press(event), { signal });
    track.addEventListener('pointermove', (event) => this.move(event), { signal });
    track.addEventListener('pointerup', () => this.release(), { signal });
    track.addEventListener('pointercancel', () => this.release(), { signal });
    track.addEventListener('wheel', (event) => this.turn(event), { signal, passive: false });
    thumb.addEventListener('keydown', (event) => this.key(event), { signal });
  }

  private timeAt(clientX: number): number {
    const shown = this.shown as Stretch;
    const box = this.element.getBoundingClientRect();
    return shown.from + ((clientX - box.left) / Math.max(box.width, 1)) * (shown.to - shown.from);
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0 || this.shown === null) return;
    event.preventDefault();
    this.element.setPointerCapture(event.pointerId);
    this.parts.thumb.focus({ preventScroll: true });
    const grip = (event.target as HTMLElement).dataset.grip as Grip | undefined;
    const time = this.timeAt(event.clientX);
    let { from, to } = bounds(view.peek(), live.clock.now());
    if (grip === undefined) {
      // Beside the thumb: it comes under the pointer.
      const half = (to - from) / 2;
      [from, to] = [time - half, time + half];
    }
    if (view.peek().mode === 'live') pause();
    scrubbing.value = true;
    this.drag = { grip: grip ?? 'whole', at: time, from, to };
    if (grip === undefined) this.moveTo(from, to);
  }

  private move(event: PointerEvent): void {
    if (this.drag === null) return;
    const { grip, at, from, to } = this.drag;
    const moved = this.timeAt(event.clientX) - at;
    if (grip === 'whole') this.moveTo(from + moved, to + moved);
    else if (grip === 'from') this.moveTo(Math.min(from + moved, to - SAMPLE), to);
    else this.moveTo(from, Math.max(to + moved, from + SAMPLE));
  }

  private moveTo(from: number, to: number): void {
    const now = live.clock.now();
    const over = Math.max(to - now, 0);
    const current = view.peek();
    const next = pausedAt(current, from - over, to - over);
    setView(current.mode === 'play' ? played(next, current.rate, current.loop, now) : next);
  }

  private release(): void {
    if (this.drag === null) return;
    this.drag = null;
    scrubbing.value = false;
    loop.request();
  }

  private turn(event: WheelEvent): void {
    event.preventDefault();
    const { from, to } = bounds(view.peek(), live.clock.now());
    const width = (to - from) * 2 ** (event.deltaY / WHEEL_DOUBLE);
    this.moveTo(to - width, to);
  }

  /** One sample: the period of the device that speaks most often. */
  private sample(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const feed of live.feeds.values()) {
      for (const ring of feed.current?.rings.values() ?? []) {
        const period = typicalPeriod(ring);
        if (period > 0) least = Math.min(least, period);
      }
    }
    return Number.isFinite(least) ? least : SAMPLE;
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { from, to } = bounds(view.peek(), live.clock.now());
    const limits = extent();
    const steps: Record<string, () => number> = {
      ArrowLeft: () => to - (event.shiftKey ? SECOND : this.sample()),
      ArrowDown: () => to - (event.shiftKey ? SECOND : this.sample()),
      ArrowRight: () => to + (event.shiftKey ? SECOND : this.sample()),
      ArrowUp: () => to + (event.shiftKey ? SECOND : this.sample()),
      PageDown: () => to - (to - from),
      PageUp: () => to + (to - from),
      Home: () => limits.from + (to - from),
      End: () => limits.to,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    seek(step());
  }
}
