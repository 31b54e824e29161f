// What a reload keeps, in the URL's hash: `#/explore?dataset=1&window=5m&theme=dark`. Live, the home, needs no path
// (`#dataset=1` is `#/live?dataset=1`), and parts at their first value are left out: the plain address stays plain.

import type { Language } from '../text/area';
import { DEFAULT_SPAN, formatSpan, parseInstant, parseSpan, pausedAt, played, type Stretch, type View } from './window';

export type Theme = 'system' | 'light' | 'dark';

/** Another stretch, drawn over the one that is looked at: `offset` µs away from it, of one device or of each its own. */
export interface Overlay {
  offset: number;
  device: string | null;
}

/** What a screen keeps in the address for itself. */
export type Own = Readonly<Record<string, string>>;

export interface UrlState {
  screen: string;
  /** null: all datasets. */
  dataset: string | null;
  view: View;
  overlay: Overlay | null;
  /** Devices that are not drawn, as `dataset/device`, sorted. */
  hidden: readonly string[];
  /** null: the address does not say. */
  theme: Theme | null;
  language: Language | null;
  own: Own;
}

export const HOME_SCREEN = 'live';
const SHARED = new Set([
  'dataset',
  'window',
  'from',
  'to',
  'play',
  'loop',
  'overlay',
  'with',
  'hidden',
  'theme',
  'lang',
]);

function oneOf<T extends string>(choices: readonly T[], text: string | null): T | null {
  return choices.find((choice) => choice === text) ?? null;
}

/** The path and the parameters of `#/path?a=b`, and of `#a=b`, which has no path. */
function partsOf(hash: string): { path: string; parameters: URLSearchParams } {
  const text = hash.replace(/^#/, '');
  if (!text.startsWith('/')) return { path: '', parameters: new URLSearchParams(text) };
  const end = text.indexOf('?');
  return {
    path: (end < 0 ? text : text.slice(0, end)).replace(/^\/|\/$/g, ''),
    parameters: new URLSearchParams(end < 0 ? '' : text.slice(end + 1)),
  };
}

function parseStretch(text: string | null, now: number): Stretch | null {
  const [from, to] = (text ?? '').split('~').map((word) => parseInstant(word, now));
  return from != null && to != null && from < to ? { from, to } : null;
}

function parseView(parameters: URLSearchParams, now: number): View {
  const span = parseSpan(parameters.get('window') ?? '') ?? DEFAULT_SPAN;
  const live: View = { mode: 'live', span };
  const from = parseInstant(parameters.get('from') ?? '', now);
  const to = parseInstant(parameters.get('to') ?? '', now);
  if (from === null || to === null || from >= to) return live;
  const paused = pausedAt(live, from, to);
  const rate = Number(parameters.get('play') ?? Number.NaN);
  if (!Number.isFinite(rate) || rate === 0) return paused;
  return played(paused, rate, parseStretch(parameters.get('loop'), now), now);
}

function parseOverlay(parameters: URLSearchParams): Overlay | null {
  const text = parameters.get('overlay') ?? '';
  return /^-?\d{1,16}$/.test(text) ? { offset: Number(text), device: parameters.get('with') } : null;
}

export function parseHash(hash: string, now: number): UrlState {
  const { path, parameters } = partsOf(hash);
  return {
    screen: path === '' ? HOME_SCREEN : path,
    dataset: parameters.get('dataset'),
    view: parseView(parameters, now),
    overlay: parseOverlay(parameters),
    hidden: [...new Set(parameters.getAll('hidden'))].sort(),
    theme: oneOf(['system', 'light', 'dark'], parameters.get('theme')),
    language: oneOf(['en', 'fr'], parameters.get('lang')),
    own: Object.fromEntries([...parameters].filter(([key]) => !SHARED.has(key))),
  };
}

export function formatHash(state: UrlState): string {
  const parameters = new URLSearchParams();
  if (state.dataset !== null) parameters.set('dataset', state.dataset);
  if (state.view.span !== DEFAULT_SPAN) parameters.set('window', formatSpan(state.view.span));
  if (state.view.mode !== 'live') {
    parameters.set('from', String(Math.round(state.view.from)));
    parameters.set('to', String(Math.round(state.view.to)));
  }
  if (state.view.mode === 'play') {
    const { rate, loop } = state.view;
    parameters.set('play', String(rate));
    if (loop !== null) parameters.set('loop', `${Math.round(loop.from)}~${Math.round(loop.to)}`);
  }
  if (state.overlay !== null) {
    parameters.set('overlay', String(state.overlay.offset));
    if (state.overlay.device !== null) parameters.set('with', state.overlay.device);
  }
  for (const key of state.hidden) parameters.append('hidden', key);
  if (state.theme !== null) parameters.set('theme', state.theme);
  if (state.language !== null) parameters.set('lang', state.language);
  for (const [key, value] of Object.entries(state.own)) if (!SHARED.has(key)) parameters.set(key, value);
  const text = parameters.toString();
  if (state.screen === HOME_SCREEN) return text === '' ? '' : `#${text}`;
  return `#/${state.screen}${text === '' ? '' : `?${text}`}`;
}
