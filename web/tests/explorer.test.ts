// Ten million events behind an interface that answers counts and pages, as the server does; any row is found exactly.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Explorer } from '../src/screens/explore/explorer';

const BASE = 1_700_000_000_000_000;
const EVENTS = 10_000_000;
/** Between events, µs; every thousandth is followed by a silence. */
const STEP = 1_000;
const SILENCE = 400_000;

function timeOf(i: number): number {
  return BASE + i * STEP + Math.floor(i / 1_000) * SILENCE;
}

/** Number of the first event at or after `time`. */
function firstAt(time: number): number {
  let low = 0;
  let high = EVENTS;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rfc3339(micros: number): string {
  const whole = new Date(Math.floor(micros / 1_000_000) * 1_000).toISOString().slice(0, 19);
  return `${whole}.${String(micros % 1_000_000).padStart(6, '0')}Z`;
}

let requests: string[] = [];

function series(query: URLSearchParams): unknown {
  const [from, to] = [Number(query.get('from')), Number(query.get('to'))];
  const wanted = Math.ceil((to - from) / Number(query.get('points')));
  const interval = 10 ** Math.ceil(Math.log10(Math.max(wanted, 1)));
  const time: number[] = [];
  const values: number[] = [];
  for (let at = Math.floor(from / interval) * interval; at < to; at += interval) {
    time.push(at);
    values.push(firstAt(Math.min(at + interval, to)) - firstAt(Math.max(at, from)));
  }
  return { interval_us: interval, time, series: [{ field: 'n', agg: 'count', values }] };
}

function events(query: URLSearchParams): unknown {
  const [from, to] = [Number(query.get('from')), Number(query.get('to'))];
  const rows: unknown[] = [];
  const first = firstAt(from);
  for (let i = firstAt(to) - 1; i >= first && rows.length < Number(query.get('limit')); i--) {
    rows.push({ '@timestamp': rfc3339(timeOf(i)), device: 'd', _partition: 0, _offset: i, n: i });
  }
  return { events: rows, next: null };
}

beforeEach(() => {
  requests = [];
  vi.stubGlobal('fetch', async (address: string) => {
    const url = new URL(address, 'http://127.0.0.1');
    requests.push(url.pathname);
    const answer = url.pathname.endsWith('/series') ? series(url.searchParams) : events(url.searchParams);
    return new Response(JSON.stringify(answer));
  });
});

afterEach(() => vi.unstubAllGlobals());

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

async function opened(): Promise<{ explorer: Explorer; failures: string[] }> {
  const failures: string[] = [];
  const explorer = new Explorer({
    counted: () => undefined,
    failed: (failure) => failures.push(failure.detail),
    changed: () => undefined,
    visible: () => ({ first: 0, end: 0 }),
  });
  explorer.setColumns(['n']);
  const selection = { dataset: 'big', where: '', from: BASE, to: timeOf(EVENTS - 1) + 1 };
  await explorer.select(selection, 'n', false, null);
  return { explorer, failures };
}

/** Draws until the row is here, as the table does. */
async function find(explorer: Explorer, row: number): Promise<unknown> {
  for (let turn = 0; turn < 12; turn++) {
    const found = explorer.row(row);
    explorer.flush();
    if (found !== null) return found.n;
    await settled();
  }
  return null;
}

describe('ten million events', () => {
  it('are counted in one question', async () => {
    const { explorer, failures } = await opened();
    expect(explorer.total()).toBe(EVENTS);
    expect(requests).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it('give any row, newest first, by a few questions each', async () => {
    const { explorer, failures } = await opened();
    for (const row of [0, 199, 200, 1_234_567, 5_000_000, 9_999_998, EVENTS - 1]) {
      const before = requests.length;
      expect(await find(explorer, row)).toBe(EVENTS - 1 - row);
      expect(requests.length - before).toBeLessThanOrEqual(5);
      expect(explorer.total()).toBe(EVENTS);
    }
    expect(failures).toEqual([]);
  });

  it('know the row of a time', async () => {
    const { explorer } = await opened();
    await find(explorer, 4_000_000);
    const row = explorer.rowAt(timeOf(EVENTS - 1 - 4_000_000));
    expect(Math.abs(row - 4_000_000)).toBeLessThan(400);
  });
});
