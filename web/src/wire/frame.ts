// Decoder of the binary data frames of the live WebSocket. Every length and offset is checked before it is used: a frame
// that does not hold together becomes a FrameError value, whatever its bytes are, and nothing is thrown.

export const MAGIC = 0x5349;
export const VERSION = 1;
export const HEADER_BYTES = 40;
export const COLUMN_TIME = 0xffff;
export const COLUMN_DEVICE = 0xfffe;

export const FLAG_BACKFILL = 1;
export const FLAG_LAST = 2;
export const FLAG_MERGED = 4;

export enum Encoding {
  F64 = 1,
  F32 = 2,
  I32 = 3,
  U8 = 4,
  U16 = 5,
  Text = 6,
}

/** The text values of a column; a text is decoded only when it is asked for. */
export interface TextValues {
  /** rows + 1 positions in `bytes`, rising. */
  offsets: Uint32Array;
  bytes: Uint8Array;
}

export type NumberValues = Float64Array | Float32Array | Int32Array | Uint8Array | Uint16Array;

export interface FrameColumn {
  /** Index of the field in the subscription's dictionary. */
  field: number;
  numbers: NumberValues | null;
  texts: TextValues | null;
  /** Bit r of byte r/8 is 1 when row r has a value; null when every row has one. */
  presence: Uint8Array | null;
}

export interface Frame {
  ok: true;
  id: number;
  seq: number;
  backfill: boolean;
  last: boolean;
  merged: boolean;
  /** Rows that the frame stands for beyond those it holds. */
  mergedRows: number;
  schemaVersion: number;
  rows: number;
  /** µs since the epoch, one per row. */
  time: Float64Array;
  /** Position of the row's device in the dictionary, one per row. */
  device: Uint16Array;
  columns: FrameColumn[];
}

export interface FrameError {
  ok: false;
  error: string;
}

const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function bad(error: string): FrameError {
  return { ok: false, error };
}

function align8(n: number): number {
  return (n + 7) & ~7;
}

function bytesPerValue(encoding: number): number {
  switch (encoding) {
    case Encoding.F64:
      return 8;
    case Encoding.F32:
    case Encoding.I32:
      return 4;
    case Encoding.U8:
      return 1;
    case Encoding.U16:
      return 2;
    default:
      return 0;
  }
}

function viewNumbers(buffer: ArrayBuffer, at: number, rows: number, encoding: number): NumberValues {
  switch (encoding) {
    case Encoding.F64:
      return new Float64Array(buffer, at, rows);
    case Encoding.F32:
      return new Float32Array(buffer, at, rows);
    case Encoding.I32:
      return new Int32Array(buffer, at, rows);
    case Encoding.U8:
      return new Uint8Array(buffer, at, rows);
    default:
      return new Uint16Array(buffer, at, rows);
  }
}

function viewTexts(buffer: ArrayBuffer, at: number, end: number, rows: number): TextValues | null {
  const head = 4 * (rows + 1);
  if (at + head > end) return null;
  const offsets = new Uint32Array(buffer, at, rows + 1);
  const room = end - at - head;
  let previous = 0;
  for (let r = 0; r <= rows; r++) {
    const offset = offsets[r] as number;
    if (offset < previous || offset > room) return null;
    previous = offset;
  }
  return { offsets, bytes: new Uint8Array(buffer, at + head, room) };
}

interface RawColumn extends FrameColumn {
  encoding: number;
  next: number;
}

function readColumn(view: DataView, buffer: ArrayBuffer, at: number, rows: number): RawColumn | FrameError {
  if (at + 8 > buffer.byteLength) return bad(`column header at byte ${at} is cut off`);
  const field = view.getUint16(at, true);
  const encoding = view.getUint8(at + 2);
  const hasPresence = view.getUint8(at + 3);
  const length = view.getUint32(at + 4, true);
  const begin = at + 8;
  const end = begin + length;
  if (hasPresence > 1) return bad(`column ${field}: presence flag ${hasPresence} is neither 0 nor 1`);
  if (end > buffer.byteLength)
    return bad(`column ${field}: ${length} bytes announced, ${buffer.byteLength - begin} there`);
  let values = begin;
  let presence: Uint8Array | null = null;
  if (hasPresence === 1) {
    const bytes = align8(Math.ceil(rows / 8));
    if (begin + bytes > end) return bad(`column ${field}: presence bitmap is cut off`);
    presence = new Uint8Array(buffer, begin, bytes);
    values = begin + bytes;
  }
  const next = begin + align8(length);
  if (encoding === Encoding.Text) {
    const texts = viewTexts(buffer, values, end, rows);
    if (texts === null) return bad(`column ${field}: text offsets do not hold together`);
    return { field, encoding, numbers: null, texts, presence, next };
  }
  const size = bytesPerValue(encoding);
  if (size === 0) return bad(`column ${field}: encoding ${encoding} is not known`);
  if (values + size * rows > end) return bad(`column ${field}: values are cut off`);
  return { field, encoding, numbers: viewNumbers(buffer, values, rows, encoding), texts: null, presence, next };
}

function isError(value: RawColumn | FrameError): value is FrameError {
  return 'error' in value;
}

/** Absolute times from the time column's offsets; null when one of them is not a time. */
function absoluteTimes(offsets: NumberValues, base: number): Float64Array | null {
  const time = new Float64Array(offsets.length);
  for (let r = 0; r < time.length; r++) {
    const t = base + (offsets[r] as number);
    if (!Number.isFinite(t)) return null;
    time[r] = t;
  }
  return time;
}

/**
 * Decodes one binary message. The columns view `buffer` in place, so it must not be changed afterwards.
 */
export function decodeFrame(buffer: ArrayBuffer): Frame | FrameError {
  if (!LITTLE_ENDIAN_HOST) return bad('this machine is not little-endian');
  if (buffer.byteLength < HEADER_BYTES) return bad(`${buffer.byteLength} bytes are shorter than a header`);
  const view = new DataView(buffer);
  if (view.getUint16(0, true) !== MAGIC) return bad('magic number is wrong');
  if (view.getUint8(2) !== VERSION) return bad(`version ${view.getUint8(2)} is not known`);
  const flags = view.getUint8(3);
  const rows = view.getUint32(24, true);
  const columnCount = view.getUint16(28, true);
  // Nine bytes are the least that a row takes (time and device): checked before anything is allocated.
  if (rows > buffer.byteLength / 8) return bad(`${rows} rows do not fit in ${buffer.byteLength} bytes`);
  const base = Number(view.getBigInt64(16, true));
  let time: Float64Array | null = null;
  let device: Uint16Array | null = null;
  const columns: FrameColumn[] = [];
  let at = HEADER_BYTES;
  for (let c = 0; c < columnCount; c++) {
    const column = readColumn(view, buffer, at, rows);
    if (isError(column)) return column;
    at = column.next;
    if (column.field === COLUMN_TIME) {
      if (column.encoding !== Encoding.F64 || column.presence !== null) return bad('time column has a wrong encoding');
      time = absoluteTimes(column.numbers as NumberValues, base);
      if (time === null) return bad('time column holds a value that is not a time');
    } else if (column.field === COLUMN_DEVICE) {
      if (column.encoding !== Encoding.U16 || column.presence !== null)
        return bad('device column has a wrong encoding');
      device = column.numbers as Uint16Array;
    } else {
      columns.push({ field: column.field, numbers: column.numbers, texts: column.texts, presence: column.presence });
    }
  }
  if (rows > 0 && (time === null || device === null)) return bad('time or device column is missing');
  return {
    ok: true,
    id: view.getUint32(4, true),
    seq: Number(view.getBigUint64(8, true)),
    backfill: (flags & FLAG_BACKFILL) !== 0,
    last: (flags & FLAG_LAST) !== 0,
    merged: (flags & FLAG_MERGED) !== 0,
    mergedRows: view.getUint32(32, true),
    schemaVersion: view.getUint32(36, true),
    rows,
    time: time ?? new Float64Array(0),
    device: device ?? new Uint16Array(0),
    columns,
  };
}

export function isPresent(column: FrameColumn, row: number): boolean {
  return column.presence === null || (((column.presence[row >> 3] as number) >> (row & 7)) & 1) === 1;
}

const textDecoder = new TextDecoder();

export function textAt(texts: TextValues, row: number): string {
  return textDecoder.decode(texts.bytes.subarray(texts.offsets[row], texts.offsets[row + 1]));
}
