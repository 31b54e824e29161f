// Numbers and times as texts. Times are in the viewer's own zone.

import { locale } from '../text/area';
import { type ShellKey, say } from '../text/shell';

interface NumberFormats {
  whole: Intl.NumberFormat;
  /** With at most 1, 2 and 3 digits after the point. */
  decimals: Intl.NumberFormat[];
}

const made = new Map<string, NumberFormats>();

/** Making one is slow and is done once a language. */
function formats(): NumberFormats {
  const name = locale();
  let known = made.get(name);
  if (known === undefined) {
    const upTo = (digits: number) => new Intl.NumberFormat(name, { maximumFractionDigits: digits });
    known = { whole: upTo(0), decimals: [upTo(1), upTo(2), upTo(3)] };
    made.set(name, known);
  }
  return known;
}

/** A measured value, with about five significant digits. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const { whole, decimals } = formats();
  if (Number.isInteger(value) && size < 1e9) return whole.format(value);
  if (size >= 1e9 || (size < 5e-4 && size > 0))
    return value.toExponential(3).replace('.', locale() === 'fr-FR' ? ',' : '.');
  const index = size >= 1_000 ? 0 : size >= 10 ? 1 : 2;
  return (decimals[index] as Intl.NumberFormat).format(value);
}

/** A number that people chose, as it is. */
export function formatNumber(value: number): string {
  return (formats().decimals[2] as Intl.NumberFormat).format(value);
}

export function formatCount(value: number): string {
  return formats().whole.format(value);
}

/** Events a second: `10/s`, `0.5/s`. */
export function formatRate(rate: number): string {
  const { whole, decimals } = formats();
  const n = rate >= 100 ? whole.format(rate) : (decimals[0] as Intl.NumberFormat).format(rate);
  return say('rate.perSecond', { n });
}

const two = (n: number) => String(n).padStart(2, '0');

/** `21:05:12`, with a fraction of `digits` digits. */
export function formatClock(micros: number, digits = 0): string {
  const date = new Date(Math.floor(micros / 1_000));
  const base = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (digits === 0) return base;
  const fraction = Math.floor(((micros % 1_000_000) + 1_000_000) % 1_000_000);
  return `${base}.${String(fraction).padStart(6, '0').slice(0, digits)}`;
}

export function formatDate(micros: number): string {
  const date = new Date(micros / 1_000);
  return say('time.date', {
    year: date.getFullYear(),
    month: two(date.getMonth() + 1),
    day: two(date.getDate()),
  });
}

export function formatInstant(micros: number): string {
  return `${formatDate(micros)} ${formatClock(micros)}`;
}

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** A length of time: `850 ms`, `20 s`, `1 min 30 s`, `2 h`, `3 d 4 h`. */
export function formatDuration(micros: number): string {
  const seconds = micros / 1e6;
  if (seconds < 1) return say('time.ms', { n: Math.round(micros / 1_000) });
  if (seconds < MINUTE)
    return say('time.s', {
      n: (formats().decimals[0] as Intl.NumberFormat).format(seconds < 10 ? seconds : Math.floor(seconds)),
    });
  const [unit, key, below, belowKey]: [number, ShellKey, number, ShellKey] =
    seconds >= DAY
      ? [DAY, 'time.d', HOUR, 'time.h']
      : seconds >= HOUR
        ? [HOUR, 'time.h', MINUTE, 'time.min']
        : [MINUTE, 'time.min', 1, 'time.s'];
  const head = Math.floor(seconds / unit);
  const tail = Math.floor((seconds - head * unit) / below);
  return tail === 0 ? say(key, { n: head }) : `${say(key, { n: head })} ${say(belowKey, { n: tail })}`;
}

/** How long ago, for a person: `now`, `12 s ago`, `3 min ago`. */
export function formatAge(micros: number): string {
  if (micros < 1_500_000) return say('time.now');
  const seconds = Math.floor(micros / 1e6);
  if (seconds < MINUTE) return say('time.agoSeconds', { n: seconds });
  if (seconds < HOUR) return say('time.agoMinutes', { n: Math.floor(seconds / MINUTE) });
  if (seconds < DAY) return say('time.agoHours', { n: Math.floor(seconds / HOUR) });
  return say('time.agoDays', { n: Math.floor(seconds / DAY) });
}

export function formatLatency(ms: number): string {
  return ms < 1_000 ? say('time.ms', { n: Math.max(Math.round(ms), 0) }) : formatDuration(ms * 1_000);
}
