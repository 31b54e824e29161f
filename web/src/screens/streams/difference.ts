import type { SchemaChange, SchemaVersion } from '../../wire/streams';

/** A change, and the version that made it what it is now: when, and by which device's event. */
export type Difference = SchemaChange & Pick<SchemaVersion, 'version' | 'time' | 'device'>;

/** What differs between two versions: every change after the first, up to the second. */
export function difference(versions: readonly SchemaVersion[], from: number, to: number): Difference[] {
  const [low, high] = from < to ? [from, to] : [to, from];
  const merged = new Map<string, Difference>();
  for (const { version, time, device, changes } of versions.toSorted((a, b) => a.version - b.version)) {
    if (version <= low || version > high) continue;
    for (const change of changes) {
      const made = { version, time, device };
      const before = merged.get(change.field);
      const sample = change.sample ?? before?.sample;
      // Added and then widened is, seen from before, added as what it is now.
      const whole = before === undefined ? change : { ...before, to: change.to };
      merged.set(change.field, { ...whole, ...(sample === undefined ? {} : { sample }), ...made });
    }
  }
  return [...merged.values()];
}
