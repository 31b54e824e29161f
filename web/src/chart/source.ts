// Where a panel's samples come from: the rings while they hold every row of the window, else the history.

import { hiddenDevices, history, live } from '../state/app';
import { gapRule } from '../state/gaps';
import type { PastKind } from '../state/history';
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

/** Devices that are drawn, with the position that gives them their colour. */
export function shownDevices(dataset: string): { device: string; position: number }[] {
  const devices = live.feeds.get(dataset)?.current?.devices ?? [];
  const hidden = hiddenDevices.peek();
  return devices
    .map((device, position) => ({ device, position }))
    .filter(({ device }) => !hidden.has(`${dataset}/${device}`));
}

function pointsFor(width: number): number {
  return Math.min(Math.max(Math.round(width / 40) * 40, 120), 2_000);
}

function ringLines(dataset: string, field: string, from: number): DeviceLine[] {
  const intake = live.feeds.get(dataset)?.current;
  if (!intake) return [];
  return shownDevices(dataset).flatMap(({ device, position }) => ringLine(intake, device, position, field, from) ?? []);
}

/** Lines of one field inside the window, for a panel `width` CSS pixels wide. */
export function sourceLines(dataset: string, field: string, kind: PastKind, moment: Moment, width: number): Sourced {
  const intake = live.feeds.get(dataset)?.current;
  if (moment.live || !intake || intake.covers(moment.from, (moment.to - moment.from) / pointsFor(width))) {
    return { lines: ringLines(dataset, field, moment.from), waiting: intake?.complete !== true, refusal: null };
  }
  const lines: DeviceLine[] = [];
  let waiting = false;
  let refusal: string | null = null;
  for (const { device, position } of shownDevices(dataset).slice(0, PAST_DEVICES)) {
    const entry = history.ask({
      dataset,
      device,
      field,
      kind,
      from: moment.from,
      to: moment.to,
      // The server rounds a bucket up to a round width, to as much as two and a half times the one asked for.
      points: 2 * pointsFor(width),
    });
    waiting ||= entry === null;
    refusal ??= entry?.detail ?? null;
    if (!entry?.line) continue;
    const { line } = entry;
    const { value, low, high, last, text } = line;
    lines.push({
      rows: line,
      value,
      low,
      high,
      last,
      text,
      device,
      color: seriesColor(position),
      rule: gapRule(line, value, line.bucket),
    });
  }
  // Until the answer is here, what the rings have of the window is better than an empty panel.
  if (lines.length === 0 && waiting) return { lines: ringLines(dataset, field, moment.from), waiting, refusal };
  return { lines, waiting, refusal };
}
