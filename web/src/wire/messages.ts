// The control messages of the live WebSocket, and the check that turns received text into one of them or null.

export type FieldType = 'boolean' | 'integer' | 'float' | 'text' | 'json';

export interface FieldEntry {
  index: number;
  name: string;
  type: FieldType;
  unit: string;
}

export interface Hello {
  op: 'hello';
  version: string;
  /** µs since the epoch. */
  time: number;
  /** µs since the epoch; another value than before means that the process was restarted. */
  started: number;
}

export interface Fields {
  op: 'fields';
  id: number;
  dataset: string;
  schema_version: number;
  fields: FieldEntry[];
  devices: string[];
}

export interface Changed {
  op: 'changed';
  what: string;
}

export interface Stats {
  op: 'stats';
  time: number;
  datasets: { dataset: string; events: number; rate: number }[];
  latency_ms: { p50: number | null; p99: number | null };
}

export interface Refused {
  op: 'error';
  id: number | null;
  detail: string;
}

export type ServerMessage = Hello | Fields | Changed | Stats | Refused;

export interface Subscribe {
  op: 'subscribe';
  id: number;
  dataset: string;
  device: string;
  fields: string[];
  window: string;
  pixels: number;
  rate: number;
}

export type ClientMessage =
  | Subscribe
  | { op: 'ack'; id: number; seq: number }
  | { op: 'park' | 'resume' | 'unsubscribe'; id: number };

type Loose = Record<string, unknown>;

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const TYPES: readonly string[] = ['boolean', 'integer', 'float', 'text', 'json'];

function parseFields(message: Loose): Fields | null {
  const id = finite(message.id);
  if (id === null || !Array.isArray(message.fields) || !Array.isArray(message.devices)) return null;
  const fields: FieldEntry[] = [];
  for (const entry of message.fields as Loose[]) {
    const index = finite(entry?.index);
    if (index === null || index < 0 || index >= 0xfffe || !TYPES.includes(text(entry.type))) return null;
    fields.push({ index, name: text(entry.name), type: entry.type as FieldType, unit: text(entry.unit) });
  }
  return {
    op: 'fields',
    id,
    dataset: text(message.dataset),
    schema_version: finite(message.schema_version) ?? 0,
    fields,
    devices: message.devices.map(text),
  };
}

function parseStats(message: Loose): Stats {
  const latency = (message.latency_ms ?? {}) as Loose;
  const datasets = Array.isArray(message.datasets) ? (message.datasets as Loose[]) : [];
  return {
    op: 'stats',
    time: finite(message.time) ?? 0,
    datasets: datasets.map((d) => ({
      dataset: text(d?.dataset),
      events: finite(d?.events) ?? 0,
      rate: finite(d?.rate) ?? 0,
    })),
    latency_ms: { p50: finite(latency.p50), p99: finite(latency.p99) },
  };
}

/** The message that `json` holds, or null when it is none that this client knows. */
export function parseMessage(json: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const message = value as Loose;
  switch (message.op) {
    case 'hello':
      return {
        op: 'hello',
        version: text(message.version),
        time: finite(message.time) ?? 0,
        started: finite(message.started) ?? 0,
      };
    case 'fields':
      return parseFields(message);
    case 'changed':
      return { op: 'changed', what: text(message.what) };
    case 'stats':
      return parseStats(message);
    case 'error':
      return { op: 'error', id: finite(message.id), detail: text(message.detail) };
    default:
      return null;
  }
}
