import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { valueTick } from '../src/chart/ticks';
import { area, language, speak } from '../src/text/area';
import { formatDate, formatRate, formatValue } from '../src/view/format';

type Table = Record<string, string>;

const folder = (language: string) => new URL(`../src/text/${language}/`, import.meta.url);
const areas = readdirSync(folder('en')).map((file) => file.replace('.ts', ''));

async function tableOf(language: string, name: string): Promise<Table> {
  return ((await import(new URL(`${name}.ts`, folder(language)).pathname)) as { default: Table }).default;
}

const placeholders = (text: string) => new Set([...text.matchAll(/\{\w+\}/g)].map(([word]) => word));

describe('the texts', () => {
  it('have the same areas in both languages', () => {
    expect(readdirSync(folder('fr')).map((file) => file.replace('.ts', ''))).toEqual(areas);
    expect(areas.length).toBeGreaterThanOrEqual(3);
  });

  it.each(areas)('have the same keys and places in both languages: %s', async (name) => {
    const [english, french] = await Promise.all([tableOf('en', name), tableOf('fr', name)]);
    expect(Object.keys(french).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(english)) {
      const twin = french[key] as string;
      expect(twin.trim(), key).not.toBe('');
      // Dates are written in another order, with other parts; everywhere else a place that is lost is a value that is lost.
      if (!key.startsWith('time.da')) expect(placeholders(twin), key).toEqual(placeholders(text));
    }
  });
});

describe('saying', () => {
  afterEach(() => speak('en'));

  it('puts values into their places, and follows the language', async () => {
    const say = area('live', (await import('../src/text/en/live')).default);
    expect(say('dataset.fields', { used: 98, all: 179, empty: 81 })).toBe('98 of 179 fields used, 81 empty hidden');
    await speak('fr');
    expect(language.value).toBe('fr');
    expect(say('dataset.fields', { used: 98, all: 179, empty: 81 })).toBe(
      '98 champs utilisés sur 179, 81 vides masqués',
    );
  });

  it('reads an area without a French table in English', async () => {
    const say = area('nowhere', { 'a.b': 'only {n} English' });
    await speak('fr');
    expect(say('a.b', { n: 3 })).toBe('only 3 English');
  });

  it('writes numbers and dates as the language does', async () => {
    const noon = new Date(2026, 10, 23, 12).getTime() * 1_000;
    const texts = () => [
      formatValue(12.345),
      formatValue(12_345),
      formatRate(0.5),
      formatDate(noon),
      valueTick(12_500.5, 0.5),
    ];
    expect(texts()).toEqual(['12.35', '12,345', '0.5/s', '2026-11-23', '12,500.5']);
    await speak('fr');
    expect(texts()).toEqual(['12,35', '12\u202f345', '0,5/s', '23/11/2026', '12\u202f500,5']);
  });
});
