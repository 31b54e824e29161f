import { describe, expect, it, vi } from 'vitest';

// The modules behind charts look at the page's address and connect when they are read.
vi.mock('../src/state/app', () => ({ live: {}, view: {}, history: {}, hiddenDevices: {}, overlay: {} }));

const { stepped } = await import('../src/chart/keys');
const { newestRows, readingsTable, timeBeside } = await import('../src/chart/readings');
const { ABSENT, ColumnRing } = await import('../src/state/ring');

function line(device: string, rows: [number, number | null][]) {
  const ring = new ColumnRing();
  for (const [time, value] of rows) {
    const slot = ring.append(time, ABSENT);
    if (value !== null) ring.set(slot, 0, value);
  }
  const value = ring.column(0) as Float64Array;
  const rule = { longest: Number.POSITIVE_INFINITY, absentBreaks: true };
  return { ...{ rows: ring, value, last: value, low: null, high: null, color: '', rule, device }, text: String };
}

const a = line('a', [
  [1e6, 10],
  [2e6, null],
  [3e6, 30.25],
]);
const b = line('b', [[2.5e6, 7]]);

describe('a chart as a table', () => {
  it('has the readings of all devices, newest first, without empty ones', () => {
    const table = readingsTable(['speed km/h'], [[a, b]], 0, 4e6);
    expect(table.heads.slice(1)).toEqual(['Device', 'speed km/h']);
    expect(table.rows.map((row) => row.slice(1))).toEqual([
      ['a', '30.25'],
      ['b', '7'],
      ['a', '10'],
    ]);
    expect(table.rows[0]?.[0]).toMatch(/^\d\d:\d\d:03\.000$/);
  });

  it('puts fields of the same reading into one row', () => {
    const other = { ...a, value: a.value.map((v) => v * 2) };
    const rows = newestRows([[a], [other as typeof a]], 0, 4e6, 10);
    expect(rows.length).toBe(3);
    expect(readingsTable(['x', 'y'], [[a], [other as typeof a]], 0, 4e6).rows[1]?.slice(2)).toEqual(['10', '20']);
  });

  it('holds what is in the window only', () => {
    expect(readingsTable(['x'], [[a, b]], 2.1e6, 2.6e6).rows.length).toBe(1);
    expect(readingsTable(['x'], [[]], 0, 4e6).rows).toEqual([]);
  });
});

describe('the crosshair by keys', () => {
  const window = { from: 0, to: 4e6 };
  const beside = (time: number, step: 1 | -1) => timeBeside([a, b], time, step);

  it('goes from reading to reading of any device, over those without a value', () => {
    const places: (number | null)[] = [];
    let at: number | null = null;
    for (let i = 0; i < 4; i++) {
      at = stepped('ArrowRight', false, at, window, beside);
      places.push(at);
    }
    // At the last reading it stays.
    expect(places).toEqual([0.25, 0.625, 0.75, 0.75]);
    expect(stepped('ArrowLeft', false, 0.75, window, beside)).toBe(0.625);
    expect(stepped('ArrowLeft', false, null, window, beside)).toBe(0.75);
  });

  it('goes far with Shift, and to the ends', () => {
    expect(stepped('ArrowRight', true, 0.25, window, beside)).toBeCloseTo(0.35);
    expect(stepped('ArrowLeft', true, 0.05, window, beside)).toBe(0);
    expect(stepped('End', false, 0.2, window, beside)).toBe(1);
    expect(stepped('a', false, 0.2, window, beside)).toBeNull();
  });
});
