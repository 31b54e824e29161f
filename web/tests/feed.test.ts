import { describe, expect, it } from 'vitest';
import { Feed, type FeedLink } from '../src/state/feed';
import { lineOf, pictureOf, textLineOf } from '../src/state/history';
import { decodeFrame, type Frame } from '../src/wire/frame';
import { parseMessage } from '../src/wire/messages';
import { encodeFrame, type FrameToEncode } from './encode.mjs';

const NOW = 1_795_469_357_000_000;

function frame(part: Partial<FrameToEncode> & { id: number; seq: number; time: number[] }): Frame {
  const bytes = encodeFrame({
    device: part.time.map(() => 0),
    columns: [{ field: 0, encoding: 1, values: part.time.map((t) => t / 1e6) }],
    ...part,
  });
  const result = decodeFrame(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  if (!result.ok) throw new Error(result.error);
  return result;
}

class Wire implements FeedLink {
  readonly sent: Record<string, unknown>[] = [];
  open = true;
  at = NOW;
  private id = 0;
  nextId() {
    return ++this.id;
  }
  send(message: object) {
    if (this.open) this.sent.push(message as Record<string, unknown>);
    return this.open;
  }
  now() {
    return this.at;
  }
}

function subscribed(): { wire: Wire; feed: Feed } {
  const wire = new Wire();
  const feed = new Feed('1', wire);
  feed.subscribe(60e6, 800);
  define(feed, 1);
  return { wire, feed };
}

function define(feed: Feed, id: number, devices = ['a', 'b']): void {
  feed.define({
    op: 'fields',
    id,
    dataset: '1',
    schema_version: 1,
    fields: [{ index: 0, name: 'v', type: 'float', unit: '' }],
    devices,
  });
}

describe('a feed', () => {
  it('asks for every field and device of the window', () => {
    expect(subscribed().wire.sent[0]).toEqual({
      op: 'subscribe',
      id: 1,
      dataset: '1',
      device: '*',
      fields: ['*'],
      window: '-1m',
      pixels: 800,
      rate: 20,
    });
  });

  it('puts rows of each device in a ring of their own', () => {
    const { feed } = subscribed();
    feed.take(
      frame({ id: 1, seq: 1, backfill: true, last: true, time: [NOW - 3e6, NOW - 2e6, NOW - 1e6], device: [0, 1, 0] }),
    );
    const rings = feed.current?.rings;
    expect([...(rings?.keys() ?? [])]).toEqual(['a', 'b']);
    expect(rings?.get('a')?.size).toBe(2);
    expect(rings?.get('b')?.newest).toBe(NOW - 2e6);
  });

  it('draws the old rows until the back-fill of a new window is whole, then only the new', () => {
    const { wire, feed } = subscribed();
    feed.take(frame({ id: 1, seq: 1, backfill: true, last: true, time: [NOW - 2e6, NOW - 1e6] }));
    const old = feed.current;
    feed.subscribe(300e6, 800);
    expect(wire.sent.slice(1).map((m) => [m.op, m.id])).toEqual([
      ['unsubscribe', 1],
      ['subscribe', 2],
    ]);
    define(feed, 2);
    feed.take(frame({ id: 2, seq: 1, backfill: true, time: [NOW - 200e6] }));
    expect(feed.current).toBe(old);
    feed.take(frame({ id: 2, seq: 2, backfill: true, last: true, time: [NOW - 1e6] }));
    expect(feed.current).not.toBe(old);
    expect(feed.current?.rings.get('a')?.size).toBe(2);
    expect(feed.current?.rings.get('a')?.oldest).toBe(NOW - 200e6);
  });

  it('passes over frames of a subscription that was left', () => {
    const { feed } = subscribed();
    feed.take(frame({ id: 1, seq: 1, backfill: true, last: true, time: [NOW] }));
    feed.subscribe(300e6, 800);
    define(feed, 2);
    feed.take(frame({ id: 2, seq: 1, backfill: true, last: true, time: [NOW] }));
    const version = feed.version;
    feed.take(frame({ id: 1, seq: 2, time: [NOW + 1] }));
    expect(feed.version).toBe(version);
    expect(feed.owns(1)).toBe(false);
  });

  it('subscribes anew when a frame is missing', () => {
    const { wire, feed } = subscribed();
    feed.take(frame({ id: 1, seq: 1, backfill: true, last: true, time: [NOW] }));
    feed.take(frame({ id: 1, seq: 3, time: [NOW + 1] }));
    expect(wire.sent.at(-1)).toMatchObject({ op: 'subscribe', id: 2 });
    expect(feed.current?.rings.get('a')?.size).toBe(1);
  });

  it('says that its structure changed when a field has its first value', () => {
    const { feed } = subscribed();
    feed.define({
      op: 'fields',
      id: 1,
      dataset: '1',
      schema_version: 2,
      devices: ['a'],
      fields: [{ index: 1, name: 'w', type: 'float', unit: '' }],
    });
    feed.take(frame({ id: 1, seq: 1, time: [NOW] }));
    const before = feed.structure;
    feed.take(frame({ id: 1, seq: 2, time: [NOW + 1] }));
    expect(feed.structure).toBe(before);
    feed.take(frame({ id: 1, seq: 3, time: [NOW + 2], columns: [{ field: 1, encoding: 1, values: [5] }] }));
    expect(feed.structure).toBe(before + 1);
    expect(feed.current?.hasValues('w')).toBe(true);
  });

  it('keeps its rows when the connection is gone', () => {
    const { wire, feed } = subscribed();
    feed.take(frame({ id: 1, seq: 1, backfill: true, last: true, time: [NOW] }));
    wire.open = false;
    feed.subscribe(60e6, 800);
    expect(feed.current?.rings.get('a')?.size).toBe(1);
  });

  it('forgets what left the window, unless a paused view holds it', () => {
    const { wire, feed } = subscribed();
    feed.take(frame({ id: 1, seq: 1, backfill: true, last: true, time: [NOW - 50e6, NOW] }));
    wire.at = NOW + 100e6;
    feed.held = true;
    feed.tidy();
    expect(feed.current?.rings.get('a')?.size).toBe(2);
    feed.held = false;
    wire.at = NOW + 60e6;
    feed.tidy();
    expect(feed.current?.rings.get('a')?.size).toBe(1);
  });

  it('knows which windows the rings answer for', () => {
    const { feed } = subscribed();
    expect(feed.current?.covers(NOW - 1e6, 1)).toBe(false);
    feed.take(
      frame({ id: 1, seq: 1, backfill: true, last: true, merged: true, mergedRows: 5, time: [NOW - 50e6, NOW - 30e6] }),
    );
    expect(feed.current?.covers(NOW - 20e6, 1)).toBe(true);
    // Merged to 75 ms a pixel: good enough for a panel of 100 ms a pixel, not for one of 10 ms.
    expect(feed.current?.covers(NOW - 55e6, 100_000)).toBe(true);
    expect(feed.current?.covers(NOW - 55e6, 10_000)).toBe(false);
    expect(feed.current?.covers(NOW - 70e6, 100_000)).toBe(false);
  });

  it('takes the age of caught-up rows for no latency', () => {
    const { feed } = subscribed();
    feed.take(frame({ id: 1, seq: 1, backfill: true, last: true, time: [NOW - 5e6] }));
    feed.take(frame({ id: 1, seq: 2, merged: true, time: [NOW - 4e6] }));
    expect(feed.current?.newestLive).toBeNaN();
    feed.take(frame({ id: 1, seq: 3, time: [NOW - 1e6] }));
    expect(feed.current?.newestLive).toBe(NOW - 1e6);
  });

  it('reads texts and truth values back', () => {
    const { feed } = subscribed();
    feed.define({
      op: 'fields',
      id: 1,
      dataset: '1',
      schema_version: 2,
      devices: ['a'],
      fields: [
        { index: 1, name: 'mood', type: 'text', unit: '' },
        { index: 2, name: 'on', type: 'boolean', unit: '' },
      ],
    });
    feed.take(
      frame({
        id: 1,
        seq: 1,
        time: [NOW, NOW + 1],
        columns: [
          { field: 1, encoding: 6, values: ['calm', 'storm'] },
          { field: 2, encoding: 4, values: [0, 1] },
        ],
      }),
    );
    const intake = feed.current;
    const ring = intake?.rings.get('a');
    const [mood, on] = ['mood', 'on'].map((name) => (ring && intake?.columnOf(ring, name)) ?? new Float64Array());
    expect([0, 1].map((i) => intake?.textOf('mood', mood?.[i] ?? -1))).toEqual(['calm', 'storm']);
    expect([0, 1].map((i) => intake?.textOf('on', on?.[i] ?? -1))).toEqual(['false', 'true']);
  });
});

describe('control messages', () => {
  it.each([
    '',
    '{',
    'null',
    '[]',
    '1',
    '{"op":"what"}',
    '{"op":"fields"}',
    '{"op":"fields","id":1,"fields":[{"index":-1}],"devices":[]}',
  ])('passes over %j', (text) => expect(parseMessage(text)).toBeNull());

  it('takes a dictionary', () => {
    const text =
      '{"op":"fields","id":1,"dataset":"1","schema_version":3,"fields":[{"index":0,"name":"x","type":"float","unit":"V"}],"devices":["d"]}';
    expect(parseMessage(text)).toMatchObject({
      op: 'fields',
      id: 1,
      devices: ['d'],
      fields: [{ name: 'x', unit: 'V' }],
    });
  });

  it('takes numbers that are not there as none', () => {
    expect(parseMessage('{"op":"stats","time":5,"datasets":[{"dataset":"1"}],"latency_ms":{"p50":null}}')).toEqual({
      op: 'stats',
      time: 5,
      datasets: [{ dataset: '1', events: 0, rate: 0 }],
      latency_ms: { p50: null, p99: null },
    });
  });
});

describe('an answer from the history', () => {
  const question = { dataset: '1', device: 'a', field: 'v', kind: 'number' as const, from: 0, to: 40, points: 4 };

  it('becomes a line in the middle of its buckets', () => {
    const line = lineOf(
      {
        interval_us: 10,
        time: [0, 10, 20, 30],
        series: [
          { field: 'v', agg: 'min', values: [1, null, 3, 4] },
          { field: 'v', agg: 'max', values: [5, null, 7, 8] },
          { field: 'v', agg: 'avg', values: [2, null, 4, 5] },
          { field: 'other', agg: 'avg', values: [9, 9, 9, 9] },
        ],
      },
      question,
    );
    expect([...line.time.subarray(0, line.size)]).toEqual([5, 15, 25, 35]);
    expect([...line.value.subarray(0, 4)]).toEqual([2, Number.NaN, 4, 5]);
    expect(line.high?.[3]).toBe(8);
    expect(line.bucket).toBe(10);
  });

  it('takes the readings of a picture as they are', () => {
    const series = [
      { field: 'other', agg: 'm4', time: [1], values: [9] },
      { field: 'v', agg: 'm4', time: [3, 4, 11], values: [5, -7, 2] },
    ];
    const line = pictureOf({ from: 0, to: 20, columns: 2, series }, 'v');
    expect([...line.time.subarray(0, line.size)]).toEqual([3, 4, 11]);
    expect([...line.value.subarray(0, line.size)]).toEqual([5, -7, 2]);
    expect(line.low).toBeNull();
    expect(line.bucket).toBe(10);
    expect(pictureOf({ from: 0, to: 20, columns: 2, series: [] }, 'v').size).toBe(0);
  });

  it('reads truth values', () => {
    const answer = { interval_us: 10, time: [0, 10], series: [{ field: 'v', agg: 'last', values: [0, 1] }] };
    const line = lineOf(answer, { ...question, kind: 'boolean' });
    expect([0, 1].map((i) => line.text(line.value[i] as number))).toEqual(['false', 'true']);
  });

  it('numbers the texts of events, oldest first', () => {
    const line = textLineOf(
      [
        { '@timestamp': '2026-11-23T21:00:02.5Z', device: 'a', v: 'down' },
        { '@timestamp': 'never', device: 'a', v: 'down' },
        { '@timestamp': '2026-11-23T21:00:01Z', device: 'a', v: null },
        { '@timestamp': '2026-11-23T21:00:00.000001Z', device: 'a', v: 'up' },
      ],
      'v',
    );
    const base = Date.UTC(2026, 10, 23, 21) * 1_000;
    expect([...line.time.subarray(0, line.size)]).toEqual([base + 1, base + 2_500_000]);
    expect([0, 1].map((i) => line.text(line.value[i] as number))).toEqual(['up', 'down']);
  });

  it('may be empty', () => {
    const line = lineOf({ interval_us: 10, time: [], series: [] }, question);
    expect(line.size).toBe(0);
  });
});
