// Imported files as datasets of their own: `file:<id>` stands wherever a dataset's name does. The same questions work for the
// datasets of streams.

import { call, listOf, path, query, type Reply } from './call';
import { type EventRow, type Profile, parseExact } from './explore';
import type { SeriesAnswer } from './rest';

export interface FileInfo {
  id: number;
  /** `file:<id>` */
  dataset: string;
  name: string;
  prototype: string;
  /** The dataset that its rows are streamed to. */
  stream: string;
  rows: number;
  /** Rows that could not be taken. */
  rejected: number;
  columns: number;
  bytes: number;
  time_column: string;
  /** Recorded times, µs; null when there are none. */
  from: number | null;
  to: number | null;
  /** The import that it was uploaded with. */
  upload?: number | null;
}

/** An upload is kept under its import's number and its name. */
const UPLOADED = /^(\d{13,17})-(.+)$/;

/** The name that people know, and the import that brought the file; null when it was no upload. */
export function uploadOf(name: string): { name: string; id: number | null } {
  const match = UPLOADED.exec(name);
  return match === null ? { name, id: null } : { name: match[2] as string, id: Number(match[1]) };
}

export async function getFiles(signal?: AbortSignal): Promise<Reply<{ files: FileInfo[] }>> {
  const answer = await call<{ files: FileInfo[] }>('/api/v1/files', { signal });
  if (answer.ok) {
    for (const file of answer.value.files) {
      const upload = uploadOf(file.name);
      file.name = upload.name;
      file.upload = upload.id;
    }
  }
  return answer;
}

export interface Correlation {
  a: string;
  b: string;
  /** Rows that have both. */
  n: number;
  /** null: one of them never changes. */
  r: number | null;
}

export interface FileProfile extends Profile {
  correlations?: Correlation[];
}

export function getFileProfile(dataset: string, signal?: AbortSignal): Promise<Reply<FileProfile>> {
  return call(`${path('/datasets/{}/profile', dataset)}?correlations=true`, { signal });
}

export interface LinesQuery {
  dataset: string;
  fields: readonly string[];
  from: number;
  to: number;
  points: number;
}

/** Lowest, highest and average of each field per bucket. */
export function getLines(lines: LinesQuery, signal?: AbortSignal): Promise<Reply<SeriesAnswer>> {
  const { from, to, points } = lines;
  const parameters = query({ fields: listOf(lines.fields), agg: 'min,max,avg', from, to, points });
  return call(`${path('/datasets/{}/series', lines.dataset)}${parameters}`, { signal });
}

/** The first `limit` rows with these fields, oldest first. */
export function getRowsOf(
  dataset: string,
  fields: readonly string[],
  limit: number,
  signal?: AbortSignal,
): Promise<Reply<{ events: EventRow[]; next: string | null }>> {
  const parameters = query({ fields: listOf(fields), order: 'asc', limit });
  return call(`${path('/datasets/{}/events', dataset)}${parameters}`, { signal, read: parseExact });
}
