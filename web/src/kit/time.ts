// Instants as the tables write them: the viewer's own zone, to the millisecond.

import { formatDate } from '../view/format';
import { microsOf } from './format';

const two = (n: number) => String(n).padStart(2, '0');

/** `2026-11-26 03:15:04.250` of µs since the epoch, in French `26/11/2026 …`: the date takes ten characters in both. */
export function formatMicros(micros: number): string {
  if (!Number.isFinite(micros)) return '';
  const date = new Date(Math.floor(micros / 1_000));
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${formatDate(micros)} ${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** The same of RFC 3339; what is no time is given back as it is. */
export function formatInstantExact(text: string): string {
  const micros = microsOf(text);
  return Number.isNaN(micros) ? text : formatMicros(micros);
}
