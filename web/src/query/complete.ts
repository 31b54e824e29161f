// What can stand at the caret of a filter: the tokens before it tell whether a field, an operator, a value or a joining word is
// due. The language itself is the server's (src/query/README.md); this only offers, and never refuses.

export type TokenKind = 'word' | 'quoted' | 'compare' | 'open' | 'close' | 'comma' | 'broken';

export interface Token {
  kind: TokenKind;
  /** Without quotes, doubled ones undone. */
  text: string;
  /** Characters in the filter; `to` exclusive. */
  from: number;
  to: number;
}

const BLANK = /[ \t\n\r]/;
const WORD = /[^ \t\n\r"'`=<>!(),]+/y;
const COMPARE = /==|!=|<>|<=|>=|=|<|>/y;
const SINGLE: Record<string, TokenKind> = { '(': 'open', ')': 'close', ',': 'comma' };

function quotedToken(text: string, from: number): Token {
  const quote = text[from] as string;
  let inner = '';
  let at = from + 1;
  for (; at < text.length; at++) {
    if (text[at] === quote) {
      if (text[at + 1] !== quote) return { kind: 'quoted', text: inner, from, to: at + 1 };
      at += 1;
    }
    inner += text[at];
  }
  return { kind: 'broken', text: inner, from, to: text.length };
}

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text[at] as string;
    if (BLANK.test(c)) {
      at += 1;
      continue;
    }
    const single = SINGLE[c];
    const compare = match(COMPARE, text, at);
    let token: Token;
    if (single !== undefined) token = { kind: single, text: c, from: at, to: at + 1 };
    else if (c === '"' || c === "'" || c === '`') token = quotedToken(text, at);
    else if (compare !== null) token = { kind: 'compare', text: compare, from: at, to: at + compare.length };
    else {
      const word = match(WORD, text, at);
      token = { kind: word === null ? 'broken' : 'word', text: word ?? c, from: at, to: at + (word ?? c).length };
    }
    found.push(token);
    at = token.to;
  }
  return found;
}

type State =
  | 'field'
  | 'operator'
  | 'negated'
  | 'with'
  | 'value'
  | 'low'
  | 'and'
  | 'high'
  | 'open'
  | 'item'
  | 'next'
  | 'join';

interface Due {
  state: State;
  /** The field that an operator or a value is due for. */
  field: string;
  depth: number;
}

const BY_WORD: Record<string, State> = {
  not: 'negated',
  in: 'open',
  between: 'low',
  contains: 'value',
  starts: 'with',
  ends: 'with',
  exists: 'join',
  missing: 'join',
};

/** The state after `token`; null when the token does not fit there. */
function step(due: Due, token: Token): Due | null {
  const word = token.kind === 'word' ? token.text.toLowerCase() : '';
  const isValue = token.kind === 'word' || token.kind === 'quoted';
  const becomes = (state: State | undefined | false): Due | null => (state ? { ...due, state } : null);
  switch (due.state) {
    case 'field':
      if (token.kind === 'open') return { ...due, depth: due.depth + 1 };
      if (word === 'not') return due;
      if (word === 'and' || word === 'or') return null;
      return isValue ? { ...due, state: 'operator', field: token.text } : null;
    case 'operator':
      return becomes(token.kind === 'compare' ? 'value' : BY_WORD[word]);
    case 'negated':
      return becomes(word === 'exists' || word === 'missing' || word === 'not' ? false : BY_WORD[word]);
    case 'with':
      return becomes(word === 'with' && 'value');
    case 'value':
    case 'high':
      return becomes(isValue && 'join');
    case 'low':
      return becomes(isValue && 'and');
    case 'and':
      return becomes(word === 'and' && 'high');
    case 'open':
      return becomes(token.kind === 'open' && 'item');
    case 'item':
      return becomes(isValue && 'next');
    case 'next':
      return becomes(token.kind === 'comma' ? 'item' : token.kind === 'close' && 'join');
    case 'join':
      if (token.kind === 'close') return due.depth > 0 ? { ...due, depth: due.depth - 1 } : null;
      return becomes((word === 'and' || word === 'or') && 'field');
  }
}

const FIRST: Due = { state: 'field', field: '', depth: 0 };

export interface Fault {
  /** Characters of the text; `to` exclusive. */
  from: number;
  to: number;
  kind: 'unexpected' | 'unfinished';
}

/** What keeps `text` from being a filter, before the server is asked; null when its form is right. */
export function check(text: string): Fault | null {
  let due: Due = FIRST;
  const all = tokens(text);
  for (const token of all) {
    const next = token.kind === 'broken' ? null : step(due, token);
    if (next === null) {
      const open = token.kind === 'broken' && /^["'`]/.test(text.slice(token.from));
      return { from: token.from, to: token.to, kind: open ? 'unfinished' : 'unexpected' };
    }
    due = next;
  }
  if (all.length === 0 || (due.state === 'join' && due.depth === 0)) return null;
  return { from: text.length, to: text.length, kind: 'unfinished' };
}

export interface KnownField {
  name: string;
  type: string;
  unit: string;
  /** Values worth offering, most frequent first. */
  values: readonly string[];
}

export interface Option {
  /** What is put in the place of the text between `from` and `to`. */
  insert: string;
  kind: 'field' | 'operator' | 'value' | 'word';
  /** Type and unit of a field. */
  hint: string;
}

export interface Completion {
  from: number;
  to: number;
  options: Option[];
}

const RESERVED = new Set([
  'and',
  'or',
  'not',
  'in',
  'between',
  'contains',
  'starts',
  'ends',
  'with',
  'exists',
  'missing',
]);
const MOST_OPTIONS = 40;

/** As it must be written: in quotes when it holds blanks or signs of the language, or is one of its words. */
export function quoteField(name: string): string {
  const plain = name !== '' && !/[ \t\n\r"'`=<>!(),]/.test(name) && !RESERVED.has(name.toLowerCase());
  return plain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A value of a text field: quoted unless it is one plain word that reads as nothing else. */
export function quoteValue(value: string): string {
  return /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(value) && !RESERVED.has(value.toLowerCase())
    ? value
    : `'${value.replaceAll("'", "''")}'`;
}

const OPERATORS: Record<string, string[]> = {
  integer: ['=', '!=', '>', '>=', '<', '<=', 'between', 'in', 'exists', 'missing'],
  float: ['>', '>=', '<', '<=', 'between', '=', '!=', 'in', 'exists', 'missing'],
  text: ['=', '!=', 'contains', 'starts with', 'ends with', 'in', 'exists', 'missing'],
  boolean: ['=', '!=', 'exists', 'missing'],
  time: ['>=', '<', 'between', '>', '<='],
  json: ['exists', 'missing', '=', '!=', 'contains', '>', '<', 'in'],
};
const NEGATED = ['in', 'between', 'contains', 'starts with', 'ends with'];
const TIMES = ['-5m', '-15m', '-1h', '-1d', 'now'];

function optionsOf(kind: Option['kind'], texts: readonly string[]): Option[] {
  return texts.map((insert) => ({ insert, kind, hint: '' }));
}

function fieldOptions(fields: readonly KnownField[]): Option[] {
  const own = fields.map((f) => ({
    insert: quoteField(f.name),
    kind: 'field' as const,
    hint: f.unit === '' ? f.type : `${f.type} · ${f.unit}`,
  }));
  return [...own, ...optionsOf('word', ['not', '('])];
}

function valueOptions(field: KnownField | undefined): Option[] {
  if (field === undefined) return [];
  if (field.type === 'time') return optionsOf('value', TIMES);
  if (field.type === 'boolean') return optionsOf('value', ['true', 'false']);
  const texts = field.type === 'text' || field.type === 'json' ? field.values.map(quoteValue) : field.values;
  return optionsOf('value', texts);
}

function offers(due: Due, fields: readonly KnownField[]): Option[] {
  const field = fields.find((f) => f.name === due.field) ?? fields.find((f) => same(f.name, due.field));
  switch (due.state) {
    case 'field':
      return fieldOptions(fields);
    case 'operator':
      return optionsOf('operator', [...(OPERATORS[field?.type ?? 'json'] ?? []), 'not']);
    case 'negated':
      return optionsOf('operator', NEGATED);
    case 'with':
      return optionsOf('operator', ['with']);
    case 'value':
    case 'low':
    case 'high':
    case 'item':
      return valueOptions(field);
    case 'and':
      return optionsOf('word', ['and']);
    case 'open':
      return optionsOf('word', ['(']);
    case 'next':
      return optionsOf('word', [',', ')']);
    case 'join':
      return optionsOf('word', due.depth > 0 ? ['and', 'or', ')'] : ['and', 'or']);
  }
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Those that `typed` may become: beginnings first, then those that hold it, then those that hold its letters in order. */
export function ranked(options: readonly Option[], typed: string): Option[] {
  const wanted = typed.replace(/^["'`]/, '').toLowerCase();
  if (wanted === '') return options.slice(0, MOST_OPTIONS);
  const rank = (option: Option): number => {
    const text = option.insert.replace(/^["'`]/, '').toLowerCase();
    if (text.startsWith(wanted)) return 0;
    if (text.includes(wanted)) return 1;
    let at = 0;
    for (const c of text) if (c === wanted[at]) at += 1;
    return wanted.length > 1 && at === wanted.length ? 2 : 3;
  };
  const scored = options.map((option, i) => ({ option, i, r: rank(option) })).filter((s) => s.r < 3);
  return scored
    .sort((a, b) => a.r - b.r || a.i - b.i)
    .slice(0, MOST_OPTIONS)
    .map((s) => s.option);
}

/** What can stand at `caret`. `fields` should hold `time` and `device` as well. */
export function complete(text: string, caret: number, fields: readonly KnownField[]): Completion {
  const before = tokens(text.slice(0, caret));
  const last = before[before.length - 1];
  // The word that the caret touches is being written; anything else is settled.
  const writing = last !== undefined && last.to === caret && last.kind !== 'open' && last.kind !== 'close';
  const partial = writing && (last.kind === 'word' || last.kind === 'broken') ? last : null;
  const settled = partial === null ? before : before.slice(0, -1);
  const due = settled.reduce((before, token) => step(before, token) ?? before, FIRST);
  const typed = partial === null ? '' : text.slice(partial.from, caret);
  const options = ranked(offers(due, fields), typed).filter((o) => o.insert !== typed);
  return { from: partial?.from ?? caret, to: caret, options };
}

/** The text with `option` put in, and where the caret goes: after a blank where something must follow. */
export function accept(text: string, completion: Completion, option: Option): { text: string; caret: number } {
  const after = text.slice(completion.to);
  const before = text.slice(0, completion.from);
  const lead = before !== '' && !/[\s(]$/.test(before) && option.insert !== ')' && option.insert !== ',' ? ' ' : '';
  const trail = after.startsWith(' ') || option.insert === '(' ? '' : ' ';
  const put = `${lead}${option.insert}${trail}`;
  return { text: before + put + after, caret: before.length + put.length };
}

/** Where the server's sentence says the fault is (`at character 17: …`, of Unicode), and the sentence without the place. */
export function faultOf(detail: string, text: string): { from: number; to: number; message: string } | null {
  const found = /\bat character (\d+): (.*)$/s.exec(detail);
  if (found === null) return null;
  const from = [...text].slice(0, Number(found[1]) - 1).join('').length;
  const token = tokens(text).find((t) => t.from === from);
  return { from, to: token?.to ?? from, message: found[2] as string };
}
