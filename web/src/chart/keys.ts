// The crosshair by keys, on the panel that has the focus: from reading to reading, and what stands there is said.

import { live, view } from '../state/app';
import { bounds } from '../state/window';
import { formatClock } from '../view/format';
import { cursor } from './cursor';

export interface KeyTarget {
  element: HTMLElement;
  /** Time of the reading before or after `time`; null when there is none. */
  beside(time: number, step: 1 | -1): number | null;
  words(): string;
}

/** With Shift, a part of the window. */
const FAR = 0.1;
/** A held key is not read out reading by reading. */
const SAID_AFTER_MS = 250;

/** The element of the page whose changes screen readers say. */
export const SAID_ID = 'chart-said';
let saying: ReturnType<typeof setTimeout> | undefined;

function sayLater(text: () => string): void {
  clearTimeout(saying);
  saying = setTimeout(() => {
    const element = document.getElementById(SAID_ID);
    if (element !== null) element.textContent = text();
  }, SAID_AFTER_MS);
}

/** Where the crosshair goes, as a part of the window; null when the key does not move it. */
export function stepped(
  key: string,
  far: boolean,
  at: number | null,
  window: { from: number; to: number },
  beside: KeyTarget['beside'],
): number | null {
  if (key === 'Home') return 0;
  if (key === 'End') return 1;
  const step = key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0;
  if (step === 0) return null;
  const span = window.to - window.from;
  const from = at ?? (step < 0 ? 1 : 0);
  if (far) return Math.min(Math.max(from + step * FAR, 0), 1);
  const time = beside(window.from + from * span, step);
  return time === null ? from : Math.min(Math.max((time - window.from) / span, 0), 1);
}

export function attachKeys({ element, beside, words }: KeyTarget): () => void {
  const listening = new AbortController();
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const own = cursor.owner === element ? cursor.fraction : null;
    if (event.key === 'Escape' && own !== null) {
      event.preventDefault();
      cursor.set(null, null);
      return;
    }
    const window = bounds(view.peek(), live.clock.now());
    const next = stepped(event.key, event.shiftKey, own, window, beside);
    if (next === null) return;
    event.preventDefault();
    cursor.set(next, element);
    sayLater(() => `${formatClock(window.from + next * (window.to - window.from), 3)}: ${words()}`);
  };
  const leave = () => {
    if (cursor.owner === element && cursor.dragFrom === null) cursor.set(null, null);
  };
  element.addEventListener('keydown', press, { signal: listening.signal });
  element.addEventListener('blur', leave, { signal: listening.signal });
  return () => listening.abort();
}
