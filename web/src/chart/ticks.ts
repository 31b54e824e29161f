// Texts of the axes. Times are shown in the viewer's own zone.

import { language } from '../text/area';
import { say } from '../text/shell';

const TWO = (n: number) => String(n).padStart(2, '0');

/** A tick of the time axis. `seconds` since the epoch; `step` between ticks, s. */
export function timeTick(seconds: number, step: number): string {
  const date = new Date(seconds * 1_000);
  const day = say('time.day', {
    day: date.getDate(),
    month: say('time.months').split(' ')[date.getMonth()] ?? '',
    day2: TWO(date.getDate()),
    month2: TWO(date.getMonth() + 1),
  });
  if (step >= 86_400) return day;
  const clock = `${TWO(date.getHours())}:${TWO(date.getMinutes())}`;
  if (step >= 60) return clock === '00:00' ? day : clock;
  const whole = `${clock}:${TWO(date.getSeconds())}`;
  if (step >= 1) return whole;
  const digits = Math.min(6, Math.ceil(-Math.log10(step) - 1e-9));
  const micros = Math.round((seconds - Math.floor(seconds)) * 1e6);
  return `${TWO(date.getSeconds())}.${String(micros).padStart(6, '0').slice(0, digits)}`;
}

const SCALES: [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];
const MOST_DIGITS = 6;

/** Digits after the point that tell multiples of `step` apart: 1 for 0.5, 2 for 0.25. */
function digitsOf(step: number): number {
  for (let digits = 0; digits < MOST_DIGITS; digits++) {
    const scaled = step * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits;
  }
  return MOST_DIGITS;
}

/** A tick of the value axis, as short as `step` allows. */
export function valueTick(value: number, step: number): string {
  const text = plainTick(value, step);
  // A narrow space between thousands, and a comma before the fraction.
  return language.value === 'fr' ? text.replaceAll(',', '\u202f').replace('.', ',') : text;
}

function plainTick(value: number, step: number): string {
  const size = Math.abs(value);
  if (size < step / 1e6) return '0';
  if (size >= 100_000) {
    const [unit, suffix] = SCALES.find(([scale]) => size >= scale) as [number, string];
    const digits = digitsOf(step / unit);
    // With more digits than this the short form is not shorter.
    if (digits <= 3) return `${(value / unit).toFixed(digits)}${suffix}`;
  }
  if (size < 1e-4) return value.toExponential(1);
  const text = value.toFixed(digitsOf(step));
  if (size < 10_000) return text;
  const [whole = '', fraction] = text.split('.');
  const grouped = whole.replace(/\d(?=(?:\d{3})+$)/g, '$&,');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
