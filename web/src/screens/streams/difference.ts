import type { SchemaChange, SchemaVersion } from '../../wire/streams';

/** What differs between two versions: every change after the first, up to the second. */
export function difference(versions: readonly SchemaVersion[], from: number, to: number): SchemaChange[] {
  const [low, high] = from < to ? [from, to] : [to, from];
  const merged = new Map<string, SchemaChange>();
  for (const version of versions.toSorted((a, b) => a.version - b.version)) {
    if (version.version <= low || version.version > high) continue;
    for (const change of version.changes) {
      const before = merged.get(change.field);
      // Added and then widened is, seen from before, added as what it is now.
      if (before === undefined) merged.set(change.field, change);
      else merged.set(change.field, { ...before, to: change.to });
    }
  }
  return [...merged.values()];
}
