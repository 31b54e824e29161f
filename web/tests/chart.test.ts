import { describe, expect, it } from 'vitest';
import { type Line, type Pen, traceLine } from '../src/chart/lines';
import { fitBox, isPosition, latitudeOf, project, scaleBar } from '../src/chart/mercator';
import { niceRange, widen } from '../src/chart/range';
import { Share, takeTurns } from '../src/chart/share';
import { timeTick, valueTick } from '../src/chart/ticks';
import { ABSENT, ColumnRing } from '../src/state/ring';

class Recorder implements Pen {
  readonly runs: [number, number][][] = [];
  moveTo(x: number, y: number): void {
    this.runs.push([[x, y]]);
  }
  lineTo(x: number, y: number): void {
    this.runs[this.runs.length - 1]?.push([x, y]);
  }
}

function line(rows: [number, number | null][], rule = { longest: Number.POSITIVE_INFINITY, absentBreaks: true }): Line {
  const ring = new ColumnRing();
  for (const [time, value] of rows) {
    const slot = ring.append(time, ABSENT);
    if (value !== null) ring.set(slot, 0, value);
  }
  return { rows: ring, value: ring.column(0) as Float64Array, low: null, high: null, color: '#000', rule };
}

const UNIT = { t0: 0, kx: 1, x0: 0, v0: 0, ky: 1, y0: 0 };

function trace(subject: Line, from: number, to: number, kx = 1) {
  const pen = new Recorder();
  const { dots, travel } = traceLine(pen, subject, from, to, { ...UNIT, kx });
  return { runs: pen.runs, dots, travel };
}

describe('a line', () => {
  it('joins neighbours', () => {
    const { runs } = trace(
      line([
        [0, 1],
        [1, 2],
        [2, 3],
      ]),
      0,
      2,
    );
    expect(runs).toEqual([
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    ]);
  });

  it('is broken where the device was silent for too long', () => {
    const { runs } = trace(
      line(
        [
          [0, 1],
          [1, 2],
          [9, 3],
          [10, 4],
        ],
        { longest: 5, absentBreaks: true },
      ),
      0,
      10,
    );
    expect(runs.map((run) => run.length)).toEqual([2, 2]);
  });

  it('is broken where a dense field was left out, and not where a sparse one was', () => {
    const rows: [number, number | null][] = [
      [0, 1],
      [1, 2],
      [2, null],
      [3, 3],
      [4, 4],
    ];
    expect(trace(line(rows), 0, 4).runs.length).toBe(2);
    expect(trace(line(rows, { longest: 99, absentBreaks: false }), 0, 4).runs.length).toBe(1);
  });

  it('shows a lone value as a dot', () => {
    const { dots } = trace(
      line(
        [
          [0, 1],
          [1, 2],
          [50, 7],
          [100, 3],
          [101, 4],
        ],
        { longest: 5, absentBreaks: true },
      ),
      0,
      101,
    );
    expect(dots).toEqual([{ x: 50, y: 7 }]);
  });

  it('knows how much of a surface it is', () => {
    const rows: [number, number][] = Array.from({ length: 100 }, (_, i) => [i, i % 2 === 0 ? 0 : 50]);
    expect(trace(line(rows), 0, 99, 0.1).travel).toBe(10 * 50);
    expect(trace(line(rows), 0, 99, 1).travel).toBe(0);
  });

  it('enters from before the window and leaves after it', () => {
    const { runs } = trace(
      line([
        [0, 1],
        [10, 2],
        [20, 3],
        [30, 4],
      ]),
      12,
      18,
    );
    expect(runs).toEqual([
      [
        [10, 2],
        [20, 3],
      ],
    ]);
  });

  it('keeps the first, lowest, highest and last value of every pixel column', () => {
    const seed = Math.floor(Math.random() * 1e9);
    console.info(`pixel column seed ${seed}`);
    let state = seed;
    const next = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    const rows: [number, number][] = Array.from({ length: 200 }, (_, i) => [i, next() * 100]);
    const { runs } = trace(line(rows), 0, 199, 0.1);
    const drawn = new Map<number, number[]>();
    for (const [x, y] of runs.flat()) drawn.set(Math.floor(x), [...(drawn.get(Math.floor(x)) ?? []), y]);
    for (let column = 0; column < 20; column++) {
      const expected = rows.filter(([t]) => Math.floor(t * 0.1) === column).map(([, v]) => v);
      const ys = drawn.get(column) ?? [];
      expect(ys[0]).toBe(expected[0]);
      expect(ys[ys.length - 1]).toBe(expected[expected.length - 1]);
      expect(Math.min(...ys)).toBe(Math.min(...expected));
      expect(Math.max(...ys)).toBe(Math.max(...expected));
      expect(ys.length).toBeLessThanOrEqual(4);
    }
  });
});

/** What the server keeps of each of `columns` equal columns. */
function picked(rows: [number, number][], to: number, columns: number): [number, number][] {
  const kept = new Map<number, [number, number][]>();
  for (const row of rows) {
    const column = Math.floor((row[0] * columns) / to);
    kept.set(column, [...(kept.get(column) ?? []), row]);
  }
  return [...kept.values()].flatMap((all) => {
    const low = all.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = all.reduce((a, b) => (b[1] > a[1] ? b : a));
    return all.filter((row, i) => i === 0 || i === all.length - 1 || row === low || row === high);
  });
}

describe('a picture from the server', () => {
  it('is drawn as all readings are', () => {
    const seed = Math.floor(Math.random() * 1e9);
    console.info(`picture seed ${seed}`);
    let state = seed;
    const next = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    // A power of two of them a column: no time is on the other side of an edge by rounding.
    const to = 65_536;
    const times = Array.from({ length: 5_000 }, () => Math.floor(next() * to)).sort((a, b) => a - b);
    const rows = times.map((time): [number, number] => [time, Math.round(next() * 1_000)]);
    const columns = 256;
    const few = picked(rows, to, columns);
    expect(few.length).toBeLessThanOrEqual(4 * columns);
    expect(trace(line(few), 0, to, columns / to).runs).toEqual(trace(line(rows), 0, to, columns / to).runs);
  });
});

describe('value range', () => {
  it('takes the values inside the window and one beyond either edge', () => {
    const subject = line([
      [0, 500],
      [10, 1],
      [20, 3],
      [30, 2],
      [40, 9],
      [50, -700],
    ]);
    const extent = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
    expect(widen(extent, subject.rows, subject.value, 15, 35)).toBe(4);
    expect(extent).toEqual({ low: 1, high: 9 });
  });

  it.each([
    [0, 10],
    [-5, 5],
    [32_767, 32_900],
    [1e-6, 2e-6],
    [-1e12, 1e12],
    [7, 7],
    [0, 0],
  ])('encloses %d to %d', (low, high) => {
    const range = niceRange({ low, high });
    expect(range.low).toBeLessThanOrEqual(low);
    expect(range.high).toBeGreaterThanOrEqual(high);
    expect(range.high).toBeGreaterThan(range.low);
    expect(range.high - range.low).toBeLessThan(Math.max((high - low) * 1.6, Math.abs(high) * 0.3, 3));
  });

  it('does not go below zero for values that do not', () => expect(niceRange({ low: 0, high: 30 }).low).toBe(0));
  it('has an axis for no value', () => expect(niceRange({ low: 1, high: -1 })).toEqual({ low: 0, high: 1 }));
});

describe('ticks', () => {
  it.each([
    [0, 5, '0'],
    [32_825, 25, '32,825'],
    [12.5, 2.5, '12.5'],
    [1_500_000, 500_000, '1.5M'],
    [-20, 20, '-20'],
    [123_456.0125, 0.0125, '123,456.0125'],
    [-99_999, 1, '-99,999'],
    [0.25, 0.25, '0.25'],
    [0.30000000000000004, 0.1, '0.3'],
  ])('writes %d at steps of %d', (value, step, text) => expect(valueTick(value, step)).toBe(text));

  it('tells neighbours apart', () => {
    for (const step of [0.001, 0.025, 0.5, 2.5, 25, 250, 2_500, 250_000]) {
      const texts = Array.from({ length: 8 }, (_, i) => valueTick(100_000 + i * step, step));
      expect(new Set(texts).size).toBe(8);
    }
  });

  it('writes times as fine as the step', () => {
    const at = new Date(2026, 10, 23, 21, 5, 9).getTime() / 1_000;
    expect(timeTick(at, 10)).toBe('21:05:09');
    expect(timeTick(at, 60)).toBe('21:05');
    expect(timeTick(at, 86_400)).toBe('23 Nov');
    expect(timeTick(at + 0.25, 0.05)).toBe('09.25');
  });
});

describe('the track', () => {
  it('projects to and fro', () => {
    for (const latitude of [-80, -33.9, 0, 41.02, 84])
      expect(latitudeOf(project(latitude, 10).y)).toBeCloseTo(latitude, 9);
  });

  it('fits a box inside its margins', () => {
    const a = project(41, 28.9);
    const b = project(41.1, 29.1);
    const place = fitBox({ west: a.x, east: b.x, north: b.y, south: a.y }, 400, 300, 20);
    expect(a.x * place.scale + place.left).toBeGreaterThanOrEqual(19.9);
    expect(b.x * place.scale + place.left).toBeLessThanOrEqual(380.1);
    expect(b.y * place.scale + place.top).toBeGreaterThanOrEqual(19.9);
  });

  it('has a round scale bar of the right length', () => {
    const place = fitBox({ west: 0.58, east: 0.581, north: 0.375, south: 0.376 }, 400, 300, 20);
    const bar = scaleBar(place.scale, 41, 100);
    expect([1, 2, 5]).toContain(Number(String(bar.metres)[0]));
    expect(bar.pixels).toBeLessThanOrEqual(100);
    expect(bar.pixels).toBeGreaterThan(35);
  });

  it('does not take a receiver without a fix for a place', () => {
    expect(isPosition(0, 0)).toBe(false);
    expect(isPosition(91, 10)).toBe(false);
    expect(isPosition(41, 29)).toBe(true);
  });
});

describe('panels that take turns', () => {
  it('all draw where they are quick, one where they are slow, and a single long frame changes little', () => {
    const share = new Share();
    expect(share.panels).toBe(Number.POSITIVE_INFINITY);
    for (let i = 0; i < 50; i++) share.note(2.4, 24);
    expect(share.panels).toBeGreaterThanOrEqual(24);
    share.note(24, 24);
    expect(share.panels).toBeGreaterThanOrEqual(24);
    for (let i = 0; i < 50; i++) share.note(240, 24);
    expect(share.panels).toBe(1);
    for (let i = 0; i < 50; i++) share.note(1.9, 1);
    expect(share.panels).toBe(4);
    share.note(1_000, 0);
    expect(share.panels).toBe(4);
  });

  it('go on where the last frame ended, over those that have nothing to draw', () => {
    const drawn: number[] = [];
    const paint = (item: number) => {
      if (item % 2 === 0) drawn.push(item);
      return item % 2 === 0;
    };
    const items = [0, 1, 2, 3, 4, 5];
    let { next, all } = takeTurns(items, 0, 2, paint);
    expect([drawn, all]).toEqual([[0, 2], false]);
    ({ next, all } = takeTurns(items, next, 2, paint));
    expect(drawn).toEqual([0, 2, 4, 0]);
    expect(takeTurns(items, next, 9, paint)).toMatchObject({ drawn: 3, all: true });
    expect(takeTurns([], 3, 9, paint)).toMatchObject({ drawn: 0, all: true });
  });
});
