// What the charts read over REST: datasets, schemas, devices, series and events.

import { call, listOf, path, query, type Reply } from './call';

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

/** Of each pixel column first, lowest, highest and last reading: every field with times of its own. */
export interface PictureAnswer {
  from: number;
  to: number;
  columns: number;
  series: (Series & { time: number[] })[];
}

export interface SeriesAnswer {
  /** Width of a bucket, µs; the server takes a round one, at least as wide as asked for. */
  interval_us: number;
  /** Starts of all buckets, µs. */
  time: number[];
  series: Series[];
}

export function getDatasets(): Promise<Reply<{ datasets: DatasetInfo[] }>> {
  return call(path('/datasets'));
}

export function getSchema(dataset: string): Promise<Reply<Schema>> {
  return call(path('/datasets/{}/schema', dataset));
}

export function getDevices(): Promise<Reply<{ devices: DeviceInfo[] }>> {
  return call(path('/devices'));
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

export function getSeries(question: SeriesQuery, signal: AbortSignal): Promise<Reply<SeriesAnswer>> {
  return askSeries(question, signal);
}

/** `agg=m4`: what draws the same line as all readings. `points` are the pixel columns of the window. */
export function getPicture(question: Omit<SeriesQuery, 'agg'>, signal: AbortSignal): Promise<Reply<PictureAnswer>> {
  return askSeries({ ...question, agg: 'm4' }, signal);
}

function askSeries<T>(question: SeriesQuery, signal: AbortSignal): Promise<Reply<T>> {
  const { device, fields, from, to, points, agg } = question;
  const parameters = query({ fields: listOf(fields), device, from, to, points, agg });
  return call(`${path('/datasets/{}/series', question.dataset)}${parameters}`, { signal });
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
export function getEvents(question: EventsQuery, signal: AbortSignal): Promise<Reply<{ events: StoredEvent[] }>> {
  const { device, field, from, to, limit } = question;
  const parameters = query({ fields: listOf([field]), device, from, to, limit, order: 'desc' });
  return call(`${path('/datasets/{}/events', question.dataset)}${parameters}`, { signal });
}
