// Encoder of the binary data frames, for the tests and the mock server. Written from the protocol, apart from the decoder.

const SIZE = { 1: 8, 2: 4, 3: 4, 4: 1, 5: 2 };

function align8(n) {
  return Math.ceil(n / 8) * 8;
}

function valueBytes(encoding, values) {
  const rows = values.length;
  if (encoding === 6) {
    const texts = values.map((v) => Buffer.from(v ?? '', 'utf8'));
    const out = Buffer.alloc(4 * (rows + 1) + texts.reduce((sum, t) => sum + t.length, 0));
    let at = 0;
    texts.forEach((text, r) => {
      out.writeUInt32LE(at, 4 * r);
      text.copy(out, 4 * (rows + 1) + at);
      at += text.length;
    });
    out.writeUInt32LE(at, 4 * rows);
    return out;
  }
  const out = Buffer.alloc(SIZE[encoding] * rows);
  values.forEach((value, r) => {
    const v = value ?? 0;
    if (encoding === 1) out.writeDoubleLE(v, 8 * r);
    else if (encoding === 2) out.writeFloatLE(v, 4 * r);
    else if (encoding === 3) out.writeInt32LE(v, 4 * r);
    else if (encoding === 4) out.writeUInt8(Number(v), r);
    else out.writeUInt16LE(v, 2 * r);
  });
  return out;
}

function encodeColumn({ field, encoding, values }) {
  const absent = values.some((v) => v === null || v === undefined);
  const parts = [];
  if (absent) {
    const bitmap = Buffer.alloc(align8(Math.ceil(values.length / 8)));
    values.forEach((v, r) => {
      if (v !== null && v !== undefined) bitmap[r >> 3] |= 1 << (r & 7);
    });
    parts.push(bitmap);
  }
  const bytes = valueBytes(encoding, values);
  parts.push(bytes, Buffer.alloc(align8(bytes.length) - bytes.length));
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt16LE(field, 0);
  head.writeUInt8(encoding, 2);
  head.writeUInt8(absent ? 1 : 0, 3);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/**
 * Bytes of a frame. `time`: µs; `device`: positions; `columns`: { field, encoding, values } with null for missing.
 */
export function encodeFrame(frame) {
  const base = frame.time[0] ?? 0;
  const head = Buffer.alloc(40);
  head.writeUInt16LE(0x5349, 0);
  head.writeUInt8(1, 2);
  head.writeUInt8((frame.backfill ? 1 : 0) | (frame.last ? 2 : 0) | (frame.merged ? 4 : 0), 3);
  head.writeUInt32LE(frame.id, 4);
  head.writeBigUInt64LE(BigInt(frame.seq), 8);
  head.writeBigInt64LE(BigInt(base), 16);
  head.writeUInt32LE(frame.time.length, 24);
  head.writeUInt16LE(frame.columns.length + 2, 28);
  head.writeUInt32LE(frame.mergedRows ?? 0, 32);
  head.writeUInt32LE(frame.schemaVersion ?? 1, 36);
  const columns = [
    { field: 0xffff, encoding: 1, values: frame.time.map((t) => t - base) },
    { field: 0xfffe, encoding: 5, values: frame.device },
    ...frame.columns,
  ];
  return Buffer.concat([head, ...columns.map(encodeColumn)]);
}
