// What is chosen for an upload. Pure.

import type { Choices } from '../../wire/imports';

/** What a prototype made from this file may be called: the file's name without what does not belong into a code. */
export function codeOf(name: string): string {
  const plain = name
    .replace(/\.[^.]*$/, '')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 40);
  return plain === '' ? 'FILE' : plain;
}

/** The choices made so far with `more` on top: the server starts from the file each time. */
export function merged(before: Choices, more: Choices): Choices {
  const columns = new Map((before.columns ?? []).map((c) => [c.column, c]));
  for (const c of more.columns ?? []) columns.set(c.column, { ...columns.get(c.column), ...c });
  return { ...before, ...more, ...(columns.size === 0 ? {} : { columns: [...columns.values()] }) };
}
