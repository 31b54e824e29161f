// A prototype's facts as lines of text.

import type { Prototype } from '../../wire/streams';

/** `site=Lyon` a line; numbers, true, false and null as such. */
export function factsOf(text: string): Prototype['facts'] {
  const facts: Prototype['facts'] = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at <= 0) continue;
    const value = line.slice(at + 1).trim();
    const word = value === 'true' ? true : value === 'false' ? false : value === 'null' ? null : value;
    facts[line.slice(0, at).trim()] = typeof word === 'string' && /^-?\d+(\.\d+)?$/.test(word) ? Number(word) : word;
  }
  return facts;
}

export function factsText(facts: Prototype['facts']): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}
