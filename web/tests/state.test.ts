import { describe, expect, it } from 'vitest';
import { ServerClock } from '../src/state/clock';
import { gapRule, typicalPeriod } from '../src/state/gaps';
import { firstWord, groupFields, isNumeric, isState } from '../src/state/groups';
import { LatencyWindow } from '../src/state/latency';
import { ABSENT, ColumnRing } from '../src/state/ring';
import { formatHash, parseHash, type UrlState } from '../src/state/url';
import {
  bounds,
  formatSpan,
  openingView,
  PRESETS,
  panned,
  parseInstant,
  parseSpan,
  pausedAt,
  played,
  timelineAround,
  type View,
  windowWord,
  zoomed,
  zoomedAt,
} from '../src/state/window';
import type { SchemaField } from '../src/wire/rest';

const NOW = 1_795_469_357_345_000;

describe('window grammar', () => {
  it.each([
    ['15s', 15e6],
    ['-5m', 300e6],
    ['1h', 3_600e6],
    ['7d', 604_800e6],
    ['0.5s', 500_000],
    [' 1m ', 60e6],
  ])('reads %s', (text, span) => expect(parseSpan(text)).toBe(span));

  it.each(['', 's', '5', '5 m', '-', '1e9s', '5M', '0s', '99999d', '1.5.2s'])('refuses %j as a span', (text) =>
    expect(parseSpan(text)).toBeNull(),
  );

  it('writes every preset so that it is read back', () => {
    for (const span of PRESETS) expect(parseSpan(formatSpan(span))).toBe(span);
    expect(PRESETS.map(formatSpan)).toEqual(['15s', '1m', '5m', '15m', '1h', '6h', '24h', '7d']);
  });

  it('asks the server for whole seconds up to seven days', () => {
    expect(windowWord(15e6)).toBe('-15s');
    expect(windowWord(1_400_000)).toBe('-2s');
    expect(windowWord(30 * 86_400e6)).toBe('-7d');
  });

  it.each([
    ['now', NOW],
    ['-15m', NOW - 900e6],
    ['2026-11-23T21:00:00Z', Date.UTC(2026, 10, 23, 21) * 1_000],
    ['2026-11-23T22:00:00.123456+01:00', Date.UTC(2026, 10, 23, 21) * 1_000 + 123_456],
    ['2026-11-23', new Date(2026, 10, 23).getTime() * 1_000],
    ['2026-11-23 9:05', new Date(2026, 10, 23, 9, 5).getTime() * 1_000],
    [String(NOW), NOW],
  ])('reads %s as an instant', (text, instant) => expect(parseInstant(text, NOW)).toBe(instant));

  it('reads a time of today', () => {
    const day = new Date(NOW / 1_000);
    expect(parseInstant('08:15:30.5', NOW)).toBe(
      new Date(day.getFullYear(), day.getMonth(), day.getDate(), 8, 15, 30, 500).getTime() * 1_000,
    );
  });

  it.each(['', 'yesterday', '25:00', '12:60', '2026-02-31', '2026-13-01', '2026-11-23T24:00', '-', '5m', '123'])(
    'refuses %j as an instant',
    (text) => expect(parseInstant(text, NOW)).toBeNull(),
  );
});

describe('moving the window', () => {
  const live: View = { mode: 'live', span: 60e6 };

  it('zooms a live window along the presets, and stops at the ends', () => {
    expect(zoomed(live, 1, NOW).span).toBe(15e6);
    expect(zoomed(live, -1, NOW).span).toBe(300e6);
    expect(zoomed({ mode: 'live', span: 15e6 }, 1, NOW).span).toBe(15e6);
    expect(zoomed({ mode: 'live', span: 604_800e6 }, -1, NOW).span).toBe(604_800e6);
  });

  it('zooms a paused window around its middle, not into the future', () => {
    const paused = pausedAt(live, NOW - 40e6, NOW - 20e6);
    expect(bounds(zoomed(paused, 1, NOW), NOW)).toEqual({ from: NOW - 35e6, to: NOW - 25e6 });
    expect(bounds(zoomed(paused, -1, NOW), NOW)).toEqual({ from: NOW - 50e6, to: NOW - 10e6 });
    expect(bounds(zoomed(zoomed(paused, -1, NOW), -1, NOW), NOW)).toEqual({ from: NOW - 80e6, to: NOW });
  });

  it('pauses when it is moved', () => {
    expect(panned(live, -0.5, NOW)).toEqual({ mode: 'paused', span: 60e6, from: NOW - 90e6, to: NOW - 30e6 });
  });

  it('has a least width', () => {
    const { from, to } = bounds(pausedAt(live, NOW, NOW), NOW);
    expect(to - from).toBe(1_000);
  });
});

describe('state in the URL', () => {
  const live: View = { mode: 'live', span: 60e6 };
  const nothing = { overlay: null, hidden: [], theme: null, language: null, own: {} };
  const plain: UrlState = { screen: 'live', dataset: null, view: live, ...nothing };
  const states: UrlState[] = [
    plain,
    { ...plain, dataset: 'a b&c=d', view: { mode: 'live', span: 900e6 }, theme: 'dark' },
    { ...plain, dataset: '1', view: { mode: 'paused', span: 60e6, from: NOW - 5e6, to: NOW }, theme: 'light' },
    { ...plain, view: { mode: 'paused', span: 300e6, from: NOW - 1_000, to: NOW }, language: 'fr' },
    { ...plain, screen: 'explore', own: { q: 'speed > 5 and gear = "é?&"', sort: '-time' } },
    { ...plain, overlay: { offset: -3_600e6, device: 'X 46~789' }, hidden: ['1/a', '1/b&c'] },
    { ...plain, overlay: { offset: 17, device: null } },
    { ...plain, screen: 'build', dataset: '2', language: 'en', theme: 'system', own: { board: '7' } },
  ];

  it.each(states)('comes back: %j', (state) => expect(parseHash(formatHash(state), NOW)).toEqual(state));

  it.each<[number, { from: number; to: number } | null]>([
    [1, null],
    [-30, null],
    [0.1, { from: NOW - 9e6, to: NOW - 2e6 }],
  ])('goes on playing at %d from where it was, in its loop', (rate, loop) => {
    const paused = pausedAt(live, NOW - 5e6, NOW - 1e6);
    const playing = played(paused, rate, loop, NOW);
    const later = parseHash(formatHash({ ...plain, view: playing }), NOW + 77e6).view;
    expect(later).toEqual({ ...playing, since: NOW + 77e6 });
  });

  it('is empty at the start', () => expect(formatHash(states[0] as UrlState)).toBe(''));

  it.each([
    ['#/', 'live', {}],
    ['#/live?dataset=1', 'live', {}],
    ['#/explore', 'explore', {}],
    ['#/explore/?q=a&lang=de', 'explore', { q: 'a' }],
    ['#/no such?', 'no such', {}],
    ['#q=a', 'live', { q: 'a' }],
  ])('reads the screen of %s', (hash, screen, own) => {
    expect(parseHash(hash, NOW)).toMatchObject({ screen, own });
  });

  it('keeps what a screen calls as the page does from standing in its way', () => {
    const hash = formatHash({ ...plain, screen: 'explore', own: { dataset: 'x', q: 'a' } });
    expect(hash).toBe('#/explore?q=a');
  });

  it('takes relative times', () => {
    expect(parseHash('#from=-2h&to=-1h', NOW).view).toEqual({
      mode: 'paused',
      span: 60e6,
      from: NOW - 7_200e6,
      to: NOW - 3_600e6,
    });
  });

  it.each(['#window=nonsense&from=5&to=', '#from=now&to=-5m', '#theme=pink', '#%%%', '#from=-5m'])(
    'falls back from %s',
    (hash) => {
      expect(parseHash(hash, NOW).view).toEqual({ mode: 'live', span: 60e6 });
      expect(parseHash(hash, NOW).theme).toBeNull();
    },
  );
});

describe('playing the past', () => {
  const live: View = { mode: 'live', span: 60e6 };
  const paused = pausedAt(live, NOW - 100e6, NOW - 90e6);

  it.each([0.1, 1, 10, 1_000, -2])('slides at its rate: %d', (rate) => {
    const view = played(paused, rate, null, NOW);
    const after = bounds(view, NOW + 80_000);
    expect(after.to).toBeCloseTo(NOW - 90e6 + 80_000 * rate, 0);
    expect(after.to - after.from).toBe(10e6);
  });

  it('is never ahead of the present', () => {
    const view = played(paused, 1_000, null, NOW);
    expect(bounds(view, NOW + 10e6).to).toBe(NOW + 10e6);
  });

  it.each([3, -3])('goes round in its loop: %d', (rate) => {
    const loop = { from: NOW - 95e6, to: NOW - 85e6 };
    const view = played(paused, rate, loop, NOW);
    for (let passed = 0; passed < 30e6; passed += 123_457) {
      const { from, to } = bounds(view, NOW + passed);
      expect(to).toBeGreaterThanOrEqual(loop.from);
      expect(to).toBeLessThan(loop.to);
      expect(to - from).toBe(10e6);
    }
    // Once round is where it began.
    expect(bounds(view, NOW + 10e6 / 3).to).toBeCloseTo(NOW - 90e6, 0);
  });

  it('goes on from where it is when the rate changes', () => {
    const view = played(played(paused, 10, null, NOW), -1, null, NOW + 1e6);
    expect(bounds(view, NOW + 1e6).to).toBe(NOW - 80e6);
    expect(bounds(view, NOW + 3e6).to).toBe(NOW - 82e6);
  });

  it.each([
    [5_000, 1_000],
    [-0.01, -0.1],
  ])('has a slowest and a fastest rate: %d', (asked, taken) => {
    expect(played(paused, asked, null, NOW)).toMatchObject({ rate: taken });
  });

  it('keeps the place under the pointer when it zooms, and shows no future', () => {
    const closer = bounds(zoomedAt(paused, 0.5, 0.25, NOW), NOW);
    expect(closer.to - closer.from).toBe(5e6);
    expect(closer.from + 0.25 * 5e6).toBe(NOW - 100e6 + 0.25 * 10e6);
    expect(bounds(zoomedAt(live, 2, 0, NOW), NOW)).toEqual({ from: NOW - 120e6, to: NOW });
  });
});

describe('the window that a page opens with', () => {
  const open = (...times: [number | null, number | null][]) =>
    openingView(
      times.map(([first_time, last_time]) => ({ first_time, last_time })),
      60e6,
      NOW,
    );

  it('is live where events come', () => {
    expect(open([NOW - 9e9, NOW - 1e6], [null, null])).toEqual({ mode: 'live', span: 60e6 });
    expect(open([NOW - 9e9, NOW - 8e9], [NOW - 9e9, NOW - 59e6]).mode).toBe('live');
  });

  it('is short where everything is young, or none ever came', () => {
    const short = { mode: 'live', span: 15e6 };
    expect(open()).toEqual(short);
    expect(open([null, null])).toEqual(short);
    expect(open([NOW - 14e6, NOW], [NOW - 1e6, NOW], [null, null])).toEqual(short);
    expect(open([NOW - 15e6, NOW], [NOW - 1e6, NOW])).toEqual({ mode: 'live', span: 60e6 });
  });

  it('holds the whole of a recording of an hour', () => {
    const [first, last] = [NOW - 86_400e6 - 3_600e6, NOW - 86_400e6];
    const { from, to } = bounds(open([first, last], [first - 9e12, first]), NOW);
    expect(from).toBeLessThan(first);
    expect(to).toBeGreaterThan(last);
    expect(to - from).toBeLessThan(1.1 * (last - first));
  });

  it('holds the end of a longer one, and a second of a single event', () => {
    const long = bounds(open([NOW - 900_000e6, NOW - 86_400e6]), NOW);
    expect(long.to - long.from).toBeCloseTo(1.04 * 900e6, -3);
    expect(long.to).toBeGreaterThan(NOW - 86_400e6);
    const single = bounds(open([NOW - 86_400e6, NOW - 86_400e6]), NOW);
    expect(single.to - single.from).toBeCloseTo(1.04e6, -3);
  });
});

describe('the stretch of a timeline', () => {
  const extent = { from: NOW - 3_600e6, to: NOW };

  it('is all there is when the window is no mere dot in it', () => {
    expect(timelineAround({ from: NOW - 60e6, to: NOW }, extent, null)).toEqual(extent);
  });

  it('is 240 windows at most, around the window, up to the present', () => {
    const window = { from: NOW - 1_000e6, to: NOW - 999e6 };
    const shown = timelineAround(window, extent, null);
    expect(shown.to - shown.from).toBe(240e6);
    expect((shown.from + shown.to) / 2).toBe(NOW - 999.5e6);
    expect(timelineAround({ from: NOW - 1e6, to: NOW }, extent, null).to).toBe(NOW);
  });

  it('stays while the window moves inside of it, and follows when it leaves', () => {
    const former = timelineAround({ from: NOW - 1_000e6, to: NOW - 999e6 }, extent, null);
    const inside = { from: former.from + 1e6, to: former.from + 2e6 };
    expect(timelineAround(inside, extent, former)).toBe(former);
    const outside = { from: former.from - 2e6, to: former.from - 1e6 };
    expect(timelineAround(outside, extent, former)).not.toBe(former);
  });

  it('has room around a window that is longer than all there is', () => {
    const shown = timelineAround({ from: NOW - 7_200e6, to: NOW }, extent, null);
    expect(shown.to - shown.from).toBe(4 * 7_200e6);
    expect(shown.to).toBe(NOW);
  });
});

describe('a date with the day first', () => {
  it.each([
    ['23/11/2026', '2026-11-23'],
    ['3/1/2026 21:05:07', '2026-01-03 21:05:07'],
    ['23/11/2026T21:05Z', '2026-11-23T21:05Z'],
  ])('%s', (french, iso) => expect(parseInstant(french, NOW)).toBe(parseInstant(iso, NOW)));

  it.each(['31/2/2026', '11/23/2026', '1/1/26', '1/2/2026/3'])('is refused: %s', (text) => {
    expect(parseInstant(text, NOW)).toBeNull();
  });
});

describe('gap rule', () => {
  function ring(rows: [number, number | null][]): ColumnRing {
    const made = new ColumnRing();
    for (const [time, value] of rows) {
      const slot = made.append(time, ABSENT);
      if (value !== null) made.set(slot, 0, value);
    }
    return made;
  }

  it('takes five of the usual periods', () => {
    const dense = ring(Array.from({ length: 50 }, (_, i) => [i * 100 + (i > 30 ? 5_000 : 0), i]));
    expect(typicalPeriod(dense)).toBe(100);
    const rule = gapRule(dense, dense.column(0) as Float64Array, 0);
    expect(rule).toEqual({ longest: 500, absentBreaks: true });
  });

  it('sees that a field with a value in every fifth row is whole', () => {
    const sparse = ring(Array.from({ length: 100 }, (_, i) => [i * 100, i % 5 === 0 ? i : null]));
    expect(gapRule(sparse, sparse.column(0) as Float64Array, 0)).toEqual({ longest: 2_500, absentBreaks: false });
  });

  it('allows for what merging left out', () => {
    const dense = ring(Array.from({ length: 50 }, (_, i) => [i * 100, i]));
    expect(gapRule(dense, dense.column(0) as Float64Array, 4_000).longest).toBe(10_000);
  });

  it('joins everything while the period is not known', () => {
    const two = ring([
      [0, 1],
      [1e9, 2],
    ]);
    expect(gapRule(two, two.column(0) as Float64Array, 0)).toEqual({
      longest: Number.POSITIVE_INFINITY,
      absentBreaks: false,
    });
  });
});

describe('grouping', () => {
  const field = (name: string, unit = '', group = ''): SchemaField => ({
    name,
    label: name,
    type: 'float',
    unit,
    kind: 'measure',
    group,
    first_seen: null,
    count: 1,
  });

  it.each([
    ['gpsSpeed', 'gps'],
    ['Pressure_HighPressure', 'pressure'],
    [' Engine Load(%)', 'engine'],
    ['AST_Direction', 'ast'],
    ['Ast_HPMA_Pressure_bar', 'ast'],
    ['42', ''],
  ])('takes the first word of %s', (name, word) => expect(firstWord(name)).toBe(word));

  it('follows the schema, then shared words, then units', () => {
    const groups = groupFields([
      field('gpsSpeed'),
      field('humidity', '%', 'Air'),
      field('gpsSatCount'),
      field('alpha', 'kPa'),
      field('lonely', 'V'),
      field('beta', 'kPa'),
    ]);
    expect(groups.map((g) => [g.name, g.fields.map((f) => f.name)])).toEqual([
      ['GPS', ['gpsSpeed', 'gpsSatCount']],
      ['Air', ['humidity']],
      ['kPa', ['alpha', 'beta']],
      ['', ['lonely']],
    ]);
  });

  it('loses no field', () => {
    const fields = ['a_1', 'a_2', 'b', 'c', 'λ', '', '°'].map((name, i) => field(name, i % 2 ? 'x' : ''));
    const placed = groupFields(fields).flatMap((g) => g.fields);
    expect(placed.length).toBe(fields.length);
    expect(new Set(placed).size).toBe(fields.length);
  });

  it('tells charts from states and from neither', () => {
    expect(isNumeric(field('x'))).toBe(true);
    expect(isNumeric({ ...field('lat'), kind: 'latitude' })).toBe(false);
    expect(isState({ ...field('x'), type: 'boolean', kind: 'boolean' })).toBe(true);
    expect(isState({ ...field('id'), type: 'text', kind: 'identifier' })).toBe(false);
  });
});

describe('clocks and latencies', () => {
  const away = (clock: ServerClock) => Date.now() * 1_000 - clock.now();

  it('takes nearby clocks for one', () => {
    const clock = new ServerClock();
    clock.hear(1_000_000, 1_004_000);
    expect(Math.abs(away(clock))).toBeLessThan(50_000);
  });

  it('does not take the delay of a loading page for another clock', () => {
    const clock = new ServerClock();
    clock.hear(1_000_000, 1_300_000);
    expect(Math.abs(away(clock))).toBeLessThan(50_000);
  });

  it('follows a clock that is an hour off at once, by its quickest message', () => {
    const clock = new ServerClock();
    for (const delay of [90_000, 3_000, 40_000]) clock.hear(1_000_000, 1_000_000 + 3_600e6 + delay);
    expect(Math.abs(away(clock) - 3_600e6 - 3_000)).toBeLessThan(50_000);
  });

  it('follows a clock that is a little off when enough messages say so', () => {
    const clock = new ServerClock();
    for (let i = 0; i < 8; i++) clock.hear(i * 1e6, i * 1e6 + 400_000 + i * 1_000);
    expect(Math.abs(away(clock) - 400_000)).toBeLessThan(50_000);
  });

  it('gives the median of the last five seconds', () => {
    const latency = new LatencyWindow();
    expect(latency.median(0)).toBeNull();
    latency.add(900, 0);
    for (const value of [3, 1, 2]) latency.add(value, 4_000);
    expect(latency.median(6_000)).toBe(2);
    expect(latency.median(20_000)).toBeNull();
  });
});
