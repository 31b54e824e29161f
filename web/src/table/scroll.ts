// The arithmetic of a table whose rows are more than a browser can lay out: 10 million rows of 28 px are 280 million px, and
// browsers stop at about 16 million. The scroll bar is then a scale of its own; wheel and keys move by true rows.

/** Below every browser's own limit. */
export const TALLEST_PX = 8_000_000;

export class ScrollScale {
  /** Height of the element that the browser scrolls. */
  readonly height: number;
  private readonly travel: number;
  private readonly trueTravel: number;

  constructor(
    readonly rows: number,
    readonly rowHeight: number,
    readonly viewHeight: number,
  ) {
    const full = rows * rowHeight;
    this.height = Math.max(Math.min(full, TALLEST_PX), 0);
    this.travel = Math.max(this.height - viewHeight, 0);
    this.trueTravel = Math.max(full - viewHeight, 0);
  }

  /** The scroll bar moves in the rows' own pixels. */
  get exact(): boolean {
    return this.travel === this.trueTravel;
  }

  clamp(top: number): number {
    return Math.min(Math.max(top, 0), this.trueTravel);
  }

  /** Where the rows stand (px of true height) when the browser's scroll position is `scrollTop`. */
  topOf(scrollTop: number): number {
    if (this.exact || this.travel === 0) return this.clamp(scrollTop);
    return this.clamp((scrollTop / this.travel) * this.trueTravel);
  }

  /** The browser's scroll position for rows that stand at `top`. */
  scrollOf(top: number): number {
    if (this.exact || this.trueTravel === 0) return this.clamp(top);
    return (this.clamp(top) / this.trueTravel) * this.travel;
  }

  /** First and last row (exclusive) that touch the view at `top`. */
  visible(top: number): { first: number; end: number } {
    const first = Math.floor(top / this.rowHeight);
    const end = Math.ceil((top + this.viewHeight) / this.rowHeight);
    return { first: Math.max(first, 0), end: Math.min(end, this.rows) };
  }

  /** The `top` that shows row `index` with the least movement from `top`. */
  reveal(top: number, index: number): number {
    const from = index * this.rowHeight;
    const to = from + this.rowHeight;
    if (from < top) return this.clamp(from);
    if (to > top + this.viewHeight) return this.clamp(to - this.viewHeight);
    return top;
  }
}
