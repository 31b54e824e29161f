// What a reload keeps: the dataset, the window and the theme, in the URL's hash (`#dataset=1&window=5m&theme=dark`).

import { DEFAULT_SPAN, formatSpan, parseInstant, parseSpan, pausedAt, type View } from './window';

export type Theme = 'system' | 'light' | 'dark';

export interface UrlState {
  /** null: all datasets. */
  dataset: string | null;
  view: View;
  theme: Theme;
}

export const FIRST_STATE: UrlState = { dataset: null, view: { mode: 'live', span: DEFAULT_SPAN }, theme: 'system' };

export function parseHash(hash: string, now: number): UrlState {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const span = parseSpan(parameters.get('window') ?? '') ?? DEFAULT_SPAN;
  const live: View = { mode: 'live', span };
  const from = parseInstant(parameters.get('from') ?? '', now);
  const to = parseInstant(parameters.get('to') ?? '', now);
  const theme = parameters.get('theme');
  return {
    dataset: parameters.get('dataset'),
    view: from !== null && to !== null && from < to ? pausedAt(live, from, to) : live,
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
  };
}

/** Parts at their first value are left out, so that the plain address stays plain. */
export function formatHash(state: UrlState): string {
  const parameters = new URLSearchParams();
  if (state.dataset !== null) parameters.set('dataset', state.dataset);
  if (state.view.span !== DEFAULT_SPAN) parameters.set('window', formatSpan(state.view.span));
  if (state.view.mode === 'paused') {
    parameters.set('from', String(state.view.from));
    parameters.set('to', String(state.view.to));
  }
  if (state.theme !== 'system') parameters.set('theme', state.theme);
  const text = parameters.toString();
  return text === '' ? '' : `#${text}`;
}
