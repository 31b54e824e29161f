// What of a file is looked at first. Pure.

import { strongest } from '../../plots/matrix';
import type { FieldProfile } from '../../wire/explore';
import type { Correlation, FileProfile } from '../../wire/files';

/** Fields with a chart: numbers and truth values; those that are mostly missing, and then those that never change, last. */
export function drawnFields(profile: FileProfile): FieldProfile[] {
  const place = new Set(['latitude', 'longitude', 'identifier']);
  const drawn = profile.fields.filter(
    (f) => f.count > 0 && !place.has(f.kind) && ['integer', 'float', 'boolean'].includes(f.type),
  );
  const rank = (f: FieldProfile) => (f.distinct <= 1 ? 2 : Number(f.missing_percent > 50));
  return drawn.toSorted((a, b) => rank(a) - rank(b));
}

/** The pair worth looking at first: it goes together, but is not the same thing twice. */
export function bestPair(
  correlations: readonly Correlation[],
  names: readonly string[],
  rows: number,
): Correlation | undefined {
  const known = new Set(names);
  const worth = correlations.filter(
    (c) => known.has(c.a) && known.has(c.b) && Math.abs(c.r ?? 0) < SAME_THING && c.n >= rows / 2,
  );
  return strongest(worth, 1, rows)[0];
}

const SAME_THING = 0.98;
/** A scatter of fewer values is a few columns of dots. */
export const RICH = 40;
