// Stored events with a filter, their counts over time, and what a dataset's fields hold.

import { call, listOf, path, query, type Reply } from './call';
import type { FieldKind, FieldType } from './kinds';
import type { SeriesAnswer } from './rest';

export interface Selection {
  dataset: string;
  /** A filter of the server's language; '' for all. */
  where: string;
  /** µs since the epoch; `to` exclusive. */
  from: number;
  to: number;
}

/** A stored event; numbers that a double cannot hold are texts of their digits. */
export interface EventRow {
  '@timestamp': string;
  device: string;
  _partition: number;
  _offset: number;
  [field: string]: unknown;
}

interface ParseContext {
  source?: string;
}

/** JSON.parse that keeps every digit: a whole number beyond 2^53 becomes the text it is written in. */
export function parseExact(text: string): unknown {
  const keep = (_key: string, value: unknown, context?: ParseContext): unknown =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? (context?.source ?? String(value))
      : value;
  return JSON.parse(text, keep as (this: unknown, key: string, value: unknown) => unknown);
}

/** The value of a field, also of one inside another member (`engine.oil`); undefined when it is not there. */
export function fieldValue(row: Readonly<Record<string, unknown>>, field: string): unknown {
  if (Object.hasOwn(row, field)) return row[field];
  let value: unknown = row;
  for (const part of field.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function eventsPath(dataset: string): string {
  return path('/datasets/{}/events', dataset);
}

export function getRows(
  selection: Selection,
  fields: readonly string[],
  limit: number,
  signal?: AbortSignal,
): Promise<Reply<{ events: EventRow[]; next: string | null }>> {
  const { where, from, to } = selection;
  const parameters = query({ where, from, to, limit, fields: listOf(fields), order: 'desc' });
  return call(`${eventsPath(selection.dataset)}${parameters}`, { signal, read: parseExact });
}

/** The whole of one event, found by its time and offset. */
export async function getWhole(dataset: string, row: EventRow, time: number): Promise<EventRow | null> {
  const parameters = query({ from: time, to: time + 1_000, limit: 1_000 });
  const answer = await call<{ events: EventRow[] }>(`${eventsPath(dataset)}${parameters}`, { read: parseExact });
  if (!answer.ok) return null;
  return answer.value.events.find((e) => e._offset === row._offset && e._partition === row._partition) ?? null;
}

export interface CountsQuery extends Selection {
  /** Whose values are counted: the field that comes with the most events. */
  field: string;
  points: number;
}

export function getCounts(counts: CountsQuery, signal?: AbortSignal): Promise<Reply<SeriesAnswer>> {
  const { where, from, to, points, field } = counts;
  const parameters = query({ fields: listOf([field]), agg: 'count', where, from, to, points });
  return call(`${path('/datasets/{}/series', counts.dataset)}${parameters}`, { signal });
}

/** Address of an export by the server, oldest first. */
export function exportAddress(selection: Selection, format: 'csv' | 'ndjson', fields: readonly string[]): string {
  const { where, from, to } = selection;
  const all = { where, from, to, format, order: 'asc', limit: '100000000', fields: listOf(fields) };
  return `${eventsPath(selection.dataset)}${query(all)}`;
}

export interface TopValue {
  value: string | number | boolean | null;
  count: number;
}

export interface FieldProfile {
  name: string;
  label: string;
  type: FieldType;
  unit: string;
  kind: FieldKind;
  /** Events with a value. */
  count: number;
  missing: number;
  missing_percent: number;
  distinct: number;
  distinct_exact: boolean;
  min?: number;
  max?: number;
  mean?: number;
  stddev?: number;
  /** p1, p5, p25, p50, p75, p95, p99. */
  quantiles?: Record<string, number>;
  histogram?: { from: number; to: number; counts: number[] };
  outliers?: { low: number; high: number; below: number; above: number };
  top: TopValue[];
  /** µs since the epoch. */
  first: number | null;
  last: number | null;
}

export interface Profile {
  dataset: string;
  events: number;
  /** All events of the range are in it. */
  complete: boolean;
  exact: boolean;
  ms: number;
  fields: FieldProfile[];
}

/** Rows of a stream that a profile is made of: enough for what is shown, and read in a moment. */
const PROFILE_ROWS = 100_000;

export function getProfile(selection: Selection, signal?: AbortSignal): Promise<Reply<Profile>> {
  const { where, from, to } = selection;
  return call(`${path('/datasets/{}/profile', selection.dataset)}${query({ where, from, to, limit: PROFILE_ROWS })}`, {
    signal,
  });
}
