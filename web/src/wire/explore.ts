// Stored events with a filter, their counts over time, and what a dataset's fields hold.

import { call, listOf, path, query, type Reply } from './call';
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
  type: string;
  unit: string;
  count: number;
  /** Part of the events without a value, in percent. */
  missing: number;
  distinct?: number;
  min?: number | string | null;
  max?: number | string | null;
  mean?: number | null;
  stddev?: number | null;
  quantiles?: Record<string, number | null>;
  histogram?: { from: number; to: number; counts: number[] };
  top?: TopValue[];
  first_seen?: number | string;
  last_seen?: number | string;
}

export interface Profile {
  dataset: string;
  events: number;
  exact?: boolean;
  fields: FieldProfile[];
}
