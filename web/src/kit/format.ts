// Formats that the screens share beside those of the view.

import { locale } from '../text/area';

const formats = new Map<string, Intl.NumberFormat>();

function format(digits: number): Intl.NumberFormat {
  const key = `${locale()}:${digits}`;
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
    formats.set(key, made);
  }
  return made;
}

export function formatNumber(value: number, digits = 0): string {
  return format(digits).format(value);
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `812 B`, `1.4 MiB`: three digits at most. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${format(digits).format(value)} ${BYTE_UNITS[unit]}`;
}

/** `0 %`, `<0.1 %`, `12.3 %`, `100 %`; never rounds something to nothing, nor a part to the whole. */
export function formatPercent(part: number): string {
  const percent = part * 100;
  const space = ' ';
  if (percent > 0 && percent < 0.1) return `<${format(1).format(0.1)}${space}%`;
  if (percent < 100 && percent > 99.9) return `>${format(1).format(99.9)}${space}%`;
  return `${format(percent < 10 ? 1 : 0).format(percent)}${space}%`;
}

/** Large counts in a word: `1.2 M`, `350 k`. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  const [scale, suffix] = size >= 1e9 ? [1e9, ' G'] : size >= 1e6 ? [1e6, ' M'] : size >= 1e4 ? [1e3, ' k'] : [1, ''];
  const scaled = value / scale;
  return `${format(Math.abs(scaled) < 10 && scale > 1 ? 1 : 0).format(scaled)}${suffix}`;
}

/** A measured value with about five significant digits, in the reader's language. */
export function formatMeasure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return format(0).format(value);
  if (size >= 1e9 || (size < 5e-4 && size > 0)) return value.toExponential(2);
  return format(size >= 1_000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3).format(value);
}

/** Milliseconds as such, with a digit below ten; microseconds below a tenth of one. */
export function formatMillis(ms: number): string {
  if (ms > 0 && ms < 0.1) return `${format(0).format(ms * 1_000)} µs`;
  return `${format(ms < 10 ? 1 : 0).format(ms)} ms`;
}

/** RFC 3339 as µs since the epoch; NaN when it is none. Digits below the millisecond are kept. */
export function microsOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return Number.NaN;
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  const whole = Math.floor(ms / 1_000) * 1_000_000;
  return whole + Math.round(Number(`0.${fraction === '' ? '0' : fraction}`) * 1_000_000);
}
