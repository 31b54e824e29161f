import { describe, expect, it } from 'vitest';
import { formatBytes, formatMeasure, formatPercent, formatShort, microsOf } from '../src/kit/format';
import { coarser, gapsIn, rateShare, worstFirst } from '../src/screens/devices/health';
import { cellText } from '../src/screens/explore/explorer';
import { parseScrape, quantile, rateOf, total } from '../src/screens/self/prometheus';
import { difference } from '../src/screens/streams/difference';
import { factsOf, factsText } from '../src/screens/streams/facts';
import { hexDump } from '../src/screens/streams/hex';
import { listOf, path, query } from '../src/wire/call';
import { parseExact } from '../src/wire/explore';
import type { DeviceInfo } from '../src/wire/rest';

describe('formats', () => {
  it('says bytes with three digits', () => {
    expect([0, 812, 1_536, 64 << 20, 3.2e9].map(formatBytes)).toEqual([
      '0 B',
      '812 B',
      '1.5 KiB',
      '64 MiB',
      '2.98 GiB',
    ]);
  });

  it('never rounds something to nothing, nor a part to the whole', () => {
    expect([0, 1e-6, 0.123, 0.5, 0.99999, 1].map((p) => formatPercent(p).replace(' ', ' '))).toEqual([
      '0 %',
      '<0.1 %',
      '12 %',
      '50 %',
      '>99.9 %',
      '100 %',
    ]);
  });

  it('shortens counts and measures', () => {
    expect([0, 9_999, 12_000, 1_250_000].map(formatShort)).toEqual(['0', '9,999', '12 k', '1.3 M']);
    expect([0, 3, 28.54321, 0.00001, Number.NaN].map(formatMeasure)).toEqual(['0', '3', '28.54', '1.00e-5', '–']);
  });

  it('reads times to the microsecond', () => {
    expect(microsOf('2018-01-19T05:37:00.612611Z')).toBe(1_516_340_220_612_611);
    expect(microsOf('2018-01-19T05:37:00Z')).toBe(1_516_340_220_000_000);
    expect(microsOf('1969-12-31T23:59:59.5Z')).toBe(-500_000);
    expect(microsOf('soon')).toBeNaN();
  });
});

describe('addresses', () => {
  it('escape what they are made of', () => {
    expect(path('/datasets/{}/fields/{}', 'a/b', 'Speed (km/h)')).toBe(
      '/api/v1/datasets/a%2Fb/fields/Speed%20(km%2Fh)',
    );
    expect(query({ where: 'a = "b&c"', limit: 10, none: '', not: undefined })).toBe(
      '?where=a+%3D+%22b%26c%22&limit=10',
    );
    expect(listOf(['a,b', 'c'])).toBe('a\\,b,c');
  });
});

describe('events', () => {
  it('keep whole numbers that no double holds', () => {
    const row = parseExact('{"big":9007199254740993,"small":12,"x":0.1}') as Record<string, unknown>;
    // Engines without the source of a number fall back to the double.
    expect(['9007199254740993', '9007199254740992']).toContain(String(row.big));
    expect(row.small).toBe(12);
    expect(cellText({ a: { b: 1, c: [1, 2] }, 'd.e': 3, f: null }, 'a.b')).toBe('1');
    expect(cellText({ a: { c: [1, 2] } }, 'a.c')).toBe('[1,2]');
    expect(cellText({ 'd.e': 3 }, 'd.e')).toBe('3');
    expect(cellText({ f: null }, 'f')).toBe('');
  });
});

function device(name: string, state: DeviceInfo['state'], rate = 10, expected: number | null = 10): DeviceInfo {
  return {
    device: name,
    dataset: 'd',
    prototype: null,
    first_seen: 0,
    last_seen: 0,
    rate,
    expected_rate: expected,
    state,
    events: 0,
  };
}

describe('devices', () => {
  it('stand worst first, and do not jump about for a little unrest', () => {
    const devices = [
      device('a', 'live', 9.7),
      device('b', 'live', 3),
      device('c', 'lost', 0),
      device('d', 'late'),
      device('e', 'live', 10.1),
      device('e10', 'live', 10),
      device('e9', 'live', 10),
    ];
    expect(worstFirst(devices).map((d) => d.device)).toEqual(['c', 'd', 'b', 'a', 'e', 'e9', 'e10']);
    expect(rateShare(device('x', 'live', 5))).toBe(0.5);
    expect(rateShare(device('x', 'live', 5, null))).toBeNull();
  });

  it('have gaps where several periods are empty, longest first', () => {
    const counts = [4, 0, 0, 5, 0, 5, 0, 0, 0, 5, 0];
    const times = counts.map((_, i) => i * 10);
    expect(gapsIn(counts, times, 10, 20)).toEqual([
      { from: 60, to: 90 },
      { from: 10, to: 30 },
    ]);
    expect(gapsIn([1, 1, 0], [0, 10, 20], 10, 5)).toEqual([]);
    expect(coarser([1, null, 2, 3, 4], [0, 10, 20, 30, 40], 3)).toEqual({
      time: [0, 20, 40],
      count: [1, 5, 4],
      factor: 2,
    });
    expect(gapsIn([1, 0, 0, null], [0, 10, 20, 30], 10, 5)).toEqual([{ from: 10, to: 30 }]);
  });
});

const SCRAPE = (n: number) => `# HELP a_total Some, with "quotes"
# TYPE a_total counter
a_total{x="1",y="a\\"b"} ${n}
a_total{x="2"} 5
h_bucket{le="1"} ${n}
h_bucket{le="10"} ${n * 2}
h_bucket{le="+Inf"} ${n * 2}
h_count ${n * 2}
`;

describe('figures in the Prometheus format', () => {
  it('are read with their labels, added up, and turned into rates', () => {
    const before = parseScrape(SCRAPE(10), 0);
    const now = parseScrape(SCRAPE(30), 2_000);
    expect(before.samples[0]?.labels.get('y')).toBe('a"b');
    expect(before.help.get('a_total')).toBe('Some, with "quotes"');
    expect(total(now, 'a_total')).toBe(35);
    expect(total(now, 'b_total')).toBeNull();
    expect(rateOf(before, now, 'a_total')).toBe(10);
    expect(rateOf(now, before, 'a_total')).toBeNull();
  });

  it('give quantiles of what came between two readings', () => {
    const before = parseScrape(SCRAPE(10), 0);
    const now = parseScrape(SCRAPE(30), 2_000);
    expect(quantile(before, now, 'h', 0.25)).toBeCloseTo(0.5);
    expect(quantile(before, now, 'h', 0.75)).toBeCloseTo(5.5);
    expect(quantile(now, now, 'h', 0.5)).toBeNull();
    expect(quantile(null, parseScrape('s{quantile="0.5"} 7\n', 0), 's', 0.5)).toBe(7);
  });
});

describe('streams', () => {
  it('dump bytes that are no text', () => {
    expect(hexDump(new Uint8Array([0, 65, 255]))).toBe(`000000  00 41 ff${' '.repeat(3 * 13)}  .A.`);
    expect(hexDump(new Uint8Array(17)).split('\n')).toHaveLength(2);
  });

  it('merge the changes between two versions', () => {
    const versions = [
      { version: 1, changes: [{ field: 'a', change: 'added', to: 'integer' }] },
      { version: 2, changes: [{ field: 'b', change: 'added', to: 'integer' }] },
      {
        version: 3,
        changes: [
          { field: 'b', change: 'widened', from: 'integer', to: 'text', sample: '"x"' },
          { field: 'a', change: 'widened', from: 'integer', to: 'float' },
        ],
      },
    ].map((v) => ({ ...v, time: `t${v.version}`, device: `d${v.version}`, source: '', fields: 0 }));
    const third = { version: 3, time: 't3', device: 'd3' };
    expect(difference(versions, 1, 3)).toEqual([
      { field: 'b', change: 'added', to: 'text', sample: '"x"', ...third },
      { field: 'a', change: 'widened', from: 'integer', to: 'float', ...third },
    ]);
    expect(difference(versions, 1, 2)).toEqual([
      { field: 'b', change: 'added', to: 'integer', version: 2, time: 't2', device: 'd2' },
    ]);
    expect(difference(versions, 3, 2)).toHaveLength(2);
    expect(difference(versions, 2, 2)).toEqual([]);
  });

  it('read facts as they are written', () => {
    const facts = { site: 'Lyon', floor: 3, on: true, none: null };
    expect(factsOf(factsText(facts))).toEqual(facts);
    expect(factsOf('a=b=c\n\n=x\nv=1.0.2')).toEqual({ a: 'b=c', v: '1.0.2' });
  });
});
