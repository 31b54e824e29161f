// Correlations as a square of cells: blue against, orange with each other, the paler the weaker. Arrows move a cell cursor, Enter
// and a click open the pair.

import { Surface } from '../chart/canvas';
import { palette } from '../chart/palette';
import type { Correlation } from '../wire/files';

export interface Matrix {
  fields: string[];
  /** r by row and column; NaN where it is not known. The diagonal is 1. */
  r: Float64Array;
  n: Float64Array;
}

const SHRINK = 30;

/** Fields ordered so that those that go together stand together, strongest first. */
export function matrixOf(correlations: readonly Correlation[], most: number): Matrix {
  const strength = new Map<string, number>();
  const known = new Map<string, Correlation>();
  const key = (a: string, b: string) => JSON.stringify(a < b ? [a, b] : [b, a]);
  for (const c of correlations) {
    known.set(key(c.a, c.b), c);
    if (c.r === null || c.a === c.b) continue;
    // A correlation of few rows counts for less.
    const weight = c.n / (c.n + SHRINK);
    for (const name of [c.a, c.b]) strength.set(name, (strength.get(name) ?? 0) + c.r * c.r * weight);
  }
  const ranked = [...strength].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, most);
  const left = new Set(ranked.map(([name]) => name));
  const fields: string[] = [];
  const rOf = (a: string, b: string) => known.get(key(a, b))?.r ?? null;
  while (left.size > 0) {
    // The next is the one nearest to the last; the first is the strongest of all.
    const last = fields[fields.length - 1];
    let next = '';
    let best = -1;
    for (const name of left) {
      const near = last === undefined ? (strength.get(name) as number) : Math.abs(rOf(last, name) ?? 0);
      if (near > best) [next, best] = [name, near];
    }
    fields.push(next);
    left.delete(next);
  }
  const size = fields.length;
  const r = new Float64Array(size * size).fill(Number.NaN);
  const n = new Float64Array(size * size);
  fields.forEach((a, i) => {
    fields.forEach((b, k) => {
      const pair = known.get(key(a, b));
      r[i * size + k] = i === k ? 1 : (pair?.r ?? Number.NaN);
      n[i * size + k] = pair?.n ?? 0;
    });
  });
  return { fields, r, n };
}

/** Pairs of fewer rows than this part of all are by chance as they are. */
const ENOUGH = 0.05;
const LEAST_ROWS = 10;

/** The pairs that go together most, one way or the other; `rows` of the file in all. */
export function strongest(correlations: readonly Correlation[], most: number, rows: number): Correlation[] {
  const least = Math.max(rows * ENOUGH, LEAST_ROWS);
  return correlations
    .filter((c) => c.r !== null && c.a !== c.b && c.n >= least)
    .toSorted((a, b) => Math.abs(b.r as number) - Math.abs(a.r as number) || b.n - a.n)
    .slice(0, most);
}

export interface MatrixEvents {
  read(pair: { a: string; b: string; r: number; n: number } | null): void;
  open(a: string, b: string): void;
}

export class MatrixPlot {
  private readonly surface: Surface;
  private readonly observer: ResizeObserver;
  private data: Matrix = { fields: [], r: new Float64Array(0), n: new Float64Array(0) };
  private row = -1;
  private column = -1;

  constructor(
    private readonly parent: HTMLElement,
    private readonly events: MatrixEvents,
  ) {
    this.surface = new Surface(parent, 'matrix-canvas');
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parent);
    parent.addEventListener('pointermove', (event) => this.hover(event));
    parent.addEventListener('pointerleave', () => this.point(-1, -1));
    parent.addEventListener('click', (event) => {
      this.hover(event);
      this.openHere();
    });
    parent.addEventListener('keydown', (event) => this.key(event));
  }

  dispose(): void {
    this.observer.disconnect();
    this.surface.remove();
  }

  show(data: Matrix): void {
    this.data = data;
    this.draw();
  }

  private get cell(): number {
    const { clientWidth: width, clientHeight: height } = this.parent;
    return Math.min(width, height) / Math.max(this.data.fields.length, 1);
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.parent;
    if (width === 0 || height === 0) return;
    const ctx = this.surface.begin(width, height);
    const { fields, r } = this.data;
    const size = fields.length;
    const cell = this.cell;
    const gap = cell > 9 ? 1 : 0;
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < size; k++) {
        const value = r[i * size + k] as number;
        if (Number.isNaN(value)) {
          ctx.fillStyle = palette().grid;
          ctx.globalAlpha = 0.5;
        } else {
          ctx.fillStyle = palette().series[value < 0 ? 0 : 1] as string;
          ctx.globalAlpha = i === k ? 0.18 : 0.06 + 0.94 * Math.abs(value);
        }
        ctx.fillRect(k * cell, i * cell, cell - gap, cell - gap);
      }
    }
    ctx.globalAlpha = 1;
    this.drawCursor(ctx, cell);
    if (cell >= 26) this.drawNumbers(ctx, cell);
  }

  private drawCursor(ctx: CanvasRenderingContext2D, cell: number): void {
    if (this.row < 0) return;
    ctx.strokeStyle = palette().ink;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(this.column * cell + 0.5, this.row * cell + 0.5, cell - 1.5, cell - 1.5);
  }

  private drawNumbers(ctx: CanvasRenderingContext2D, cell: number): void {
    const { fields, r } = this.data;
    ctx.font = palette().font;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    fields.forEach((_, i) => {
      fields.forEach((__, k) => {
        const value = r[i * fields.length + k] as number;
        if (Number.isNaN(value) || i === k) return;
        ctx.fillStyle = Math.abs(value) > 0.55 ? palette().surface : palette().ink;
        ctx.fillText(value.toFixed(cell < 34 ? 1 : 2).replace(/^(-?)0\./, '$1.'), (k + 0.5) * cell, (i + 0.5) * cell);
      });
    });
  }

  private hover(event: MouseEvent): void {
    const box = this.parent.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.cell);
    const row = Math.floor((event.clientY - box.top) / this.cell);
    const size = this.data.fields.length;
    if (column < 0 || row < 0 || column >= size || row >= size) this.point(-1, -1);
    else this.point(row, column);
  }

  private point(row: number, column: number): void {
    if (row === this.row && column === this.column) return;
    this.row = row;
    this.column = column;
    this.draw();
    const { fields, r, n } = this.data;
    if (row < 0) {
      this.events.read(null);
      return;
    }
    const at = row * fields.length + column;
    this.events.read({
      a: fields[row] as string,
      b: fields[column] as string,
      r: r[at] as number,
      n: n[at] as number,
    });
  }

  private openHere(): void {
    if (this.row < 0 || this.row === this.column) return;
    this.events.open(this.data.fields[this.column] as string, this.data.fields[this.row] as string);
  }

  private key(event: KeyboardEvent): void {
    const last = this.data.fields.length - 1;
    if (last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = [Math.max(this.row, 0), Math.max(this.column, 0)];
    if (event.key === 'ArrowLeft') this.point(row, Math.max(column - 1, 0));
    else if (event.key === 'ArrowRight') this.point(row, Math.min(column + 1, last));
    else if (event.key === 'ArrowUp') this.point(Math.max(row - 1, 0), column);
    else if (event.key === 'ArrowDown') this.point(Math.min(row + 1, last), column);
    else if (event.key === 'Enter' || event.key === ' ') this.openHere();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
