import { describe, expect, it } from 'vitest';
import { busiestField, summed } from '../src/state/activity';
import { blockAround } from '../src/state/history';

const SECOND = 1e6;
const NOW = 1_795_469_357_345_000;

describe('the block that a moving window is in', () => {
  it.each([1, -1, 0.1, 100, -1_000])('holds the window, and is the same for a while: rate %d', (rate) => {
    const width = 60 * SECOND;
    const blocks = new Set<number>();
    // Ten seconds of playing at 60 frames a second.
    for (let frame = 0; frame < 600; frame++) {
      const from = NOW + (frame / 60) * SECOND * rate;
      const block = blockAround({ from, to: from + width }, rate);
      expect(block.from).toBeLessThanOrEqual(from);
      expect(block.to).toBeGreaterThanOrEqual(from + width);
      expect(block.from % block.length).toBe(0);
      blocks.add(block.from);
    }
    // Each lasts for two seconds at least.
    expect(blocks.size).toBeLessThanOrEqual(6);
  });

  it('is as fine as 400 buckets across the window, up to 6,000 in all', () => {
    const window = { from: NOW, to: NOW + 60 * SECOND };
    const slow = blockAround(window, 1);
    expect(slow.points / ((slow.to - slow.from) / (60 * SECOND))).toBeCloseTo(400, 0);
    expect(blockAround(window, 1_000).points).toBe(6_000);
  });
});

describe('activity', () => {
  it('sums what begins at the same time, and leaves out what is empty', () => {
    const parts = [
      { time: [0, 10, 20], values: [1, null, 3] },
      { time: [10, 20, 30], values: [0, 4, 5] },
    ];
    expect(summed(parts)).toEqual({ time: [0, 20, 30], count: [1, 7, 5] });
    expect(summed([])).toEqual({ time: [], count: [] });
  });

  it('counts the field with the most values', () => {
    const field = (name: string, count: number) => ({ name, count });
    const schema = (...fields: { name: string; count: number }[]) => ({ dataset: 'a', version: 1, fields }) as never;
    expect(busiestField(schema(field('a', 3), field('b', 9), field('c', 9)))).toBe('b');
    expect(busiestField(schema(field('a', 0)))).toBeNull();
    expect(busiestField(undefined)).toBeNull();
  });
});
