// Files on their way in: sent piece by piece, looked at, loaded. They go on while another screen is shown.

import { signal } from '@preact/signals';
import type { Failure } from '../../wire/call';
import {
  type Acceptance,
  acceptImport,
  beginImport,
  type Choices,
  cancelImport,
  follow,
  type ImportStatus,
  listImports,
  lookAgain,
  type UploadProgress,
  upload,
} from '../../wire/imports';

export interface Incoming {
  /** Of this page; the import's own id is in `status`. */
  key: number;
  name: string;
  size: number;
  status: ImportStatus | null;
  /** While bytes are sent. */
  progress: UploadProgress | null;
  failure: Failure | null;
}

export const incoming = signal<readonly Incoming[]>([]);

let keys = 0;
const aborts = new Map<number, AbortController>();

function change(key: number, changed: Partial<Incoming>): void {
  incoming.value = incoming.value.map((one) => (one.key === key ? { ...one, ...changed } : one));
}

/** Begins to send a file; what comes of it is in `incoming`. */
export async function take(file: File): Promise<void> {
  const key = ++keys;
  const abort = new AbortController();
  aborts.set(key, abort);
  incoming.value = [
    { key, name: file.name, size: file.size, status: null, progress: null, failure: null },
    ...incoming.value,
  ];
  const begun = await beginImport(file.name, file.size, abort.signal);
  if (!begun.ok) {
    change(key, { failure: begun });
    return;
  }
  change(key, { status: begun.value });
  const sent = await upload(file, begun.value.id, (progress) => change(key, { progress }), abort.signal);
  if (!sent.ok) {
    change(key, { failure: sent, progress: null });
    return;
  }
  change(key, { status: sent.value, progress: null });
  await watch(key, sent.value.id, ['receiving', 'checking'], abort.signal);
}

async function watch(
  key: number,
  id: number,
  states: Parameters<typeof follow>[1],
  stop: AbortSignal,
): Promise<ImportStatus | null> {
  const settled = await follow(id, states, (status) => change(key, { status }), stop);
  if (!settled.ok) {
    if (!settled.aborted) change(key, { failure: settled });
    return null;
  }
  return settled.value;
}

/** Looks at the file again, by the user's choices. */
export async function look(one: Incoming, choices: Choices): Promise<void> {
  if (one.status === null) return;
  change(one.key, { status: { ...one.status, state: 'checking' }, failure: null });
  const answer = await lookAgain(one.status.id, choices);
  if (answer.ok) change(one.key, { status: answer.value });
  else change(one.key, { status: one.status, failure: answer });
}

/** Loads it; the answer is the import when it is done, null when it failed. */
export async function load(one: Incoming, acceptance: Acceptance): Promise<ImportStatus | null> {
  if (one.status === null) return null;
  const answer = await acceptImport(one.status.id, acceptance);
  if (!answer.ok) {
    change(one.key, { failure: answer });
    return null;
  }
  change(one.key, { status: answer.value, failure: null });
  const stop = aborts.get(one.key) ?? new AbortController();
  const done = await watch(one.key, one.status.id, ['waiting', 'running'], stop.signal);
  return done?.state === 'done' ? done : null;
}

/** Cancels it, or takes it off the list when it has ended. */
export async function dismiss(one: Incoming): Promise<void> {
  aborts.get(one.key)?.abort();
  aborts.delete(one.key);
  incoming.value = incoming.value.filter((other) => other.key !== one.key);
  if (one.status !== null && one.status.state !== 'done') await cancelImport(one.status.id);
}

/** Uploads that another page, or this one before a reload, has sent and nobody has loaded yet. */
export async function findWaiting(): Promise<void> {
  const answer = await listImports();
  if (!answer.ok) return;
  const here = new Set(incoming.value.map((one) => one.status?.id));
  for (const listed of answer.value.imports) {
    if (here.has(listed.id) || !['preview', 'checking', 'running', 'waiting'].includes(listed.state)) continue;
    const key = ++keys;
    const abort = new AbortController();
    aborts.set(key, abort);
    const one = { key, name: listed.name, size: listed.bytes_total, status: listed, progress: null, failure: null };
    incoming.value = [...incoming.value, one];
    void watch(key, listed.id, ['checking', 'running', 'waiting'], abort.signal);
  }
}
