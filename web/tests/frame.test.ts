import { describe, expect, it } from 'vitest';
import { decodeFrame, type Frame, isPresent, textAt } from '../src/wire/frame';
import { encodeFrame, type FrameToEncode } from './encode.mjs';

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

const T0 = 1_795_469_357_345_111;

const SAMPLE: FrameToEncode = {
  id: 7,
  seq: 42,
  backfill: true,
  last: true,
  merged: true,
  mergedRows: 123,
  schemaVersion: 9,
  time: [T0, T0 + 100_000, T0 + 200_001],
  device: [0, 1, 0],
  columns: [
    { field: 0, encoding: 1, values: [48.858_222_1, null, -1e300] },
    { field: 1, encoding: 2, values: [0.5, 1.25, -2] },
    { field: 2, encoding: 3, values: [-2_147_483_648, 0, null] },
    { field: 3, encoding: 4, values: [1, null, 0] },
    { field: 300, encoding: 6, values: ['calm', '', 'naïve ☂ 風'] },
    { field: 301, encoding: 6, values: [null, 'x', null] },
  ],
};

function decoded(frame: FrameToEncode): Frame {
  const result = decodeFrame(arrayBuffer(encodeFrame(frame)));
  if (!result.ok) throw new Error(result.error);
  return result;
}

/** A small generator with a printed seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('a frame as the server writes it', () => {
  it('comes out as it went in', () => {
    const frame = decoded(SAMPLE);
    expect(frame).toMatchObject({ id: 7, seq: 42, backfill: true, last: true, merged: true, mergedRows: 123 });
    expect(frame.schemaVersion).toBe(9);
    expect(frame.rows).toBe(3);
    expect([...frame.time]).toEqual(SAMPLE.time);
    expect([...frame.device]).toEqual([0, 1, 0]);
    expect(frame.columns.map((c) => c.field)).toEqual([0, 1, 2, 3, 300, 301]);
    for (const [i, column] of frame.columns.entries()) {
      const expected = SAMPLE.columns[i]?.values ?? [];
      const actual = expected.map((_, row) => {
        if (!isPresent(column, row)) return null;
        return column.texts === null ? column.numbers?.[row] : textAt(column.texts, row);
      });
      expect(actual).toEqual(expected);
    }
  });

  it('may hold no row', () => {
    const frame = decoded({ id: 1, seq: 1, last: true, backfill: true, time: [], device: [], columns: [] });
    expect(frame.rows).toBe(0);
    expect(frame.last).toBe(true);
  });

  it('keeps microseconds of absolute times', () => {
    expect(decoded(SAMPLE).time[2]).toBe(T0 + 200_001);
  });

  it('keeps presence over more rows than one bitmap word', () => {
    const values = Array.from({ length: 131 }, (_, i) => (i % 7 === 3 ? null : i));
    const frame = decoded({
      id: 1,
      seq: 1,
      time: values.map((_, i) => T0 + i),
      device: values.map(() => 0),
      columns: [{ field: 5, encoding: 3, values }],
    });
    const column = frame.columns[0];
    expect(values.map((_, i) => column !== undefined && isPresent(column, i))).toEqual(values.map((v) => v !== null));
  });
});

describe('a frame that does not hold together', () => {
  const bytes = encodeFrame(SAMPLE);

  it('is refused at every length it is cut to', () => {
    for (let length = 0; length < bytes.length; length++) {
      const result = decodeFrame(arrayBuffer(bytes.subarray(0, length)));
      expect(result.ok, `${length} of ${bytes.length} bytes`).toBe(false);
    }
  });

  const change = (edit: (copy: Buffer) => void) => {
    const copy = Buffer.from(bytes);
    edit(copy);
    return decodeFrame(arrayBuffer(copy));
  };

  it.each([
    ['magic', (b: Buffer) => b.writeUInt16LE(0x1234, 0)],
    ['version', (b: Buffer) => b.writeUInt8(2, 2)],
    ['row count', (b: Buffer) => b.writeUInt32LE(0xffff_ffff, 24)],
    ['column count', (b: Buffer) => b.writeUInt16LE(0xffff, 28)],
    ['column length', (b: Buffer) => b.writeUInt32LE(0xffff_fff0, 44)],
    ['encoding of time', (b: Buffer) => b.writeUInt8(3, 42)],
    ['unknown encoding', (b: Buffer) => b.writeUInt8(99, 42)],
    ['presence flag', (b: Buffer) => b.writeUInt8(7, 43)],
    ['time that is no number', (b: Buffer) => b.writeDoubleLE(Number.NaN, 48)],
  ])('is refused for its %s', (_name, edit) => {
    expect(change(edit).ok).toBe(false);
  });

  it('is refused when text offsets fall or leave the column', () => {
    const text: FrameToEncode = {
      id: 1,
      seq: 1,
      time: [T0, T0],
      device: [0, 0],
      columns: [{ field: 0, encoding: 6, values: ['abc', 'de'] }],
    };
    const good = encodeFrame(text);
    const at = good.lastIndexOf(Buffer.from([3, 0, 0, 0, 5, 0, 0, 0]));
    expect(at).toBeGreaterThan(0);
    for (const [first, second] of [
      [6, 5],
      [3, 0xffff_ffff],
      [3, 400],
    ] as const) {
      const copy = Buffer.from(good);
      copy.writeUInt32LE(first, at);
      copy.writeUInt32LE(second, at + 4);
      expect(decodeFrame(arrayBuffer(copy)).ok).toBe(false);
    }
  });

  it('never throws, whatever its bytes', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.info(`fuzz seed ${seed}`);
    const next = random(seed);
    let accepted = 0;
    for (let round = 0; round < 20_000; round++) {
      const copy = Buffer.from(bytes);
      const edits = 1 + Math.floor(next() * 6);
      for (let e = 0; e < edits; e++) copy[Math.floor(next() * copy.length)] = Math.floor(next() * 256);
      const cut = next() < 0.3 ? Math.floor(next() * copy.length) : copy.length;
      const result = decodeFrame(arrayBuffer(copy.subarray(0, cut)));
      if (!result.ok) continue;
      accepted += 1;
      // What is accepted can be read to its end without leaving the buffer.
      for (const column of result.columns) {
        for (let row = 0; row < result.rows; row++)
          if (column.texts !== null && isPresent(column, row)) textAt(column.texts, row);
      }
    }
    expect(accepted).toBeGreaterThan(0);
  });

  it('never throws on random bytes', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.info(`random bytes seed ${seed}`);
    const next = random(seed);
    for (let round = 0; round < 5_000; round++) {
      const noise = Buffer.from(Array.from({ length: Math.floor(next() * 200) }, () => Math.floor(next() * 256)));
      if (noise.length > 3) noise.writeUInt32LE(0x0001_5349, 0);
      expect(() => decodeFrame(arrayBuffer(noise))).not.toThrow();
    }
  });
});
