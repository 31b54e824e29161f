// How many panels a frame of a moving window may draw. Where painting is slow (no graphics processor, many lines) they take turns, so
// that a frame stays short and the page answers at once; each of them moves less often.

/** Of a frame's 16.7 ms, the part that is ours. */
export const BUDGET_MS = 8;
/** Weight of the newest frame: a single long one, as of a collection of garbage, is not the rule. */
const WEIGHT = 0.2;

export class Share {
  /** ms that a panel costs from its drawing to its pixels, about. */
  private each = 0;

  get panels(): number {
    return this.each === 0 ? Number.POSITIVE_INFINITY : Math.max(Math.floor(BUDGET_MS / this.each), 1);
  }

  /** A frame that drew `panels` took `ms`, painting included. */
  note(ms: number, panels: number): void {
    if (panels === 0) return;
    const each = ms / panels;
    this.each = this.each === 0 ? each : this.each + WEIGHT * (each - this.each);
  }
}

/** Calls `paint` for each of `items` from `start` on, round and round, until `most` have drawn; gives where to go on and how many drew. */
export function takeTurns<T>(
  items: readonly T[],
  start: number,
  most: number,
  paint: (item: T) => boolean,
): { next: number; drawn: number; all: boolean } {
  let drawn = 0;
  for (let i = 0; i < items.length; i++) {
    const at = (start + i) % items.length;
    if (drawn >= most) return { next: at, drawn, all: false };
    if (paint(items[at] as T)) drawn += 1;
  }
  return { next: start, drawn, all: true };
}
