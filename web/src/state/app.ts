// The state of the page, as signals, and the few actions on it. Samples are not here: they live in the feeds' rings.

import { batch, computed, effect, signal } from '@preact/signals';
import { type Language, language, speak } from '../text/area';
import type { Stats } from '../wire/messages';
import { type DatasetInfo, type DeviceInfo, getDatasets, getDevices, getSchema, type Schema } from '../wire/rest';
import type { LinkState } from '../wire/socket';
import { History } from './history';
import { LiveClient } from './live';
import { ownLanguage, remember, remembered } from './preferences';
import { formatHash, type Overlay, type Own, parseHash, type Theme, type UrlState } from './url';
import {
  beginOf,
  bounds,
  openingView,
  panned,
  pausedAt,
  played,
  type Stretch,
  type View,
  zoomed,
  zoomedAt,
} from './window';

export const datasets = signal<DatasetInfo[] | null>(null);
export const devices = signal<DeviceInfo[]>([]);
export const schemas = signal<ReadonlyMap<string, Schema>>(new Map());
export const rates = signal<ReadonlyMap<string, { events: number; rate: number }>>(new Map());
export const link = signal<{ state: LinkState; since: number }>({ state: 'connecting', since: 0 });
/** ms; null before anything was painted. */
export const latencyMs = signal<number | null>(null);
export const serverVersion = signal('');
/** Rises when fields or devices of a feed change: the panels to show may be others. */
export const structure = signal(0);
export const restFailure = signal<string | null>(null);

const first = parseHash(location.hash, Date.now() * 1_000);
export const view = signal<View>(first.view);
/** Another stretch that is drawn over the window; null: none. */
export const overlay = signal<Overlay | null>(first.overlay);
/** Devices that are not drawn, as `dataset/device`. */
export const hiddenDevices = signal<ReadonlySet<string>>(new Set(first.hidden));
/** The window is being dragged: what is quick to show is better than what is fine. */
export const scrubbing = signal(false);
/** What Live returns to; changes more seldom than the view. */
export const liveSpan = computed(() => view.value.span);
export const dataset = signal<string | null>(first.dataset);
/** Name of the screen that the address asks for. */
export const screen = signal(first.screen);
/** What that screen keeps in the address for itself; written by `setOwn`. */
export const own = signal<Own>(first.own);
export const theme = signal<Theme>(first.theme ?? remembered('theme') ?? 'system');
/** Said from the start; `language` follows once its texts are here. */
const firstLanguage: Language = first.language ?? remembered('language') ?? ownLanguage();
/** On a wall: nothing but the panels. */
export const kiosk = new URLSearchParams(location.search).has('kiosk');
export const shownDatasets = computed(() => {
  const all = datasets.value ?? [];
  return dataset.value === null ? all : all.filter((d) => d.name === dataset.value);
});

/** What to call when something may have to be painted; set by the frame loop. */
let repaint: () => void = () => undefined;
export function onRepaint(callback: () => void): void {
  repaint = callback;
}

export const history = new History(() => repaint());

let structureSeen = 0;
function noteStructure(): void {
  let sum = 0;
  for (const feed of live.feeds.values()) sum += feed.structure;
  if (sum === structureSeen) return;
  structureSeen = sum;
  structure.value += 1;
}

function liveUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`;
}

export const live: LiveClient = new LiveClient(liveUrl(), {
  link: (state, since) => {
    link.value = { state, since };
    repaint();
  },
  hello: (hello, restarted) => {
    serverVersion.value = hello.version;
    if (restarted) history.clear();
    void refresh();
  },
  changed: () => scheduleRefresh(),
  stats: (stats) => {
    rates.value = new Map(stats.datasets.map((d) => [d.dataset, { events: d.events, rate: d.rate }]));
    latencyMs.value = live.latency.median(performance.now());
    leaveOpenedPast(stats.datasets);
    widenOpened();
    if (stats.datasets.length > (datasets.value?.length ?? 0)) scheduleRefresh();
  },
  data: () => {
    noteStructure();
    repaint();
  },
});

const END_PLAY_EVERY_MS = 100;
/** Changes that come together are asked for once; a single one at once, for somebody may wait for its charts. */
const REFRESH_APART_MS = 300;
const DEVICES_EVERY_MS = 2_000;
/** Counts of values seen change without a message; with them, fields leave the hidden ones. */
const CATALOG_EVERY_MS = 15_000;
let refreshTimer: ReturnType<typeof setTimeout> | undefined;
let refreshedAt = Number.NEGATIVE_INFINITY;

function scheduleRefresh(): void {
  if (refreshTimer !== undefined) return;
  const wait = refreshedAt + REFRESH_APART_MS - performance.now();
  refreshTimer = setTimeout(
    () => {
      refreshTimer = undefined;
      refreshedAt = performance.now();
      // One that is under way may have been answered before the change: after it comes another.
      void (refreshing ?? Promise.resolve()).then(refresh);
    },
    Math.max(wait, 0),
  );
}

async function refreshSchemas(names: string[]): Promise<void> {
  const answers = await Promise.all(names.map((name) => getSchema(name)));
  const next = new Map<string, Schema>();
  answers.forEach((answer, i) => {
    const name = names[i] as string;
    const before = schemas.value.get(name);
    if (answer.ok) next.set(name, answer.value);
    else if (before !== undefined) next.set(name, before);
  });
  schemas.value = next;
}

/** Asks again what datasets, schemas and devices there are. */
export function refresh(): Promise<void> {
  refreshing ??= askCatalog().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

let refreshing: Promise<void> | null = null;

async function askCatalog(): Promise<void> {
  void refreshDevices();
  const answer = await getDatasets();
  if (!answer.ok) {
    restFailure.value = answer.detail;
    return;
  }
  restFailure.value = null;
  const names = answer.value.datasets.map((d) => d.name);
  live.keepOnly(new Set(names));
  if (!opened) openWhereDataIs(answer.value.datasets);
  // Before the schemas: the sections subscribe at once, and the back-fill is under way while the schemas are.
  datasets.value = answer.value.datasets;
  await refreshSchemas(names);
}

/** False until the first datasets are known, if the address did not say which window to open. */
let opened = /[?&#](from|window)=/.test(location.hash);

function openWhereDataIs(all: DatasetInfo[]): void {
  opened = true;
  const shown = dataset.peek() === null ? all : all.filter((d) => d.name === dataset.peek());
  const [now, before] = [live.clock.now(), view.peek()];
  const next = openingView(shown, before.span, now);
  // Who was quicker with the window's keys than the server with its answer is not overruled.
  if (before.mode !== 'live' || (next.mode === 'live' && next.span === before.span)) return;
  setView(next);
  if (next.mode === 'paused') openedInPast = next;
  else openedYoung = { view: next, until: (beginOf(shown) ?? now) + next.span, usual: before };
}

/** The short window that the page opened with by itself gives way to the usual one when it is full. */
let openedYoung: { view: View; until: number; usual: View } | null = null;

function widenOpened(): void {
  if (openedYoung === null || live.clock.now() < openedYoung.until) return;
  if (view.peek() === openedYoung.view) setView(openedYoung.usual);
  openedYoung = null;
}

/** The past that the page opened with by itself; it gives way to the present as soon as there is one. */
let openedInPast: View | null = null;

function leaveOpenedPast(rates: Stats['datasets']): void {
  if (openedInPast === null || view.peek() !== openedInPast) return;
  const shown = new Set(shownDatasets.peek().map((d) => d.name));
  if (rates.some((d) => d.rate > 0 && shown.has(d.dataset))) goLive();
}

async function refreshDevices(): Promise<void> {
  const answer = await getDevices();
  if (!answer.ok) return;
  devices.value = answer.value.devices;
  repaint();
}

interface Named {
  streamed: readonly string[];
  listed: readonly DeviceInfo[];
  names: string[];
}
const named = new Map<string, Named>();
const NONE: readonly string[] = [];

/**
 * The devices of a dataset, each at the place that gives it its colour: those of the live window, then those that the server lists
 * besides, which may be in the past. Asked for at every frame, made when one of both has changed.
 */
export function namesOfDevices(of: string): string[] {
  const streamed = live.feeds.get(of)?.current?.devices ?? NONE;
  const listed = devices.peek();
  const known = named.get(of);
  if (known?.streamed === streamed && known.listed === listed) return known.names;
  const first = new Set(streamed);
  const others = listed.filter((d) => d.dataset === of && !first.has(d.device)).map((d) => d.device);
  const names = [...streamed, ...others];
  named.set(of, { streamed, listed, names });
  return names;
}

function poll(every: number, ask: () => Promise<void>): void {
  setInterval(() => {
    if (!document.hidden && link.value.state === 'open') void ask();
  }, every);
}

// --- actions ---------------------------------------------------------------------------------------------------------

/** Where Back leads: the windows that were zoomed out of, oldest first. */
const visited: View[] = [];
const MOST_VISITED = 50;

export function setView(next: View): void {
  const resumed = next.mode === 'live' && view.value.mode !== 'live';
  view.value = next;
  live.hold(next.mode !== 'live');
  if (resumed) {
    visited.length = 0;
    for (const feed of live.feeds.values()) feed.tidy();
  }
  repaint();
}

export function goLive(span = view.value.span): void {
  interrupted = null;
  setView({ mode: 'live', span });
}

export function pause(): void {
  const { from, to } = bounds(view.value, live.clock.now());
  setView(pausedAt(view.value, from, to));
}

/** What a pause of the playing interrupted; Live forgets it. */
let interrupted: { rate: number; loop: Stretch | null } | null = null;

export function togglePause(): void {
  const current = view.value;
  if (current.mode !== 'paused') {
    interrupted = current.mode === 'play' ? { rate: current.rate, loop: current.loop } : null;
    pause();
  } else if (interrupted !== null) {
    play(interrupted.rate, interrupted.loop);
  } else {
    goLive();
  }
}

/** The pace that Play takes up again. */
export const rate = signal(first.view.mode === 'play' ? Math.abs(first.view.rate) : 1);

/** Plays the past from where the window is; backwards with a negative `pace`. Without a loop it ends in the present. */
export function play(
  pace: number,
  loop: Stretch | null = view.peek().mode === 'play' ? loopOf(view.peek()) : null,
): void {
  rate.value = Math.abs(pace);
  setView(played(view.peek(), pace, loop, live.clock.now()));
}

/** Plays on from the window; in the present, where nothing is ahead, from the stretch before it. */
export function playOn(pace: number): void {
  const now = live.clock.now();
  const { from, to } = bounds(view.peek(), now);
  if (to >= now - 1_000_000) {
    const begin = Math.max(from - (to - from), extent().from);
    setView(pausedAt(view.peek(), begin, begin + (to - from)));
  }
  play(pace);
}

export function loopOf(of: View): Stretch | null {
  return of.mode === 'play' ? of.loop : null;
}

/** The window jumps so that it ends at `to`; what plays goes on from there. */
export function seek(to: number): void {
  const now = live.clock.now();
  const current = view.peek();
  const { from, to: end } = bounds(current, now);
  const head = Math.min(to, now);
  const next = pausedAt(current, head - (end - from), head);
  setView(current.mode === 'play' ? played(next, current.rate, current.loop, now) : next);
}

/** First and last event of the datasets that are shown, and the present. µs. */
export function extent(): Stretch {
  const now = live.clock.now();
  return { from: Math.min(beginOf(shownDatasets.peek()) ?? now, now - 1_000_000), to: now };
}

/** What plays ends where there is nothing more: in the present it becomes live, before the first event it stops. */
function endPlay(): void {
  const current = view.peek();
  if (current.mode !== 'play' || current.loop !== null) return;
  const { from, to } = bounds(current, live.clock.now());
  const limits = extent();
  if (current.rate > 1 && to >= limits.to - 50_000) goLive(to - from);
  else if (current.rate < 0 && to <= limits.from) pause();
}

/** What the window did before the drag that is under way; null while there is none, or when it stood still. */
let beforeDrag: View | null = null;

/** The window must not slide away under a drag. */
export function pauseForDrag(): void {
  if (view.value.mode === 'paused') return;
  beforeDrag = view.value;
  pause();
}

export function resumeAfterDrag(): void {
  if (beforeDrag?.mode === 'live') goLive();
  else if (beforeDrag?.mode === 'play') setView(played(view.value, beforeDrag.rate, beforeDrag.loop, live.clock.now()));
  beforeDrag = null;
}

export function zoomTo(from: number, to: number): void {
  // What played is left as it stands: it would have gone on meanwhile.
  visited.push(beforeDrag?.mode === 'live' ? beforeDrag : view.value);
  if (visited.length > MOST_VISITED) visited.shift();
  beforeDrag = null;
  setView(pausedAt(view.value, from, to));
}

/** Back to the window before the last zoom, in the end to the live one. */
export function goBack(): void {
  const before = visited.pop();
  if (before !== undefined) setView(before);
  else if (view.value.mode !== 'live') goLive();
}

/** Closer or wider around a place in the window, as a wheel or two fingers ask for. */
export function zoomAround(factor: number, part: number): void {
  setView(zoomedAt(view.value, factor, part, live.clock.now()));
}

export function zoom(direction: 1 | -1): void {
  setView(zoomed(view.value, direction, live.clock.now()));
}

export function pan(part: number): void {
  setView(panned(view.value, part, live.clock.now()));
}

export function setOverlay(next: Overlay | null): void {
  overlay.value = next;
}

export function toggleDevice(key: string): void {
  const next = new Set(hiddenDevices.value);
  if (!next.delete(key)) next.add(key);
  hiddenDevices.value = next;
  repaint();
}

function urlState(): UrlState {
  return {
    screen: screen.value,
    dataset: dataset.value,
    // A window that is short for a moment only is none to be sent on.
    view: view.value === openedYoung?.view ? openedYoung.usual : view.value,
    overlay: overlay.value,
    hidden: [...hiddenDevices.value].sort(),
    // What the browser would take by itself need not be said.
    theme: theme.value === 'system' ? null : theme.value,
    language: language.value === ownLanguage() ? null : language.value,
    own: own.value,
  };
}

function hashOf(changed: Partial<UrlState>): string {
  const hash = formatHash({ ...urlState(), ...changed });
  return hash === '' ? '#' : hash;
}

/** Address of a dataset on the present screen, of all of them with null; window, theme and language stay. */
export function hrefOf(name: string | null): string {
  return hashOf({ dataset: name });
}

/** Address of a screen; dataset, window, theme and language stay, `parameters` are what the screen keeps for itself. */
export function hrefOfScreen(name: string, parameters: Own = {}): string {
  return hashOf({ screen: name, own: parameters });
}

/** Changes what the screen keeps in the address; an empty text takes the key out. The way back stays as it is. */
export function setOwn(changed: Own): void {
  own.value = Object.fromEntries(Object.entries({ ...own.peek(), ...changed }).filter(([, value]) => value !== ''));
}

export function setTheme(next: Theme): void {
  theme.value = next;
  remember('theme', next);
}

export function setLanguage(next: Language): void {
  remember('language', next);
  void speak(next);
}

function applyHash(): void {
  // What was to be written is of the page that was left.
  clearTimeout(hashTimer);
  knownHash = location.hash;
  const state = parseHash(location.hash, live.clock.now());
  batch(() => {
    screen.value = state.screen;
    dataset.value = state.dataset;
    own.value = state.own;
    overlay.value = state.overlay;
    hiddenDevices.value = new Set(state.hidden);
    if (state.theme !== null) theme.value = state.theme;
  });
  if (state.language !== null && state.language !== language.peek()) void speak(state.language);
  setView(state.view);
}

/**
 * Connects the state to the page: URL, theme, language, hidden tab, polling. Called once. Resolves when the texts of the
 * language are here.
 */
export async function start(): Promise<void> {
  live.hold(view.value.mode !== 'live');
  theme.subscribe((value) => {
    document.documentElement.dataset.theme = value;
  });
  language.subscribe((value) => {
    document.documentElement.lang = value;
    repaint();
  });
  window.addEventListener('hashchange', applyHash);
  window.addEventListener('online', () => live.hurry());
  document.addEventListener('visibilitychange', () => {
    live.setHidden(document.hidden);
    repaint();
  });
  overlay.subscribe(() => repaint());
  setInterval(endPlay, END_PLAY_EVERY_MS);
  poll(DEVICES_EVERY_MS, refreshDevices);
  poll(CATALOG_EVERY_MS, refresh);
  void refresh();
  await speak(firstLanguage);
  effect(writeHash);
}

/** Browsers refuse to be told of a new address too often: Safari after 100 times in 30 s. */
const HASH_EVERY_MS = 350;
let hashWrittenAt = Number.NEGATIVE_INFINITY;
let hashTimer: ReturnType<typeof setTimeout> | undefined;

function writeHash(): void {
  const hash = formatHash(urlState());
  clearTimeout(hashTimer);
  const wait = hashWrittenAt + HASH_EVERY_MS - performance.now();
  if (wait > 0) hashTimer = setTimeout(() => putHash(hash), wait);
  else putHash(hash);
}

/** The address as this page last read or wrote it. */
let knownHash = location.hash;

function putHash(hash: string): void {
  // Another address has been asked for, and the event that says so is on its way: it must find what was asked for.
  if (location.hash !== knownHash || hash === location.hash) return;
  hashWrittenAt = performance.now();
  // Replaced, not pushed: a window that changes with every drag would fill the browser's way back.
  window.history.replaceState(null, '', hash === '' ? location.pathname + location.search : hash);
  knownHash = location.hash;
}
