// The dashboard that is looked at or edited: its steps, where it is saved, and its copy in the address.

import { batch, computed, signal } from '@preact/signals';
import { own, schemas, setOwn } from '../../state/app';
import type { Reply } from '../../wire/call';
import {
  changeDashboard,
  createDashboard,
  type DashboardLine,
  deleteDashboard,
  listDashboards,
  readDashboard,
  type SavedDashboard,
} from '../../wire/dashboards';
import {
  type Board,
  begun,
  boardOf,
  boardOfDataset,
  documentOf,
  EMPTY,
  packed,
  redone,
  type Steps,
  stepped,
  undone,
  unpacked,
} from './board';
import { say } from './text';

/** null: nothing is open. */
export const steps = signal<Steps | null>(null);
export const name = signal('');
export const editing = signal(false);
/** Number of the panel in the editor; null: it is closed. */
export const selected = signal<number | null>(null);
export const list = signal<DashboardLine[]>([]);
/** Said to everybody, screen readers too. */
export const message = signal('');
const savedAs = signal<{ id: string; name: string; board: string } | null>(null);

export const board = computed<Board>(() => steps.value?.present ?? EMPTY);
export const savedId = computed(() => savedAs.value?.id ?? null);
export const unsaved = computed(() => {
  if (steps.value === null) return false;
  const saved = savedAs.value;
  return saved === null || saved.board !== packed(board.value) || saved.name !== name.value;
});

/** What this module wrote into the address last: what else is there came from outside. */
let written = { board: '', edit: '' };

function writeAddress(): void {
  written = {
    board: savedId.peek() ?? '',
    edit: steps.peek() !== null && unsaved.peek() ? packed(board.peek()) : '',
  };
  setOwn({ ...written, name: written.edit === '' ? '' : name.peek() });
}

/** Rises whenever another board is opened: an answer that was asked for before belongs to what is no longer here. */
let shows = 0;

function show(next: Board, as: { id: string; name: string } | null, title: string, edit: boolean): void {
  shows += 1;
  batch(() => {
    steps.value = begun(next);
    savedAs.value = as === null ? null : { ...as, board: packed(next) };
    name.value = title;
    editing.value = edit;
    selected.value = null;
  });
}

/** A step that can be undone; `same` when it goes on with the one before. */
export function step(next: Board, same = false): void {
  const before = steps.peek();
  if (before === null) return;
  steps.value = stepped(before, next, same);
  writeAddress();
}

export function undo(): void {
  if (steps.peek() === null) return;
  steps.value = undone(steps.peek() as Steps);
  writeAddress();
}

export function redo(): void {
  if (steps.peek() === null) return;
  steps.value = redone(steps.peek() as Steps);
  writeAddress();
}

export function rename(next: string): void {
  name.value = next;
  writeAddress();
}

export function openBlank(): void {
  show(EMPTY, null, say('board.nameFirst'), true);
  writeAddress();
}

export function openDataset(dataset: string, label: string): void {
  show(boardOfDataset(dataset, schemas.peek().get(dataset)?.fields ?? []), null, label, true);
  writeAddress();
}

export function close(): void {
  shows += 1;
  batch(() => {
    steps.value = null;
    savedAs.value = null;
    selected.value = null;
    name.value = '';
  });
  writeAddress();
}

function taken(answer: Reply<SavedDashboard>, edit: boolean): boolean {
  if (!answer.ok) {
    message.value = say('board.failed', { detail: answer.detail });
    return false;
  }
  const { id, name: title, document } = answer.value;
  const read = boardOf(document);
  if (read === null) {
    message.value = say('board.unreadable');
    return false;
  }
  show(read, { id, name: title }, title, edit);
  return true;
}

export async function openSaved(id: string): Promise<void> {
  shows += 1;
  const began = shows;
  const answer = await readDashboard(id);
  if (began === shows && taken(answer, false)) writeAddress();
}

export async function refreshList(): Promise<void> {
  const answer = await listDashboards();
  if (answer.ok) list.value = answer.value.dashboards;
  else if (!answer.aborted) message.value = say('board.failed', { detail: answer.detail });
}

/** Keeps the steps: what was saved can still be undone. */
export async function save(): Promise<void> {
  const began = shows;
  const sent = board.peek();
  const document = documentOf(sent);
  const typed = name.peek();
  const title = typed.trim() === '' ? say('board.nameFirst') : typed.trim();
  const id = savedId.peek();
  const answer = await (id === null ? createDashboard(title, document) : changeDashboard(id, title, document));
  if (!answer.ok) {
    message.value = say('board.failed', { detail: answer.detail });
    return;
  }
  if (began !== shows) {
    await refreshList();
    return;
  }
  batch(() => {
    if (name.peek() === typed) name.value = title;
    savedAs.value = { id: answer.value.id, name: title, board: packed(sent) };
    message.value = say('board.savedNow');
  });
  writeAddress();
  await refreshList();
}

export async function duplicate(): Promise<void> {
  const title = say('board.copyOf', { name: name.peek() });
  if (!taken(await createDashboard(title, documentOf(board.peek())), true)) return;
  message.value = say('board.savedNow');
  writeAddress();
  await refreshList();
}

export async function remove(): Promise<void> {
  const id = savedId.peek();
  if (id === null) {
    close();
    return;
  }
  const answer = await deleteDashboard(id);
  if (!answer.ok) {
    message.value = say('board.failed', { detail: answer.detail });
    return;
  }
  message.value = say('board.deleted');
  close();
  await refreshList();
}

/** Follows the address: a link, a reload, the way back. Called whenever it changes. */
export async function followAddress(): Promise<void> {
  const { board: id = '', edit = '', name: title = '' } = own.peek();
  if (id === written.board && edit === written.edit) return;
  written = { board: id, edit };
  const changes = edit === '' ? null : unpacked(edit);
  if (edit !== '' && changes === null) message.value = say('board.unreadable');
  if (id !== '') {
    shows += 1;
    const began = shows;
    const answer = await readDashboard(id);
    if (began !== shows || !taken(answer, changes !== null)) return;
  }
  if (id === '' && changes === null) {
    close();
    return;
  }
  if (changes === null) return;
  if (id === '') show(changes, null, title, true);
  else if (steps.peek() !== null) steps.value = stepped(steps.peek() as Steps, changes);
  if (title !== '') name.value = title;
}
