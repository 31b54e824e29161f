// How a device does: the order of the list, and the gaps in its last minutes. Pure.

import type { DeviceInfo } from '../../wire/rest';

const RANK: Record<DeviceInfo['state'], number> = { lost: 0, late: 1, live: 2 };

/** Rate now against the expected one, from 0 to 1; null when nothing is expected. */
export function rateShare(device: DeviceInfo): number | null {
  if (device.expected_rate === null || device.expected_rate <= 0) return null;
  return device.rate / device.expected_rate;
}

/** Worst first: lost, late, then those furthest below their expected rate, then by name. */
export function worstFirst(devices: readonly DeviceInfo[]): DeviceInfo[] {
  return devices.toSorted((a, b) => {
    const state = RANK[a.state] - RANK[b.state];
    if (state !== 0) return state;
    // A tenth more or less is the measurement's own unrest: it must not shuffle the list.
    const share = (d: DeviceInfo) => Math.min(Math.round((rateShare(d) ?? 1) * 5), 5);
    return (
      share(a) - share(b) ||
      a.dataset.localeCompare(b.dataset) ||
      a.device.localeCompare(b.device, undefined, { numeric: true })
    );
  });
}

export interface Gap {
  /** µs since the epoch. */
  from: number;
  to: number;
}

/**
 * Stretches without an event in counts of equal buckets, longest first. `least`: shorter ones are the device's own rhythm. The
 * bucket that is still filling is left out.
 */
export function gapsIn(
  counts: readonly (number | null)[],
  times: readonly number[],
  bucket: number,
  least: number,
): Gap[] {
  const gaps: Gap[] = [];
  let from: number | null = null;
  const last = counts.length - 1;
  for (let i = 0; i < last; i++) {
    const empty = (counts[i] ?? 0) === 0;
    if (empty && from === null) from = times[i] as number;
    if (!empty && from !== null) {
      gaps.push({ from, to: times[i] as number });
      from = null;
    }
  }
  if (from !== null) gaps.push({ from, to: (times[last - 1] as number) + bucket });
  return gaps.filter((gap) => gap.to - gap.from >= least).sort((a, b) => b.to - b.from - (a.to - a.from));
}

/** The same counts in `columns` wider buckets at most, for drawing. */
export function coarser(
  counts: readonly (number | null)[],
  times: readonly number[],
  columns: number,
): { time: number[]; count: number[]; factor: number } {
  const factor = Math.max(Math.ceil(counts.length / columns), 1);
  const time: number[] = [];
  const count: number[] = [];
  for (let i = 0; i < counts.length; i += factor) {
    time.push(times[i] as number);
    let sum = 0;
    for (let k = i; k < Math.min(i + factor, counts.length); k++) sum += counts[k] ?? 0;
    count.push(sum);
  }
  return { time, count, factor };
}
