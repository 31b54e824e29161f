// The REST interface, as far as the dashboard reads it. A failure is a value: `null` body with the reason.

export interface DatasetInfo {
  name: string;
  topic: string;
  label: string;
  schema_version: number;
  fields: number;
  devices: number;
  events: number;
  rate: number;
  first_time: number | null;
  last_time: number | null;
}

export type FieldKind = 'measure' | 'counter' | 'state' | 'boolean' | 'latitude' | 'longitude' | 'text' | 'identifier';

export interface SchemaField {
  name: string;
  label: string;
  type: 'boolean' | 'integer' | 'float' | 'text' | 'json';
  unit: string;
  kind: FieldKind;
  group: string;
  /** People said so: the page leaves it out. */
  hidden?: boolean;
  first_seen: number | null;
  /** Non-null values seen so far. */
  count: number;
}

export interface Schema {
  dataset: string;
  version: number;
  fields: SchemaField[];
}

export interface DeviceInfo {
  device: string;
  dataset: string;
  prototype: string | null;
  first_seen: number;
  last_seen: number;
  rate: number;
  expected_rate: number | null;
  state: 'live' | 'late' | 'lost';
  events: number;
}

export interface Series {
  field: string;
  agg: string;
  values: (number | null)[];
}

export interface SeriesAnswer {
  /** Width of a bucket, µs; the server takes a round one, at least as wide as asked for. */
  interval_us: number;
  /** Starts of all buckets, µs. */
  time: number[];
  series: Series[];
}

export type Answer<T> = { ok: true; value: T } | { ok: false; detail: string; aborted: boolean };

interface Ask {
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** One request with JSON in and out; an answer without a body is null. */
export async function request<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer<T>> {
  return send(method, path, { body, signal });
}

async function send<T>(method: string, path: string, { body, signal }: Ask): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    const response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    const answer = (response.status === 204 ? null : await response.json()) as (T & { detail?: string }) | null;
    if (response.ok) return { ok: true, value: answer as T };
    return { ok: false, detail: answer?.detail ?? `${response.status}`, aborted: false };
  } catch (error) {
    const aborted = error instanceof DOMException && error.name === 'AbortError';
    return { ok: false, detail: error instanceof Error ? error.message : String(error), aborted };
  }
}

function get<T>(path: string, signal?: AbortSignal): Promise<Answer<T>> {
  return send('GET', path, { signal });
}

export function getDatasets(): Promise<Answer<{ datasets: DatasetInfo[] }>> {
  return get('/api/v1/datasets');
}

export function getSchema(dataset: string): Promise<Answer<Schema>> {
  return get(`/api/v1/datasets/${encodeURIComponent(dataset)}/schema`);
}

export function getDevices(): Promise<Answer<{ devices: DeviceInfo[] }>> {
  return get('/api/v1/devices');
}

export interface SeriesQuery {
  dataset: string;
  /** Empty: of all devices together. */
  device: string;
  fields: string[];
  /** µs since the epoch. */
  from: number;
  to: number;
  points: number;
  agg: string;
}

/** A comma inside a name is written with a backslash before it. */
function listOf(names: string[]): string {
  return names.map((name) => name.replaceAll(',', '\\,')).join(',');
}

export function getSeries(query: SeriesQuery, signal: AbortSignal): Promise<Answer<SeriesAnswer>> {
  const parameters = new URLSearchParams({
    fields: listOf(query.fields),
    from: String(Math.round(query.from)),
    to: String(Math.round(query.to)),
    points: String(query.points),
    agg: query.agg,
  });
  if (query.device !== '') parameters.set('device', query.device);
  return get(`/api/v1/datasets/${encodeURIComponent(query.dataset)}/series?${parameters}`, signal);
}

export interface StoredEvent {
  '@timestamp': string;
  device: string;
  [field: string]: unknown;
}

export interface EventsQuery {
  dataset: string;
  device: string;
  field: string;
  /** µs since the epoch. */
  from: number;
  to: number;
  limit: number;
}

/** The newest events of the window, newest first, with one field. */
export function getEvents(query: EventsQuery, signal: AbortSignal): Promise<Answer<{ events: StoredEvent[] }>> {
  const parameters = new URLSearchParams({
    fields: listOf([query.field]),
    from: String(Math.round(query.from)),
    to: String(Math.round(query.to)),
    limit: String(query.limit),
    order: 'desc',
    device: query.device,
  });
  return get(`/api/v1/datasets/${encodeURIComponent(query.dataset)}/events?${parameters}`, signal);
}
