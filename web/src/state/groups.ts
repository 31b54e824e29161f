// Which fields stand together: the schema's group, else the first word of the name that several fields share, else the unit.

import type { SchemaField } from '../wire/rest';

export interface FieldGroup {
  /** '' is the group of those that share nothing. */
  name: string;
  fields: SchemaField[];
}

const SMALLEST_GROUP = 2;

/** First word of `Pressure_HighPressure`, `gpsSpeed`, `Engine Load(%)`: `pressure`, `gps`, `engine`. */
export function firstWord(name: string): string {
  const match = /^[^\p{L}]*(\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{L}+)/u.exec(name);
  return (match?.[1] ?? '').toLowerCase();
}

function capitalised(word: string): string {
  return word.length <= 3 ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1);
}

function tally(keys: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

export function groupFields(fields: SchemaField[]): FieldGroup[] {
  const loose = fields.filter((field) => field.group === '');
  const words = tally(loose.map((field) => firstWord(field.name)));
  const sharesWord = (field: SchemaField) => (words.get(firstWord(field.name)) ?? 0) >= SMALLEST_GROUP;
  const units = tally(loose.filter((field) => !sharesWord(field)).map((field) => field.unit));
  const nameOf = (field: SchemaField): string => {
    if (field.group !== '') return field.group;
    const word = firstWord(field.name);
    if (word !== '' && sharesWord(field)) return capitalised(word);
    return (units.get(field.unit) ?? 0) >= SMALLEST_GROUP ? field.unit : '';
  };
  const groups = new Map<string, SchemaField[]>();
  for (const field of fields) {
    const name = nameOf(field);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [field]);
    else group.push(field);
  }
  const all = [...groups].map(([name, members]) => ({ name, fields: members }));
  return [...all.filter((group) => group.name !== ''), ...all.filter((group) => group.name === '')];
}

/** A field that gets a line chart. */
export function isNumeric(field: SchemaField): boolean {
  if (field.kind === 'latitude' || field.kind === 'longitude' || field.kind === 'identifier') return false;
  return field.type === 'integer' || field.type === 'float';
}

/** A field that gets a state strip: a truth value or a short text. */
export function isState(field: SchemaField): boolean {
  if (field.kind === 'identifier') return false;
  return field.type === 'boolean' || field.type === 'text';
}
