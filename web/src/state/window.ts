// The time window that is looked at, and the words it is written in: `-5m`, `now`, RFC 3339, `21:00:05`, epoch µs.

export type Micros = number;

export interface Stretch {
  from: Micros;
  to: Micros;
}

/**
 * `live`: slides with the clock. `paused`: stands still; `span` is what Live returns to. `play`: slides over the past, at `rate`
 * times the pace of the clock, backwards when it is negative, from where it was at the clock's `since`. With a loop the end of
 * the window goes round in it.
 */
export type View =
  | { mode: 'live'; span: Micros }
  | ({ mode: 'paused'; span: Micros } & Stretch)
  | ({ mode: 'play'; span: Micros; since: Micros; rate: number; loop: Stretch | null } & Stretch);

export const RATES: readonly number[] = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 100, 300, 1_000];
export const FASTEST = 1_000;
export const SLOWEST = 0.1;

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: Record<string, Micros> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

export const PRESETS: readonly Micros[] = [
  15 * SECOND,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  6 * HOUR,
  24 * HOUR,
  7 * DAY,
];
export const DEFAULT_SPAN = MINUTE;
/** While nothing is older a page opens with this: the first readings are a line in it, and no dot at its end. */
export const YOUNG_SPAN = 15 * SECOND;
export const SHORTEST_SPAN = 1_000;
export const LONGEST_SPAN = 3_660 * DAY;

/** Span of `15s`, `5m`, `1h`, `7d`, with or without a leading `-`; null when it is none. */
export function parseSpan(text: string): Micros | null {
  const match = /^-?(\d{1,9}(?:\.\d{1,6})?)([smhd])$/.exec(text.trim());
  if (match === null) return null;
  const span = Math.round(Number(match[1]) * (UNITS[match[2] as string] as number));
  return span >= SHORTEST_SPAN && span <= LONGEST_SPAN ? span : null;
}

/** The shortest word for a span: `15s`, `5m`, `24h`, `7d`; parts of a second as a decimal. */
export function formatSpan(span: Micros): string {
  if (span === DAY) return '24h';
  if (span % DAY === 0) return `${span / DAY}d`;
  if (span % HOUR === 0) return `${span / HOUR}h`;
  if (span % MINUTE === 0) return `${span / MINUTE}m`;
  return `${span / SECOND}s`;
}

/** A window's relative start, as the live protocol takes it: whole seconds, `-15s` … `-7d`. */
export function windowWord(span: Micros): string {
  const whole = Math.min(Math.max(Math.ceil(span / SECOND), 1) * SECOND, 7 * DAY);
  return `-${formatSpan(whole)}`;
}

const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?$/;
/** As French writes it; no other order of these three is taken, so that none is guessed. */
const DAY_FIRST = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(.*)$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

function parseClock(match: RegExpExecArray, now: Micros): Micros | null {
  const [, hour, minute, second] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) >= 60) return null;
  const day = new Date(now / 1_000);
  day.setHours(Number(hour), Number(minute), 0, 0);
  return day.getTime() * 1_000 + Math.round(Number(second ?? 0) * SECOND);
}

function parseDate(match: RegExpExecArray): Micros | null {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const parts = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)] as const;
  const utc = Date.UTC(...parts);
  // A day such as 31 February rolls over into another month: refused rather than guessed.
  if (parts[1] > 11 || new Date(Date.UTC(parts[0], parts[1], parts[2])).getUTCDate() !== parts[2]) return null;
  const micros = fraction === '' ? 0 : Math.round(Number(`0.${fraction}`) * SECOND);
  if (zone === undefined) return new Date(...parts).getTime() * 1_000 + micros;
  if (zone === 'Z') return utc * 1_000 + micros;
  const sign = zone[0] === '-' ? -1 : 1;
  const offset = sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)));
  return (utc - offset * 60_000) * 1_000 + micros;
}

/** An instant in µs: `now`, `-15m`, RFC 3339 (local without a zone), a time of today, epoch µs; null when it is none. */
export function parseInstant(text: string, now: Micros): Micros | null {
  const word = text.trim();
  if (word === 'now') return now;
  if (word.startsWith('-')) {
    const span = parseSpan(word);
    return span === null ? null : now - span;
  }
  if (/^\d{13,17}$/.test(word)) return Number(word);
  const clock = CLOCK.exec(word);
  if (clock !== null) return parseClock(clock, now);
  const dayFirst = DAY_FIRST.exec(word);
  const [, day = '', month = '', year = '', rest = ''] = dayFirst ?? [];
  const date = DATE.exec(dayFirst === null ? word : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}${rest}`);
  return date === null ? null : parseDate(date);
}

/** `value` brought into `loop` by going round. */
function wrapped(value: Micros, loop: Stretch): Micros {
  const length = loop.to - loop.from;
  return loop.from + ((((value - loop.from) % length) + length) % length);
}

/** What is looked at when the clock says `now`. The past is not played beyond the present. */
export function bounds(view: View, now: Micros): Stretch {
  if (view.mode === 'live') return { from: now - view.span, to: now };
  if (view.mode === 'paused') return { from: view.from, to: view.to };
  const reached = view.to + (now - view.since) * view.rate;
  const head = view.loop === null ? Math.min(reached, now) : wrapped(reached, view.loop);
  return { from: head - (view.to - view.from), to: head };
}

/** The window goes on from where it is at `now`; a rate of another sign turns it round. */
export function played(view: View, rate: number, loop: Stretch | null, now: Micros): View {
  const { from, to } = bounds(view, now);
  const size = Math.min(Math.max(Math.abs(rate), SLOWEST), FASTEST);
  return { mode: 'play', span: view.span, from, to, since: now, rate: rate < 0 ? -size : size, loop };
}

export function pausedAt(view: View, from: Micros, to: Micros): View {
  const width = Math.min(Math.max(to - from, SHORTEST_SPAN), LONGEST_SPAN);
  const middle = (from + to) / 2;
  return { mode: 'paused', span: view.span, from: Math.round(middle - width / 2), to: Math.round(middle + width / 2) };
}

/** Half or double: live by the next preset, paused around the middle. `direction` +1 looks closer. */
export function zoomed(view: View, direction: 1 | -1, now: Micros): View {
  if (view.mode !== 'live') {
    const { from, to } = bounds(view, now);
    const half = ((to - from) / 2) * (direction > 0 ? 0.5 : 2);
    // A window that ends in the past does not grow into the future: there is nothing to see.
    const over = to <= now ? Math.max((from + to) / 2 + half - now, 0) : 0;
    const middle = (from + to) / 2 - over;
    const next = pausedAt(view, middle - half, middle + half);
    return view.mode === 'paused' ? next : played(next, view.rate, view.loop, now);
  }
  const closer = PRESETS.filter((span) => span < view.span);
  const wider = PRESETS.filter((span) => span > view.span);
  const span = direction > 0 ? closer[closer.length - 1] : wider[0];
  return { mode: 'live', span: span ?? view.span };
}

/** Moves by a part of the window's width; a live window is paused by it, one that plays goes on from there. */
export function panned(view: View, part: number, now: Micros): View {
  const { from, to } = bounds(view, now);
  const shift = (to - from) * part;
  const next = pausedAt(view, from + shift, to + shift);
  return view.mode === 'play' ? played(next, view.rate, view.loop, now) : next;
}

/** Closer or wider by `factor` around the place at `part` of the window's width, which stays under the pointer. */
export function zoomedAt(view: View, factor: number, part: number, now: Micros): View {
  const { from, to } = bounds(view, now);
  const width = Math.min(Math.max((to - from) * factor, SHORTEST_SPAN), LONGEST_SPAN);
  const left = from + (to - from) * part - width * part;
  // Nothing is to be seen in the future: what would reach into it is pushed back.
  const over = Math.max(left + width - Math.max(now, to), 0);
  return pausedAt(view, left - over, left - over + width);
}

/** Recordings up to this long are opened whole, of longer ones the end. */
const LONGEST_OPENING = HOUR;
const OPENED_OF_LONGER = 15 * MINUTE;

/** When the first of all events came; null when none ever did. */
export function beginOf(datasets: readonly { first_time: Micros | null }[]): Micros | null {
  let begin: Micros | null = null;
  for (const { first_time } of datasets) if (first_time !== null) begin = Math.min(begin ?? first_time, first_time);
  return begin;
}

/**
 * The window that a page without one in its address opens with: live, and short as long as everything is younger than that; where
 * the newest event is older than `span` it stands where the events are, with a little room around them.
 */
export function openingView(
  datasets: readonly { first_time: Micros | null; last_time: Micros | null }[],
  span: Micros,
  now: Micros,
): View {
  const live: View = { mode: 'live', span };
  const begin = beginOf(datasets) ?? now;
  if (now - begin < YOUNG_SPAN) return { mode: 'live', span: Math.min(span, YOUNG_SPAN) };
  const times = datasets.filter((d) => d.last_time !== null);
  if (times.length === 0) return live;
  const newest = times.reduce((a, b) => ((b.last_time as Micros) > (a.last_time as Micros) ? b : a));
  const last = newest.last_time as Micros;
  if (last >= now - span) return live;
  const length = last - (newest.first_time ?? last);
  const width = Math.max(length <= LONGEST_OPENING ? length : OPENED_OF_LONGER, SECOND);
  return pausedAt(live, last - width * 1.02, Math.min(last + width * 0.02, now));
}

/** A timeline shows this many windows at most, and a few at least. */
const MOST_WINDOWS = 240;
const FEWEST_WINDOWS = 4;

/**
 * The stretch that the timeline shows, around the window: all there is (`extent`), or so much of it that the window is no mere
 * dot. A `former` stretch that still does is kept, so that nothing jumps under a drag.
 */
export function timelineAround(window: Stretch, extent: Stretch, former: Stretch | null): Stretch {
  const width = window.to - window.from;
  const all = Math.max(extent.to - extent.from, FEWEST_WINDOWS * width);
  const length = Math.min(all, MOST_WINDOWS * width);
  if (former !== null) {
    const ratio = (former.to - former.from) / length;
    if (ratio > 0.5 && ratio < 2 && window.from >= former.from && window.to <= former.to) return former;
  }
  const end = Math.max(extent.to, window.to);
  const to = Math.min((window.from + window.to) / 2 + length / 2, end);
  return { from: to - length, to };
}
