// The newest rows of the window as a table, written straight into the page. The row nearest to the crosshair is marked.

import { schemas } from '../state/app';
import { formatClock } from '../view/format';
import { cursor } from './cursor';
import type { Moment } from './loop';
import { Panel } from './panel';
import type { Area } from './plot';
import { newestRows, type TableRow, textOf } from './readings';
import { type DeviceLine, sourceLines } from './source';

const ROW_HEIGHT = 24;
const MOST_ROWS = 60;
const WRITTEN_EVERY_MS = 200;

export class TablePanel extends Panel {
  private columns: DeviceLine[][] = [];
  private rows: TableRow[] = [];

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly fields: readonly string[],
    private readonly body: HTMLTableSectionElement,
  ) {
    super(element, dataset);
  }

  protected area(): Area {
    return { left: 0, top: 0, width: this.width, height: this.height };
  }
  protected create(): void {
    // The table is in the page from the start.
  }
  protected discard(): void {
    // Its rows are few.
  }
  protected sizeChanged(): void {
    // The number of rows follows at the next writing.
  }
  protected showValues(): void {
    // Marked by `point`.
  }

  protected override interval(moment: Moment): number {
    return Math.max(super.interval(moment), WRITTEN_EVERY_MS);
  }

  override point(moment: Moment): void {
    const { fraction } = cursor;
    const time = fraction === null ? null : moment.from + fraction * (moment.to - moment.from);
    let nearest = -1;
    if (time !== null) {
      for (const [i, row] of this.rows.entries()) {
        const best = this.rows[nearest]?.time ?? Number.NEGATIVE_INFINITY;
        if (Math.abs(row.time - time) < Math.abs(best - time)) nearest = i;
      }
    }
    for (const [i, row] of [...this.body.rows].entries()) row.classList.toggle('at-cursor', i === nearest);
  }

  protected draw(moment: Moment): void {
    const types = new Map((schemas.peek().get(this.dataset)?.fields ?? []).map((f) => [f.name, f.type]));
    this.columns = this.fields.map((field) => {
      const type = types.get(field);
      const kind = type === 'boolean' ? 'boolean' : type === 'text' || type === 'json' ? 'text' : 'number';
      return sourceLines(this.dataset, field, kind, moment, this.width).lines;
    });
    const count = Math.min(Math.max(Math.floor(this.height / ROW_HEIGHT) - 1, 1), MOST_ROWS);
    this.rows = newestRows(this.columns, moment.from, moment.to, count);
    this.write();
    this.point(moment);
  }

  private write(): void {
    while (this.body.rows.length > this.rows.length) this.body.deleteRow(-1);
    for (const [i, row] of this.rows.entries()) {
      const element = this.body.rows[i] ?? this.body.insertRow();
      const texts = [
        formatClock(row.time, 3),
        row.device,
        ...row.cells.map((cell) => (cell === null ? '' : textOf(cell))),
      ];
      for (const [c, text] of texts.entries()) {
        const cell = element.cells[c] ?? element.insertCell();
        if (cell.textContent !== text) cell.textContent = text;
      }
    }
  }
}
