// CSV files in: an upload in pieces, the preview of what they hold, and what became of them.

import { call, path, query, type Reply } from './call';

export type ImportState =
  | 'receiving'
  | 'checking'
  | 'preview'
  | 'waiting'
  | 'running'
  | 'done'
  | 'failed'
  | 'cancelled';

export interface RowError {
  line: number;
  reason: string;
}

export interface PreviewColumn {
  name: string;
  unit: string;
  /** null: a column without any value. */
  type: string | null;
  /** Rows with a value. */
  values: number;
  /** It is the time. */
  time: boolean;
  samples: string[];
}

export interface Preview {
  separator: string;
  encoding: string;
  header: boolean;
  time_column: string;
  pace_column: string;
  date_order: string;
  time_candidates: string[];
  columns: PreviewColumn[];
  first_rows: string[][];
  bytes: number;
  rows: number;
  rejected: number;
  left_out: number;
  first_time: string | null;
  last_time: string | null;
  errors: RowError[];
}

export interface ImportStatus {
  id: number;
  state: ImportState;
  source: string;
  name: string;
  prototype: string;
  bytes_total: number;
  bytes_received: number;
  bytes_done: number;
  created: string;
  changed: string;
  problem?: string;
  rows?: number;
  rejected?: number;
  columns?: number;
  unchanged?: boolean;
  preview?: Preview;
}

export interface ColumnChoice {
  column: string;
  name?: string;
  type?: string;
  unit?: string;
}

export interface Choices {
  separator?: string;
  time_column?: string;
  date_order?: string;
  columns?: ColumnChoice[];
}

export function listImports(signal?: AbortSignal): Promise<Reply<{ imports: ImportStatus[] }>> {
  return call('/api/v1/imports', { signal });
}

export function beginImport(name: string, size: number, signal?: AbortSignal): Promise<Reply<ImportStatus>> {
  return call('/api/v1/imports', { method: 'POST', json: { name, size }, signal });
}

export function sendPiece(id: number, offset: number, piece: Blob, signal?: AbortSignal): Promise<Reply<ImportStatus>> {
  return call(`${path('/imports/{}', id)}${query({ offset: String(offset) })}`, {
    method: 'PUT',
    body: piece,
    signal,
  });
}

export function getImport(id: number, signal?: AbortSignal): Promise<Reply<ImportStatus>> {
  return call(path('/imports/{}', id), { signal });
}

/** Looks at the file again, by these choices; answers with the new preview. */
export function lookAgain(id: number, choices: Choices, signal?: AbortSignal): Promise<Reply<ImportStatus>> {
  return call(`${path('/imports/{}/preview', id)}?wait=true`, { method: 'POST', json: choices, signal });
}

export interface Acceptance extends Choices {
  prototype: string;
  dataset?: string;
  label?: string;
}

export function acceptImport(id: number, acceptance: Acceptance, signal?: AbortSignal): Promise<Reply<ImportStatus>> {
  return call(path('/imports/{}/accept', id), { method: 'POST', json: acceptance, signal });
}

export function cancelImport(id: number): Promise<Reply<null>> {
  return call(path('/imports/{}', id), { method: 'DELETE' });
}

/** Below the server's default of 16 MiB for one body. */
export const PIECE_BYTES = 4 << 20;

export interface UploadProgress {
  bytes: number;
  total: number;
  /** Bytes per second since the upload began. */
  speed: number;
}

/**
 * Sends `file` piece by piece; `progress` is told after each. A piece that meets a gap goes on where the server says; one that
 * finds no server is tried again for a while. Answers with the import after the last byte.
 */
export async function upload(
  file: Blob,
  id: number,
  progress: (state: UploadProgress) => void,
  signal: AbortSignal,
): Promise<Reply<ImportStatus>> {
  const began = performance.now();
  let offset = 0;
  let failures = 0;
  for (;;) {
    const answer = await sendPiece(id, offset, file.slice(offset, offset + PIECE_BYTES), signal);
    if (answer.ok) {
      failures = 0;
      offset = answer.value.bytes_received;
      const seconds = Math.max((performance.now() - began) / 1_000, 1e-3);
      progress({ bytes: offset, total: file.size, speed: offset / seconds });
      if (offset >= file.size) return answer;
      continue;
    }
    if (signal.aborted || (answer.status !== 0 && answer.status !== 409 && answer.status !== 503)) return answer;
    failures += 1;
    if (failures > MOST_FAILURES) return answer;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS * failures));
    const status = await getImport(id, signal);
    if (status.ok) offset = status.value.bytes_received;
  }
}

const MOST_FAILURES = 8;
const RETRY_MS = 250;

/** Asks every `every` ms until the import has left `states`; `told` hears of each answer. */
export async function follow(
  id: number,
  states: readonly ImportState[],
  told: (status: ImportStatus) => void,
  signal: AbortSignal,
  every = 200,
): Promise<Reply<ImportStatus>> {
  for (;;) {
    const answer = await getImport(id, signal);
    if (!answer.ok) return answer;
    told(answer.value);
    if (!states.includes(answer.value.state)) return answer;
    await new Promise((resolve) => setTimeout(resolve, every));
    if (signal.aborted) return { ok: false, status: 0, detail: '', aborted: true, problem: {} };
  }
}
