// Where a panel's samples come from: the rings while they hold every row of the window, else the history.

import { hiddenDevices, history, live, namesOfDevices, overlay } from '../state/app';
import { gapRule } from '../state/gaps';
import { blockAround, type PastKind, type PastLine, type PastQuestion } from '../state/history';
import type { Intake } from '../state/intake';
import type { Line } from './lines';
import type { Moment } from './loop';
import { seriesColor } from './palette';

/** A line of one device, with what its numbers read as. */
export interface DeviceLine extends Line {
  device: string;
  /** Where the newest value is read: `value`, except that a bucket's average is not a value that was sent. */
  last: Float64Array;
  text: (value: number) => string;
}

export interface Sourced {
  lines: DeviceLine[];
  /** An answer is under way; `lines` are what is known so far. */
  waiting: boolean;
  /** Why there is nothing, in the server's words. */
  refusal: string | null;
}

/** More devices than this are not asked for in the past: each costs a request. */
const PAST_DEVICES = 8;
/** The server draws no wider pictures. */
const MOST_COLUMNS = 20_000;

function ringLine(intake: Intake, device: string, position: number, field: string, from: number): DeviceLine | null {
  const rows = intake.rings.get(device);
  const value = rows && intake.columnOf(rows, field);
  if (rows === undefined || value === undefined) return null;
  const resolution = rows.mergedUntil > from ? intake.resolution : 0;
  return {
    rows,
    value,
    last: value,
    low: null,
    high: null,
    color: seriesColor(position),
    rule: gapRule(rows, value, resolution),
    device,
    text: (number) => intake.textOf(field, number),
  };
}

/** Devices that are drawn, with the position that gives them their colour; one alone, hidden or not, when `only` names it. */
export function shownDevices(dataset: string, only: string | null = null): { device: string; position: number }[] {
  const hidden = hiddenDevices.peek();
  return namesOfDevices(dataset)
    .map((device, position) => ({ device, position }))
    .filter(({ device }) => (only === null ? !hidden.has(`${dataset}/${device}`) : device === only));
}

function pointsFor(width: number): number {
  return Math.min(Math.max(Math.round(width / 40) * 40, 120), 2_000);
}

function ringLines(dataset: string, field: string, from: number, only: string | null): DeviceLine[] {
  const intake = live.feeds.get(dataset)?.current;
  if (!intake) return [];
  return shownDevices(dataset, only).flatMap(
    ({ device, position }) => ringLine(intake, device, position, field, from) ?? [],
  );
}

/** The stretch and the number of buckets or columns that a question is about. */
function stretchFor(moment: Moment, width: number, kind: PastKind) {
  if (moment.moving) return { ...blockAround(moment, moment.rate), moving: true };
  // A picture's columns are the pixels of the screen: then no pixel differs from a drawing of all readings.
  if (kind === 'line') {
    const points = Math.min(Math.max(Math.round(width * devicePixelRatio), 1), MOST_COLUMNS);
    return { from: moment.from, to: moment.to, points, moving: false };
  }
  // The server rounds a bucket up to a round width, to as much as two and a half times the one asked for.
  return { from: moment.from, to: moment.to, points: 2 * pointsFor(width), moving: false };
}

function pastLine(line: PastLine, device: string, position: number): DeviceLine {
  const { value, low, high, last, text, bucket } = line;
  return {
    ...{ rows: line, value, low, high, last, text, device },
    color: seriesColor(position),
    rule: gapRule(line, value, bucket),
  };
}

/** The next block in the direction of play is asked for before it is needed. */
function lookAhead(question: PastQuestion, moment: Moment): void {
  if (!moment.moving || moment.rate === 0) return;
  const step = ((question.to - question.from) / 2) * Math.sign(moment.rate);
  if (question.from + step > live.clock.now()) return;
  history.ask({ ...question, from: question.from + step, to: question.to + step });
}

/** Lines of one field inside the window, for a panel `width` CSS pixels wide; of one device when `only` names it. */
export function sourceLines(
  dataset: string,
  field: string,
  kind: PastKind,
  moment: Moment,
  width: number,
  only: string | null = null,
): Sourced {
  const intake = live.feeds.get(dataset)?.current;
  if (moment.live || !intake || intake.covers(moment.from, (moment.to - moment.from) / pointsFor(width))) {
    const lines = ringLines(dataset, field, moment.from, only);
    return { lines, waiting: intake?.complete !== true, refusal: null };
  }
  const lines: DeviceLine[] = [];
  let waiting = false;
  let refusal: string | null = null;
  const stretch = stretchFor(moment, width, kind);
  for (const { device, position } of shownDevices(dataset, only).slice(0, PAST_DEVICES)) {
    const question: PastQuestion = { dataset, device, field, kind, ...stretch };
    const entry = history.ask(question);
    lookAhead(question, moment);
    waiting ||= entry === null;
    refusal ??= entry?.detail ?? null;
    const line = entry?.line ?? history.near({ ...question, from: moment.from, to: moment.to });
    if (line) lines.push(pastLine(line, device, position));
  }
  // Until the answer is here, what the rings have of the window is better than an empty panel.
  if (lines.length === 0 && waiting) {
    return { lines: ringLines(dataset, field, moment.from, only), waiting, refusal };
  }
  return { lines, waiting, refusal };
}

/** The lines of the stretch that is laid over the window, with their shift; none without one. */
export function overlayLines(
  dataset: string,
  field: string,
  kind: PastKind,
  moment: Moment,
  width: number,
): DeviceLine[] {
  const over = overlay.peek();
  if (over === null) return [];
  const { offset, device } = over;
  // In blocks, as of a window that moves: beside a live one it does, and the answers of a window that stands still are of one
  // stretch alone.
  const there: Moment = { ...moment, live: false, moving: true, from: moment.from + offset, to: moment.to + offset };
  return sourceLines(dataset, field, kind, there, width, device).lines.map((line) => ({ ...line, shift: -offset }));
}
