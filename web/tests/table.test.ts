import { describe, expect, it } from 'vitest';
import { PageCache } from '../src/table/cache';
import { RowIndex, type Stretch } from '../src/table/row-index';
import { ScrollScale, TALLEST_PX } from '../src/table/scroll';

describe('the scale of a scroll bar', () => {
  it('moves in the rows’ own pixels while they fit', () => {
    const scale = new ScrollScale(1_000, 28, 500);
    expect(scale.exact).toBe(true);
    expect(scale.height).toBe(28_000);
    expect(scale.topOf(123)).toBe(123);
    expect(scale.visible(0)).toEqual({ first: 0, end: 18 });
    expect(scale.visible(scale.clamp(1e9))).toEqual({ first: 982, end: 1_000 });
  });

  it('reaches the first and the last of ten million rows, and every one between', () => {
    const rows = 10_000_000;
    const scale = new ScrollScale(rows, 28, 600);
    expect(scale.height).toBe(TALLEST_PX);
    expect(scale.topOf(0)).toBe(0);
    expect(scale.visible(scale.topOf(scale.height - 600)).end).toBe(rows);
    for (const row of [0, 1, 4_999_999, 7_654_321, rows - 22]) {
      const top = row * 28;
      expect(Math.abs(scale.topOf(scale.scrollOf(top)) - top)).toBeLessThan(0.01);
      expect(scale.visible(top).first).toBe(row);
    }
  });

  it('reveals a row by the least movement', () => {
    const scale = new ScrollScale(100, 28, 280);
    expect(scale.reveal(0, 5)).toBe(0);
    expect(scale.reveal(0, 10)).toBe(28);
    expect(scale.reveal(280, 3)).toBe(84);
  });

  it('is nothing for no rows', () => {
    const scale = new ScrollScale(0, 28, 300);
    expect(scale.visible(0)).toEqual({ first: 0, end: 0 });
    expect(scale.topOf(50)).toBe(0);
  });
});

/** `counts` of buckets of 10 µs from 1,000 on, oldest first. */
function stretches(counts: number[]): Stretch[] {
  return counts.map((count, i) => ({ from: 1_000 + 10 * i, to: 1_010 + 10 * i, count }));
}

describe('the index of rows', () => {
  it('numbers rows newest first', () => {
    const index = new RowIndex(stretches([3, 0, 2, 5]));
    expect(index.total).toBe(10);
    expect(index.at(0)).toEqual({ from: 1_030, to: 1_040, count: 5, first: 0 });
    expect(index.at(4)?.from).toBe(1_030);
    expect(index.at(5)?.from).toBe(1_020);
    expect(index.at(7)?.from).toBe(1_000);
    expect(index.at(9)?.first).toBe(7);
    expect(index.at(10)).toBeNull();
    expect(index.at(-1)).toBeNull();
  });

  it('gathers pages that hold every row once, under one name each', () => {
    let seed = 3;
    const counts = Array.from({ length: 300 }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % 40;
    });
    const index = new RowIndex(stretches(counts));
    const seen = new Map<string, number>();
    for (let row = 0; row < index.total; row++) {
      const page = index.page(row, 100);
      const holds = page !== null && row >= page.first && row < page.first + page.count && page.count <= 100;
      if (!holds || page === null) throw new Error(`row ${row}: ${JSON.stringify(page)}`);
      seen.set(`${page.from}:${page.to}`, page.count);
    }
    expect([...seen.values()].reduce((a, b) => a + b, 0)).toBe(index.total);
  });

  it('gives a stretch that is too full alone, and numbers are right after it is refined', () => {
    const index = new RowIndex(stretches([10, 5_000, 20]));
    const page = index.page(100, 200);
    expect(page).toEqual({ from: 1_010, to: 1_020, count: 5_000, first: 20 });
    index.refine(1_010, 1_020, [
      { from: 1_010, to: 1_012, count: 100 },
      { from: 1_012, to: 1_020, count: 4_900 },
    ]);
    expect(index.total).toBe(5_030);
    expect(index.at(20)?.from).toBe(1_012);
    expect(index.at(4_920)?.from).toBe(1_010);
    expect(index.at(5_020)?.from).toBe(1_000);
  });

  it('takes in what the rows say against their counts', () => {
    const index = new RowIndex(stretches([3, 4, 5]));
    index.correct(1_010, 1_040, 11);
    expect(index.total).toBe(14);
    expect(index.at(10)?.from).toBe(1_010);
    index.correct(1_000, 1_010, 0);
    expect(index.total).toBe(11);
  });

  it('finds the row of a time', () => {
    const index = new RowIndex(stretches([10, 0, 10]));
    expect(index.rowAt(5_000)).toBe(0);
    expect(index.rowAt(1_025)).toBe(5);
    expect(index.rowAt(1_015)).toBe(10);
    expect(index.rowAt(500)).toBe(20);
  });
});

describe('the cache of pages', () => {
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

  it('asks for what was looked for, once, and keeps the newest', async () => {
    const asked: string[] = [];
    let arrivals = 0;
    const cache = new PageCache<string, { key: string; version: number }>(
      2,
      async (page) => {
        asked.push(page.key);
        return [page.key];
      },
      () => {
        arrivals += 1;
      },
    );
    for (const key of ['a', 'b', 'c']) {
      expect(cache.get({ key, version: 1 })).toBeNull();
      cache.flush();
      cache.get({ key, version: 1 });
      cache.flush();
      await settled();
      expect(cache.get({ key, version: 1 })).toEqual([key]);
    }
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(arrivals).toBe(3);
    expect(cache.get({ key: 'a', version: 1 })).toBeNull();
  });

  it('gives up what nobody looks at any more', async () => {
    const signals: AbortSignal[] = [];
    const cache = new PageCache<string, { key: string; version: number }>(
      4,
      (_, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
      () => undefined,
    );
    cache.get({ key: 'a', version: 1 });
    cache.flush();
    cache.get({ key: 'b', version: 1 });
    cache.flush();
    expect(signals.map((s) => s.aborted)).toEqual([true, false]);
  });

  it('shows an older version until the newer one is here', async () => {
    let version = 0;
    const cache = new PageCache<number, { key: string; version: number }>(
      4,
      async () => [++version],
      () => undefined,
    );
    cache.get({ key: 'a', version: 1 });
    cache.flush();
    await settled();
    expect(cache.get({ key: 'a', version: 2 })).toEqual([1]);
    cache.flush();
    await settled();
    expect(cache.get({ key: 'a', version: 2 })).toEqual([2]);
  });
});
