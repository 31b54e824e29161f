// A table of any number of rows. It lays out only what is seen, in row elements that are used again; cells get their text
// directly. One tab stop: arrows, Page Up and Down, Home and End move the active row, Enter opens it.

import { loop } from '../chart/loop';
import { ScrollScale } from './scroll';

export interface GridColumn {
  key: string;
  title: string;
  unit: string;
  width: number;
  number: boolean;
}

export interface GridSource<Row> {
  /** Rows in all. */
  total(): number;
  /** The row, or null while it is on its way. */
  row(index: number): Row | null;
  text(row: Row, column: GridColumn): string;
  /** Dresses a cell beyond its text: classes, a bar. Called at every drawing of it. */
  dress?(cell: HTMLElement, row: Row, column: GridColumn): void;
  /** A row that has just come is shown as such for a moment. */
  fresh?(row: Row): boolean;
}

export interface GridEvents {
  open(index: number): void;
  /** The rows in sight, after each change. */
  seen(first: number, end: number): void;
}

export const ROW_HEIGHT = 28;
const HEAD_HEIGHT = 32;
/** Room that a horizontal scroll bar may take. */
const FOOT = 14;

/** Height in which `rows` rows are all seen. */
export function heightOf(rows: number): number {
  return HEAD_HEIGHT + rows * ROW_HEIGHT + FOOT;
}

/** Rows beyond the edges of the view, so that a fast wheel meets drawn rows. */
const SPARE = 4;

let grids = 0;

export class Grid<Row> {
  readonly element = document.createElement('div');
  private readonly sizer = document.createElement('div');
  private readonly pane = document.createElement('div');
  private readonly head = document.createElement('div');
  private readonly body = document.createElement('div');
  private readonly pool: HTMLElement[] = [];
  private readonly observer = new ResizeObserver(() => this.resize());
  private readonly id = `grid-${++grids}`;
  private columns: readonly GridColumn[] = [];
  private scale = new ScrollScale(0, ROW_HEIGHT, 0);
  private top = 0;
  private active = 0;
  private opened = -1;
  /** The scroll position that this grid has set itself. */
  private ownScroll = -1;
  private readonly drawing = () => this.draw();

  constructor(
    parent: HTMLElement,
    label: string,
    private readonly source: GridSource<Row>,
    private readonly events: GridEvents,
  ) {
    this.element.className = 'grid';
    this.element.tabIndex = 0;
    this.element.setAttribute('role', 'grid');
    this.element.setAttribute('aria-label', label);
    this.element.setAttribute('aria-readonly', 'true');
    this.sizer.className = 'grid-sizer';
    this.pane.className = 'grid-pane';
    this.head.className = 'grid-head';
    this.head.setAttribute('role', 'row');
    this.head.setAttribute('aria-rowindex', '1');
    this.body.className = 'grid-body';
    this.body.setAttribute('role', 'rowgroup');
    const headGroup = document.createElement('div');
    headGroup.setAttribute('role', 'rowgroup');
    headGroup.append(this.head);
    this.pane.append(headGroup, this.body);
    this.sizer.append(this.pane);
    this.element.append(this.sizer);
    parent.append(this.element);
    this.element.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.element.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.element.addEventListener('keydown', (event) => this.key(event));
    this.body.addEventListener('click', (event) => this.click(event));
    this.observer.observe(this.element);
  }

  dispose(): void {
    this.observer.disconnect();
    loop.forget(this.drawing);
    this.element.remove();
  }

  setColumns(columns: readonly GridColumn[]): void {
    this.columns = columns;
    this.head.replaceChildren(...columns.map((column, i) => headCell(column, i)));
    for (const row of this.pool) row.remove();
    this.pool.length = 0;
    const width = columns.reduce((sum, column) => sum + column.width, 0);
    this.sizer.style.minWidth = `${width}px`;
    this.element.setAttribute('aria-colcount', String(columns.length));
    this.resize();
  }

  /** Marks the row whose details are shown elsewhere; -1 for none. */
  setOpened(index: number): void {
    this.opened = index;
    this.request();
  }

  /** Rows or their number have changed. `above`: so many have come above those in sight. */
  changed(above = 0): void {
    const atTop = this.top < ROW_HEIGHT / 2;
    this.measure();
    if (above > 0) {
      this.active = Math.min(this.active + above, Math.max(this.source.total() - 1, 0));
      if (this.opened >= 0) this.opened += above;
      if (!atTop) this.top += above * ROW_HEIGHT;
    }
    this.active = Math.max(Math.min(this.active, this.source.total() - 1), 0);
    this.moveTo(this.top);
  }

  /** The rows in sight. */
  range(): { first: number; end: number } {
    return this.scale.visible(this.top);
  }

  atTop(): boolean {
    return this.top < ROW_HEIGHT / 2;
  }

  goTo(index: number, toTop = true): void {
    this.active = Math.min(Math.max(index, 0), Math.max(this.source.total() - 1, 0));
    this.moveTo(toTop ? this.active * ROW_HEIGHT : this.scale.reveal(this.top, this.active));
  }

  request(): void {
    loop.once(this.drawing);
  }

  private resize(): void {
    this.measure();
    this.moveTo(this.top);
  }

  private measure(): void {
    const height = Math.max(this.element.clientHeight - HEAD_HEIGHT, 0);
    this.scale = new ScrollScale(this.source.total(), ROW_HEIGHT, height);
    this.sizer.style.height = `${this.scale.height + HEAD_HEIGHT}px`;
    this.pane.style.height = `${height + HEAD_HEIGHT}px`;
    this.element.setAttribute('aria-rowcount', String(this.source.total() + 1));
  }

  private moveTo(top: number): void {
    this.top = this.scale.clamp(top);
    const scroll = Math.round(this.scale.scrollOf(this.top));
    if (Math.round(this.element.scrollTop) !== scroll) {
      this.ownScroll = scroll;
      this.element.scrollTop = scroll;
    }
    this.request();
  }

  private scrolled(): void {
    const scroll = Math.round(this.element.scrollTop);
    if (scroll !== this.ownScroll) this.top = this.scale.topOf(this.element.scrollTop);
    this.ownScroll = -1;
    this.request();
  }

  /** A scaled scroll bar would jump over rows: the wheel moves the rows by their own pixels. */
  private wheel(event: WheelEvent): void {
    if (this.scale.exact || event.ctrlKey || event.deltaY === 0 || event.shiftKey) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? ROW_HEIGHT : event.deltaMode === 2 ? this.scale.viewHeight : 1;
    this.moveTo(this.top + event.deltaY * unit);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(Math.floor(this.scale.viewHeight / ROW_HEIGHT) - 1, 1);
    const last = this.source.total() - 1;
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -last,
      End: last,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      this.active = Math.min(Math.max(this.active + step, 0), Math.max(last, 0));
      this.moveTo(this.scale.reveal(this.top, this.active));
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.events.open(this.active);
    } else {
      // The browser scrolls sideways by these; to the page they would mean another window of time.
      if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private click(event: MouseEvent): void {
    const row = (event.target as Element).closest<HTMLElement>('[data-row]');
    if (row === null) return;
    // Whoever marks text does not want the row opened.
    if ((getSelection()?.toString() ?? '') !== '') return;
    this.active = Number(row.dataset.row);
    this.request();
    this.events.open(this.active);
  }

  private draw(): void {
    const { first, end } = this.scale.visible(this.top);
    const begin = Math.max(first - SPARE, 0);
    const stop = Math.min(end + SPARE, this.source.total());
    const wanted = Math.max(stop - begin, 0);
    while (this.pool.length < wanted) this.pool.push(this.makeRow(this.pool.length));
    let activeId = '';
    this.pool.forEach((element, i) => {
      // A row keeps its element while it stays in sight: index modulo the pool.
      const index = begin + ((((i - begin) % this.pool.length) + this.pool.length) % this.pool.length);
      if (index >= stop) {
        element.hidden = true;
        return;
      }
      this.fill(element, index);
      if (index === this.active) activeId = element.id;
    });
    if (activeId === '') this.element.removeAttribute('aria-activedescendant');
    else this.element.setAttribute('aria-activedescendant', activeId);
    this.events.seen(first, end);
  }

  private makeRow(i: number): HTMLElement {
    const row = document.createElement('div');
    row.className = 'grid-row';
    row.id = `${this.id}-row-${i}`;
    row.setAttribute('role', 'row');
    for (const [c, column] of this.columns.entries()) {
      const cell = document.createElement('span');
      cell.setAttribute('role', 'gridcell');
      cell.setAttribute('aria-colindex', String(c + 1));
      if (column.number) cell.className = 'number';
      cell.style.width = `${column.width}px`;
      row.append(cell);
    }
    this.body.append(row);
    return row;
  }

  private fill(element: HTMLElement, index: number): void {
    const row = this.source.row(index);
    element.hidden = false;
    element.dataset.row = String(index);
    element.setAttribute('aria-rowindex', String(index + 2));
    element.style.transform = `translateY(${Math.round(index * ROW_HEIGHT - this.top)}px)`;
    element.classList.toggle('odd', index % 2 === 1);
    element.classList.toggle('active', index === this.active);
    element.classList.toggle('opened', index === this.opened);
    element.classList.toggle('waiting', row === null);
    element.classList.toggle('fresh', row !== null && (this.source.fresh?.(row) ?? false));
    this.columns.forEach((column, c) => {
      const cell = element.children[c] as HTMLElement;
      const text = row === null ? '' : this.source.text(row, column);
      if (cell.textContent !== text) cell.textContent = text;
      const empty = row !== null && text === '';
      if (cell.classList.contains('void') !== empty) cell.classList.toggle('void', empty);
      if (row !== null) this.source.dress?.(cell, row, column);
    });
  }
}

function headCell(column: GridColumn, index: number): HTMLElement {
  const cell = document.createElement('span');
  cell.setAttribute('role', 'columnheader');
  cell.setAttribute('aria-colindex', String(index + 1));
  if (column.number) cell.className = 'number';
  cell.style.width = `${column.width}px`;
  cell.title = column.title;
  cell.append(column.title);
  if (column.unit !== '') {
    const unit = document.createElement('small');
    unit.textContent = column.unit;
    cell.append(' ', unit);
  }
  return cell;
}
