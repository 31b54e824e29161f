import { describe, expect, it } from 'vitest';
import { ABSENT, ColumnRing, lowerBound, nearestValue, TextTable } from '../src/state/ring';

function filled(count: number, maxRows?: number): ColumnRing {
  const ring = new ColumnRing(maxRows);
  for (let i = 0; i < count; i++) ring.set(ring.append(i * 10, ABSENT), 0, i);
  return ring;
}

function values(ring: ColumnRing, index: number): number[] {
  const column = ring.column(index) as Float64Array;
  return Array.from({ length: ring.size }, (_, i) => column[(ring.start + i) & ring.mask] as number);
}

function times(ring: ColumnRing): number[] {
  return Array.from({ length: ring.size }, (_, i) => ring.timeAt(i));
}

describe('ColumnRing', () => {
  it('grows by doubling and keeps every row until its bound', () => {
    const ring = filled(1_000, 1_024);
    expect(ring.size).toBe(1_000);
    expect(ring.mask + 1).toBe(1_024);
    expect(values(ring, 0)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(ring.overwritten).toBe(0);
  });

  it('overwrites the oldest rows when it is full', () => {
    const ring = filled(1_500, 1_024);
    expect(ring.size).toBe(1_024);
    expect(ring.overwritten).toBe(476);
    expect(ring.oldest).toBe(4_760);
    expect(ring.newest).toBe(14_990);
    expect(values(ring, 0)).toEqual(Array.from({ length: 1_024 }, (_, i) => i + 476));
  });

  it('grows after a trim without losing what is left', () => {
    const ring = filled(250);
    ring.trim(1_000);
    expect(ring.oldest).toBe(1_000);
    for (let i = 250; i < 900; i++) ring.set(ring.append(i * 10, ABSENT), 0, i);
    expect(values(ring, 0)).toEqual(Array.from({ length: 800 }, (_, i) => i + 100));
  });

  it('does not show a value of an overwritten row in the row that took its place', () => {
    const ring = new ColumnRing(256);
    for (let i = 0; i < 600; i++) {
      const slot = ring.append(i, ABSENT);
      if (i < 300) ring.set(slot, 3, i);
    }
    expect(values(ring, 3).every((v) => v === ABSENT)).toBe(true);
  });

  it('puts a late row in its place by time', () => {
    const ring = new ColumnRing();
    for (const time of [10, 20, 40, 30, 5, 50]) ring.set(ring.append(time, ABSENT), 0, time * 2);
    expect(times(ring)).toEqual([5, 10, 20, 30, 40, 50]);
    expect(values(ring, 0)).toEqual([10, 20, 40, 60, 80, 100]);
  });

  it('keeps late rows in order around the wrap', () => {
    const ring = new ColumnRing(256);
    for (let i = 0; i < 400; i++) ring.set(ring.append(i % 5 === 4 ? i * 10 - 25 : i * 10, ABSENT), 0, i);
    const sorted = times(ring).toSorted((a, b) => a - b);
    expect(times(ring)).toEqual(sorted);
  });

  it('gives a field that comes later no value in earlier rows', () => {
    const ring = filled(3);
    ring.set(ring.append(30, ABSENT), 1, 7);
    expect(values(ring, 1)).toEqual([Number.NaN, Number.NaN, Number.NaN, 7]);
  });
});

describe('looking up', () => {
  const ring = filled(300, 256);
  const column = ring.column(0) as Float64Array;

  it('finds the first row at or after a time', () => {
    expect(lowerBound(ring, 0)).toBe(0);
    expect(lowerBound(ring, 441)).toBe(1);
    expect(lowerBound(ring, 2_990)).toBe(255);
    expect(lowerBound(ring, 2_991)).toBe(256);
  });

  it('finds the nearest value within reach', () => {
    const at = nearestValue(ring, column, 1_004, 100);
    expect(ring.timeAt(at)).toBe(1_000);
    expect(nearestValue(ring, column, 5_000, 100)).toBe(-1);
    expect(nearestValue(ring, column, 5_000, 3_000)).toBe(255);
  });

  it('passes over missing values', () => {
    const sparse = new ColumnRing();
    for (let i = 0; i < 20; i++) {
      const slot = sparse.append(i * 10, ABSENT);
      if (i === 3) sparse.set(slot, 0, 33);
    }
    const values = sparse.column(0) as Float64Array;
    expect(nearestValue(sparse, values, 100, 1_000)).toBe(3);
  });

  it('finds nothing in an empty ring', () => {
    const empty = new ColumnRing();
    expect(empty.newest).toBeNaN();
    expect(lowerBound(empty, 1)).toBe(0);
    expect(nearestValue(empty, new Float64Array(256), 1, 1e9)).toBe(-1);
  });
});

describe('TextTable', () => {
  it('numbers texts and reads them back', () => {
    const table = new TextTable();
    expect([table.number('a'), table.number('b'), table.number('a')]).toEqual([0, 1, 0]);
    expect(table.text(1)).toBe('b');
  });

  it('stops remembering when it is full', () => {
    const table = new TextTable(2);
    expect(['a', 'b', 'c', 'd'].map((t) => table.number(t))).toEqual([0, 1, 2, 2]);
    expect(table.texts.length).toBe(2);
    expect(table.text(2)).toBe('…');
  });
});
