// The one requestAnimationFrame of the page. Painters say what they draw; the loop calls those that are on the screen,
// then tells the live client, after the browser has painted, that the frames may be acknowledged.

import { link, live, onRepaint, scrubbing, view } from '../state/app';
import { bounds } from '../state/window';
import { cursor } from './cursor';
import { forgetPalette } from './palette';
import { Share, takeTurns } from './share';

/** What every painter of a frame is given: one clock, one window, one crosshair for all. */
export interface Moment {
  /** Window, µs. */
  from: number;
  to: number;
  live: boolean;
  /** The window moves over the past: it plays, or is being dragged. */
  moving: boolean;
  /** Times the pace of the clock; 1 when live, 0 when it stands still. */
  rate: number;
  /** performance.now() of this frame. */
  at: number;
}

export interface Painter {
  readonly element: HTMLElement;
  /** Costs next to nothing: painted in every frame, whoever's turn it is. */
  readonly light?: boolean;
  /** On the screen or close to it: make canvases. */
  appear(): void;
  /** Far from it: give them back. */
  vanish(): void;
  /** Draws what has changed, and says whether anything had; most calls find nothing to do. */
  paint(moment: Moment): boolean;
  /** Moves the crosshair and its values; called when the cursor moved or the window slid under it. */
  point(moment: Moment): void;
}

const NEAR = '160px';

class FrameLoop {
  private readonly painters = new Map<Element, Painter>();
  private readonly visible = new Set<Painter>();
  private readonly waiting = new Set<() => void>();
  private readonly observer: IntersectionObserver;
  private readonly channel = new MessageChannel();
  private scheduled = false;
  private readonly share = new Share();
  /** The panel whose turn it is. */
  private turn = 0;
  private frame = { began: 0, drawn: 0 };

  constructor() {
    this.observer = new IntersectionObserver((entries) => this.observe(entries), { rootMargin: NEAR });
    this.channel.port1.onmessage = () => {
      this.share.note(performance.now() - this.frame.began, this.frame.drawn);
      live.painted();
    };
    onRepaint(() => this.request());
    cursor.onMove(() => this.request());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.restyle());
    void document.fonts.ready.then(() => this.restyle());
    window.addEventListener('resize', () => this.request());
  }

  add(painter: Painter): () => void {
    this.painters.set(painter.element, painter);
    this.observer.observe(painter.element);
    return () => {
      this.observer.unobserve(painter.element);
      this.painters.delete(painter.element);
      if (this.visible.delete(painter)) painter.vanish();
    };
  }

  /** Calls `draw` in the next frame; asked for twice, once. */
  once(draw: () => void): void {
    this.waiting.add(draw);
    this.request();
  }

  /** `draw` is not to be called any more. */
  forget(draw: () => void): void {
    this.waiting.delete(draw);
  }

  request(): void {
    if (this.scheduled || document.hidden) return;
    this.scheduled = true;
    requestAnimationFrame((at) => this.tick(at));
  }

  restyle(): void {
    forgetPalette();
    this.request();
  }

  private observe(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const painter = this.painters.get(entry.target);
      if (painter === undefined) continue;
      if (entry.isIntersecting && !this.visible.has(painter)) {
        this.visible.add(painter);
        painter.appear();
        // It does not know yet where the crosshair is.
        cursor.set(cursor.fraction, cursor.owner);
      } else if (!entry.isIntersecting && this.visible.delete(painter)) {
        painter.vanish();
      }
    }
    this.request();
  }

  private tick(at: number): void {
    this.scheduled = false;
    const began = performance.now();
    const now = live.clock.now();
    const current = view.peek();
    const { from, to } = bounds(current, now);
    const plays = current.mode === 'play';
    const moment: Moment = {
      from,
      to,
      live: current.mode === 'live',
      moving: plays || scrubbing.peek(),
      rate: plays ? current.rate : current.mode === 'live' ? 1 : 0,
      at,
    };
    const once = [...this.waiting];
    this.waiting.clear();
    for (const draw of once) draw();
    // A window that stands still is drawn at once: somebody has asked for it.
    const most = moment.live || moment.moving ? this.share.panels : Number.POSITIVE_INFINITY;
    const [light, heavy]: [Painter[], Painter[]] = [[], []];
    for (const painter of this.visible) (painter.light === true ? light : heavy).push(painter);
    for (const painter of light) painter.paint(moment);
    const { next, drawn, all } = takeTurns(heavy, this.turn, most, (painter) => painter.paint(moment));
    this.turn = next;
    this.frame = { began, drawn };
    if (!all) this.request();
    if (cursor.takeMoved() || ((moment.live || plays) && cursor.fraction !== null)) {
      for (const painter of this.visible) painter.point(moment);
    }
    // A message posted inside a frame is handled after the browser has painted it.
    this.channel.port2.postMessage(null);
    if (plays) this.request();
    else if (moment.live && this.visible.size > 0 && link.peek().state !== 'connecting') this.request();
  }
}

export const loop = new FrameLoop();
