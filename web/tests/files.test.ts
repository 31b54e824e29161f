import { describe, expect, it } from 'vitest';
import { stretchesOfTimes } from '../src/plots/file-lines';
import { matrixOf, strongest } from '../src/plots/matrix';
import { rowsInside } from '../src/plots/scatter';
import { roundStep } from '../src/plots/time-bars';
import { codeOf, merged } from '../src/screens/files/choices';
import { columnsOf } from '../src/screens/files/desk';
import { bestPair, drawnFields } from '../src/screens/files/pick';
import type { EventRow, FieldProfile } from '../src/wire/explore';
import { type Correlation, type FileProfile, uploadOf } from '../src/wire/files';

function pair(a: string, b: string, r: number | null, n = 1_000): Correlation {
  return { a, b, r, n };
}

describe('marks', () => {
  it('are the rows inside a box, its edges included, and nothing without a value', () => {
    const x = Float64Array.from([0, 1, 2, 3, Number.NaN, 2]);
    const y = Float64Array.from([0, 1, 2, 3, 2, Number.NaN]);
    expect([...rowsInside(x, y, { left: 1, right: 2, low: 1, high: 2 })]).toEqual([1, 2]);
    expect(rowsInside(x, y, { left: 5, right: 6, low: 0, high: 9 })).toHaveLength(0);
  });

  it('become stretches of time; neighbours are one', () => {
    expect(stretchesOfTimes([10, 11, 12, 30, 31, 90], 5)).toEqual([
      { from: 10, to: 12 },
      { from: 30, to: 31 },
      { from: 90, to: 90 },
    ]);
    expect(stretchesOfTimes([], 5)).toEqual([]);
  });
});

describe('correlations', () => {
  const all = [
    pair('a', 'b', 0.9),
    pair('c', 'd', -0.8),
    pair('a', 'c', 0.1),
    pair('b', 'd', null),
    pair('a', 'd', 1, 3),
  ];

  it('stand in a symmetric matrix, those that go together side by side', () => {
    const matrix = matrixOf(all, 10);
    const size = matrix.fields.length;
    expect(matrix.fields.toSorted()).toEqual(['a', 'b', 'c', 'd']);
    const at = (a: string, b: string) => matrix.r[matrix.fields.indexOf(a) * size + matrix.fields.indexOf(b)];
    expect(at('a', 'b')).toBe(0.9);
    expect(at('b', 'a')).toBe(0.9);
    expect(at('c', 'c')).toBe(1);
    expect(at('b', 'd')).toBeNaN();
    expect(matrixOf(all, 2).fields).toHaveLength(2);
    expect(matrixOf([], 5).fields).toEqual([]);
  });

  it('are listed strongest first, either way, without those of a few rows', () => {
    expect(strongest(all, 5, 1_000).map((c) => c.a + c.b)).toEqual(['ab', 'cd', 'ac']);
    expect(strongest(all, 1, 1_000).map((c) => c.r)).toEqual([0.9]);
  });

  it('begin with a pair that is not the same thing twice', () => {
    const pairs = [pair('a', 'b', 0.999), pair('a', 'c', -0.9), pair('x', 'c', 0.97), pair('b', 'c', 0.95, 10)];
    expect(bestPair(pairs, ['a', 'b', 'c'], 1_000)).toEqual(pair('a', 'c', -0.9));
    expect(bestPair([], ['a'], 10)).toBeUndefined();
  });
});

describe('columns of rows', () => {
  it('hold numbers and truth values, and their times', () => {
    const rows = [
      { '@timestamp': '2024-03-05T06:00:00.5Z', a: 1, b: true },
      { '@timestamp': '2024-03-05T06:00:01Z', a: 'no number', nested: { c: 3 } },
      { '@timestamp': '', a: null },
    ] as unknown as EventRow[];
    const { time, columns } = columnsOf(rows, ['a', 'b', 'nested.c']);
    expect([...time]).toEqual([1_709_618_400_500_000, 1_709_618_401_000_000, 2_000_000]);
    expect([...(columns.get('a') ?? [])]).toEqual([1, Number.NaN, Number.NaN]);
    expect(columns.get('b')?.[0]).toBe(1);
    expect(columns.get('nested.c')?.[1]).toBe(3);
  });
});

describe('an upload', () => {
  it('names a prototype after its file', () => {
    expect(codeOf('X46789_2018-01-19T05-37-42.612Z.csv')).toBe('X46789_2018-01-19T05-37-42_612Z');
    expect(codeOf('Été à la plage (1).CSV')).toBe('Ete_a_la_plage_1');
    expect(codeOf('.csv')).toBe('FILE');
    expect(codeOf('日本.csv')).toBe('FILE');
  });

  it('keeps earlier choices under later ones', () => {
    const first = merged({}, { separator: ';', columns: [{ column: 'a', type: 'text' }] });
    const second = merged(first, {
      columns: [
        { column: 'a', unit: 'm' },
        { column: 'b', type: 'skip' },
      ],
    });
    expect(second).toEqual({
      separator: ';',
      columns: [
        { column: 'a', type: 'text', unit: 'm' },
        { column: 'b', type: 'skip' },
      ],
    });
    expect(merged({ separator: ';' }, { separator: ',' })).toEqual({ separator: ',' });
  });
});

describe('a file that was uploaded', () => {
  it('is shown under its own name', () => {
    expect(uploadOf('1795667855035-drive_one.csv')).toEqual({ name: 'drive_one.csv', id: 1_795_667_855_035 });
    expect(uploadOf('2018-01-19.csv')).toEqual({ name: '2018-01-19.csv', id: null });
  });
});

describe('charts of a file', () => {
  it('are of numbers and truth values; mostly missing and constant ones last', () => {
    const field = (name: string, type: string, kind: string, count: number, distinct: number) =>
      ({ name, type, kind, count, distinct, missing_percent: 100 - count }) as FieldProfile;
    const profile = {
      fields: [
        field('still', 'float', 'measure', 99, 1),
        field('rare', 'float', 'measure', 9, 3),
        field('lat', 'float', 'latitude', 99, 9),
        field('speed', 'float', 'measure', 99, 8),
        field('mode', 'text', 'text', 9, 2),
        field('on', 'boolean', 'boolean', 99, 2),
        field('empty', 'float', 'measure', 0, 0),
      ],
    } as FileProfile;
    expect(drawnFields(profile).map((f) => f.name)).toEqual(['speed', 'on', 'rare', 'still']);
  });

  it('have axes in round steps', () => {
    expect([9, 100, 0.7].map((range) => roundStep(range, 3))).toEqual([5, 50, 0.5]);
  });
});
