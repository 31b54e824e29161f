// A dashboard as a document: panels on a grid of twelve columns. Everything here is arithmetic on values; nothing knows the page.

import type { Severity, Threshold } from '../../chart/thresholds';
import { groupFields, isNumeric, isState } from '../../state/groups';
import type { SchemaField } from '../../wire/rest';

export const COLUMNS = 12;
export const MOST_PANELS = 60;
const MOST_ROWS = 1_000;
const MOST_FIELDS = 16;
const MOST_THRESHOLDS = 8;
const LONGEST_TEXT = 4_000;

export const KINDS = [
  'line',
  'area',
  'bar',
  'histogram',
  'heatmap',
  'scatter',
  'stat',
  'gauge',
  'table',
  'map',
  'state',
  'text',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface PanelSpec extends Place {
  /** Unique in its board; it outlives moves and edits. */
  id: number;
  kind: Kind;
  /** Empty: made from the fields. */
  title: string;
  dataset: string;
  fields: string[];
  thresholds: Threshold[];
  /** Ends of a gauge; null: the extremes of the window. */
  ends: { low: number; high: number } | null;
  /** Of a text panel. */
  text: string;
}

export interface Board {
  panels: PanelSpec[];
}

export const EMPTY: Board = { panels: [] };

/** Width, height of a new panel; the fields that a kind takes: least, most. */
export const TRAITS: Record<Kind, { w: number; h: number; least: number; most: number; numeric: boolean }> = {
  line: { w: 4, h: 4, least: 1, most: MOST_FIELDS, numeric: true },
  area: { w: 4, h: 4, least: 1, most: MOST_FIELDS, numeric: true },
  bar: { w: 4, h: 4, least: 1, most: MOST_FIELDS, numeric: true },
  histogram: { w: 4, h: 4, least: 1, most: 1, numeric: true },
  heatmap: { w: 6, h: 4, least: 1, most: 1, numeric: true },
  scatter: { w: 4, h: 6, least: 2, most: 2, numeric: true },
  stat: { w: 2, h: 3, least: 1, most: 1, numeric: true },
  gauge: { w: 3, h: 4, least: 1, most: 1, numeric: true },
  table: { w: 6, h: 6, least: 1, most: MOST_FIELDS, numeric: false },
  map: { w: 4, h: 7, least: 0, most: 0, numeric: false },
  state: { w: 6, h: 2, least: 1, most: 1, numeric: false },
  text: { w: 3, h: 2, least: 0, most: 0, numeric: false },
};

export const SMALLEST = { w: 1, h: 2 };

// --- reading -----------------------------------------------------------------------------------------------------------

type Loose = Record<string, unknown>;

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null;
const finite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function whole(value: unknown, least: number, most: number): number | null {
  return finite(value) && Number.isInteger(value) && value >= least && value <= most ? value : null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : '';
}

const SEVERITIES: readonly Severity[] = ['good', 'warn', 'bad'];

function thresholdsOf(value: unknown): Threshold[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_THRESHOLDS).flatMap((entry: Loose) => {
    const severity = SEVERITIES.find((s) => s === entry?.severity);
    return finite(entry?.value) && severity !== undefined ? [{ value: entry.value, severity }] : [];
  });
}

function panelOf(entry: unknown): PanelSpec | null {
  if (!isObject(entry)) return null;
  const kind = KINDS.find((k) => k === entry.kind);
  const id = whole(entry.id, 1, Number.MAX_SAFE_INTEGER);
  const w = whole(entry.w, SMALLEST.w, COLUMNS);
  const h = whole(entry.h, SMALLEST.h, 60);
  const x = whole(entry.x, 0, COLUMNS - (w ?? COLUMNS));
  const y = whole(entry.y, 0, MOST_ROWS);
  if (kind === undefined || id === null || x === null || y === null || w === null || h === null) return null;
  const fields = Array.isArray(entry.fields) ? entry.fields.filter((f) => typeof f === 'string') : [];
  const ends = isObject(entry.ends) ? entry.ends : null;
  return {
    ...{ id, kind, x, y, w, h },
    title: textOf(entry.title),
    dataset: textOf(entry.dataset),
    fields: fields.slice(0, TRAITS[kind].most),
    thresholds: thresholdsOf(entry.thresholds),
    ends:
      ends !== null && finite(ends.low) && finite(ends.high) && ends.low < ends.high
        ? { low: ends.low, high: ends.high }
        : null,
    text: textOf(entry.text),
  };
}

/** The board that a document holds, whoever wrote it; null when it is none. A panel that cannot be read is left out. */
export function boardOf(document: unknown): Board | null {
  if (!isObject(document) || !Array.isArray(document.panels)) return null;
  const seen = new Set<number>();
  const panels = document.panels.slice(0, MOST_PANELS).flatMap((entry) => {
    const panel = panelOf(entry);
    if (panel === null || seen.has(panel.id)) return [];
    seen.add(panel.id);
    return [panel];
  });
  return { panels: settled(panels) };
}

/** The document of a board: what is at its first value is left out, it has to fit into an address. */
export function documentOf(board: Board): unknown {
  return {
    panels: board.panels.map(({ id, kind, x, y, w, h, title, dataset, fields, thresholds, ends, text }) => ({
      ...{ id, kind, x, y, w, h },
      ...(title === '' ? {} : { title }),
      ...(dataset === '' ? {} : { dataset }),
      ...(fields.length === 0 ? {} : { fields }),
      ...(thresholds.length === 0 ? {} : { thresholds }),
      ...(ends === null ? {} : { ends }),
      ...(text === '' ? {} : { text }),
    })),
  };
}

/** The board in an address: its document as base64 without padding, with `-` and `_`. */
export function packed(board: Board): string {
  const bytes = new TextEncoder().encode(JSON.stringify(documentOf(board)));
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

export function unpacked(text: string): Board | null {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
    return boardOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    return null;
  }
}

// --- the grid ----------------------------------------------------------------------------------------------------------

export function overlaps(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/**
 * No two panels overlap, and none hangs in the air: from the top down each goes as far up as it can. The one that is `held` is
 * placed first: others make way for it.
 */
export function settled(panels: readonly PanelSpec[], held: number | null = null): PanelSpec[] {
  const order = [...panels].sort((a, b) => {
    if (a.y !== b.y) return a.y - b.y;
    if (a.id === held || b.id === held) return a.id === held ? -1 : 1;
    return a.x - b.x;
  });
  const placed: PanelSpec[] = [];
  const keep = order.find((panel) => panel.id === held);
  // The held one stays at its height while the others flow around it; it rises with them at the end.
  if (keep !== undefined) placed.push(keep);
  for (const panel of order) {
    if (panel.id === held) continue;
    placed.push({ ...panel, y: freeHeight(placed, panel) });
  }
  if (keep !== undefined) {
    const others = placed.filter((panel) => panel.id !== held);
    const y = risen(others, keep);
    const moved = others.concat({ ...keep, y });
    // What stood below it may rise after it.
    return y === keep.y ? byId(panels, moved) : settled(byId(panels, moved));
  }
  return byId(panels, placed);
}

/** In the order of the panels that were given: the order of the document is not that of the places. */
function byId(order: readonly PanelSpec[], placed: readonly PanelSpec[]): PanelSpec[] {
  const places = new Map(placed.map((panel) => [panel.id, panel]));
  return order.map((panel) => places.get(panel.id) as PanelSpec);
}

/** The least height at which the panel overlaps none of those that are placed. */
function freeHeight(placed: readonly PanelSpec[], panel: Place): number {
  const inTheWay = placed.filter((other) => panel.x < other.x + other.w && other.x < panel.x + panel.w);
  inTheWay.sort((a, b) => a.y - b.y);
  let y = 0;
  for (const other of inTheWay) {
    if (other.y >= y + panel.h) break;
    y = Math.max(y, other.y + other.h);
  }
  return y;
}

/** As far up as the panel can go from where it is, past nothing. */
function risen(others: readonly PanelSpec[], panel: PanelSpec): number {
  let y = 0;
  for (const other of others) {
    const sideBySide = panel.x >= other.x + other.w || other.x >= panel.x + panel.w;
    if (!sideBySide && other.y < panel.y) y = Math.max(y, other.y + other.h);
  }
  return y;
}

function changed(board: Board, id: number, change: Partial<PanelSpec>): Board {
  return { panels: board.panels.map((panel) => (panel.id === id ? { ...panel, ...change } : panel)) };
}

/** Moves a panel to a place; others make way. */
export function moved(board: Board, id: number, x: number, y: number): Board {
  const panel = board.panels.find((p) => p.id === id);
  if (panel === undefined) return board;
  const place = { x: Math.min(Math.max(x, 0), COLUMNS - panel.w), y: Math.min(Math.max(y, 0), MOST_ROWS) };
  return { panels: settled(changed(board, id, place).panels, id) };
}

export function resized(board: Board, id: number, w: number, h: number): Board {
  const panel = board.panels.find((p) => p.id === id);
  if (panel === undefined) return board;
  const size = {
    w: Math.min(Math.max(w, SMALLEST.w), COLUMNS - panel.x),
    h: Math.min(Math.max(h, SMALLEST.h), 60),
  };
  return { panels: settled(changed(board, id, size).panels, id) };
}

export function edited(board: Board, id: number, change: Partial<Omit<PanelSpec, 'id'>>): Board {
  return changed(board, id, change);
}

export function removed(board: Board, id: number): Board {
  return { panels: settled(board.panels.filter((panel) => panel.id !== id)) };
}

function nextId(board: Board): number {
  return board.panels.reduce((most, panel) => Math.max(most, panel.id), 0) + 1;
}

/** Adds a panel where it fits first, from the top left. The same board when it is full. */
export function added(board: Board, panel: Partial<PanelSpec> & { kind: Kind }): { board: Board; id: number | null } {
  if (board.panels.length >= MOST_PANELS) return { board, id: null };
  const { w, h } = { ...TRAITS[panel.kind], ...panel };
  const id = nextId(board);
  const blank = { title: '', dataset: '', fields: [], thresholds: [], ends: null, text: '' };
  const place = firstRoom(board, w, h);
  const made: PanelSpec = { ...blank, ...panel, id, w, h, ...place };
  return { board: { panels: [...board.panels, made] }, id };
}

function firstRoom(board: Board, w: number, h: number): { x: number; y: number } {
  let best = { x: 0, y: Number.POSITIVE_INFINITY };
  for (let x = 0; x + w <= COLUMNS; x++) {
    const y = freeHeight(board.panels, { x, y: 0, w, h });
    if (y < best.y) best = { x, y };
  }
  return best;
}

/** A copy of a panel, below it or where there is room. */
export function duplicated(board: Board, id: number): { board: Board; id: number | null } {
  const panel = board.panels.find((p) => p.id === id);
  return panel === undefined ? { board, id: null } : added(board, { ...panel });
}

/** The dashboard that a dataset has without configuration, as one that can be edited. */
export function boardOfDataset(dataset: string, fields: readonly SchemaField[]): Board {
  const used = fields.filter((field) => field.hidden !== true && field.count > 0);
  const numeric = used.filter(isNumeric);
  let board = EMPTY;
  const add = (kind: Kind, names: string[], size: Partial<Place> = {}) => {
    board = added(board, { kind, dataset, fields: names, ...size }).board;
  };
  const located = used.some((f) => f.kind === 'latitude') && used.some((f) => f.kind === 'longitude');
  for (const field of numeric.slice(0, 4)) add('stat', [field.name], { w: located ? 2 : 3 });
  if (located) add('map', []);
  for (const field of used.filter(isState).slice(0, 4)) add('state', [field.name], { w: located ? 8 : 6 });
  for (const group of groupFields(numeric).slice(0, 8)) {
    for (const field of group.fields.slice(0, 4)) add('line', [field.name]);
  }
  return { panels: settled(board.panels) };
}

// --- undo --------------------------------------------------------------------------------------------------------------

const MOST_STEPS = 100;

/** The boards before and after the present one. */
export interface Steps {
  past: readonly Board[];
  present: Board;
  future: readonly Board[];
}

export const begun = (board: Board): Steps => ({ past: [], present: board, future: [] });

/** With `same`, the step goes on with the one before: a drag is one step. */
export function stepped(steps: Steps, board: Board, same = false): Steps {
  if (board === steps.present) return steps;
  const past = same ? steps.past : [...steps.past, steps.present].slice(-MOST_STEPS);
  return { past, present: board, future: [] };
}

export function undone({ past, present, future }: Steps): Steps {
  const before = past.at(-1);
  return before === undefined
    ? { past, present, future }
    : { past: past.slice(0, -1), present: before, future: [present, ...future] };
}

export function redone({ past, present, future }: Steps): Steps {
  const [after, ...rest] = future;
  return after === undefined ? { past, present, future } : { past: [...past, present], present: after, future: rest };
}
