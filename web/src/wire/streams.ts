// Topics, consumer groups, dead letters, schemas and prototypes.

import { call, path, query, type Reply } from './call';
import type { FieldKind, FieldType } from './kinds';

export interface Damage {
  first: number;
  next: number;
  file: string;
  position: number;
  reason: string;
}

export interface PartitionInfo {
  partition: number;
  earliest: number;
  written: number;
  durable: number;
  bytes: number;
  segments: number;
  read_only: boolean;
  damage: Damage[];
}

export interface TopicInfo {
  topic: string;
  options: {
    partitions: number;
    segment_size: number;
    retention: { size: number; age_us: number };
    sync: string;
    sync_interval_us: number;
    compact: boolean;
  };
  partitions: PartitionInfo[];
}

export function getTopics(signal?: AbortSignal): Promise<Reply<{ topics: TopicInfo[] }>> {
  return call('/api/v1/topics', { signal });
}

export interface LogMessage {
  offset: number;
  time: string;
  append_time: string;
  device: string;
  schema: number;
  value: unknown;
}

/** Where to begin: an offset, or a time in any form that the server takes. */
export type MessageStart = { offset: number | 'earliest' | 'latest' } | { time: string };

export function getMessages(
  topic: string,
  partition: number,
  start: MessageStart,
  limit: number,
  signal?: AbortSignal,
): Promise<Reply<{ messages: LogMessage[]; next_offset: number }>> {
  const where = path('/topics/{}/partitions/{}/messages', topic, partition);
  return call(`${where}${query({ ...start, limit })}`, { signal });
}

export interface GroupPartition {
  topic: string;
  partition: number;
  committed: number | null;
  /** The next to read; absent when the topic does not exist. */
  next?: number;
  lag?: number;
  lag_seconds?: number;
  lost?: number;
  owner?: string;
}

export interface GroupInfo {
  group: string;
  state: string;
  generation: number;
  member_count: number;
  offsets: GroupPartition[];
}

export function getGroups(signal?: AbortSignal): Promise<Reply<{ groups: GroupInfo[] }>> {
  return call('/api/v1/groups', { signal });
}

export function resetGroup(group: string, topic: string, to: 'earliest' | 'latest'): Promise<Reply<unknown>> {
  return call(path('/groups/{}/offsets', group), { method: 'PUT', json: { offsets: [{ topic, offset: to }] } });
}

export function deleteGroup(group: string): Promise<Reply<null>> {
  return call(path('/groups/{}', group), { method: 'DELETE' });
}

export interface DeadLetter {
  id: string;
  time: string;
  dataset: string;
  reason: string;
  source: string;
  device?: string;
  kind: string;
  line: number;
  size: number;
  truncated: boolean;
  raw?: string;
  raw_base64?: string;
}

/** Of a dataset, or with null of readings that name none. */
function rejectedPath(dataset: string | null): string {
  return dataset === null ? '/api/v1/rejected' : path('/datasets/{}/rejected', dataset);
}

export function getRejected(
  dataset: string | null,
  cursor: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Reply<{ rejected: DeadLetter[]; next: string | null }>> {
  return call(`${rejectedPath(dataset)}${query({ cursor, limit })}`, { signal });
}

export interface Resent {
  accepted: number;
  rejected: number;
  left: number;
  refusal?: string;
  errors: { id: string; reason: string }[];
}

/** Sends letters through the gate again; `raw` mends the only one. */
export function resendRejected(dataset: string | null, ids: string[], raw?: string): Promise<Reply<Resent>> {
  const json = raw === undefined ? { ids } : { ids, raw };
  return call(`${rejectedPath(dataset)}/resend`, { method: 'POST', json });
}

export function forgetRejected(dataset: string | null, ids: string[]): Promise<Reply<unknown>> {
  return call(`${rejectedPath(dataset)}${query({ ids: ids.join(',') })}`, { method: 'DELETE' });
}

export interface Conflict {
  field?: string;
  from: FieldType | null;
  to: FieldType;
  count: number;
  refused: number;
  first_time: number;
  last_time: number;
  device: string;
  source: string;
  sample: string;
}

export interface SchemaDetail {
  name: string;
  label: string;
  type: FieldType;
  base_type: FieldType;
  null_only?: boolean;
  unit: string;
  kind: FieldKind;
  group: string;
  description: string;
  hidden: boolean;
  added_in: number;
  first_seen: number;
  count: number;
  conflicts: Conflict[];
}

export type Compatibility = 'adaptive' | 'additive' | 'strict';

export interface FullSchema {
  dataset: string;
  version: number;
  compatibility: Compatibility;
  conflicts: number;
  fields: SchemaDetail[];
  unknown_fields: Conflict[];
}

export function getFullSchema(dataset: string, signal?: AbortSignal): Promise<Reply<FullSchema>> {
  return call(path('/datasets/{}/schema', dataset), { signal });
}

export interface SchemaChange {
  field: string;
  change: string;
  from?: string;
  to: string;
  sample?: string;
}

export interface SchemaVersion {
  version: number;
  time: string;
  device: string;
  source: string;
  fields: number;
  changes: SchemaChange[];
}

export function getVersions(dataset: string, signal?: AbortSignal): Promise<Reply<{ versions: SchemaVersion[] }>> {
  return call(path('/datasets/{}/schema/versions', dataset), { signal });
}

export function setCompatibility(dataset: string, compatibility: Compatibility): Promise<Reply<unknown>> {
  return call(path('/datasets/{}', dataset), { method: 'PATCH', json: { compatibility } });
}

export interface FieldEdit {
  label?: string | null;
  unit?: string | null;
  kind?: FieldKind | null;
  group?: string | null;
  description?: string | null;
  hidden?: boolean;
}

export function editField(dataset: string, field: string, edit: FieldEdit): Promise<Reply<SchemaDetail>> {
  return call(path('/datasets/{}/fields/{}', dataset, field), { method: 'PATCH', json: edit });
}

export interface Prototype {
  code: string;
  label: string;
  brand: string;
  version: string;
  dataset: string;
  model: boolean;
  facts: Record<string, string | number | boolean | null>;
}

export function getPrototypes(signal?: AbortSignal): Promise<Reply<{ prototypes: Prototype[] }>> {
  return call('/api/v1/prototypes', { signal });
}

export function putPrototype(code: string, members: Partial<Prototype>): Promise<Reply<Prototype>> {
  return call(path('/prototypes/{}', code), { method: 'PUT', json: members });
}

export function putModel(code: string, xml: string): Promise<Reply<Prototype>> {
  return call(path('/prototypes/{}', code), { method: 'PUT', body: xml, type: 'application/xml' });
}

export function deletePrototype(code: string): Promise<Reply<null>> {
  return call(path('/prototypes/{}', code), { method: 'DELETE' });
}

export function modelAddress(code: string): string {
  return `${path('/prototypes/{}', code)}?format=xml`;
}
