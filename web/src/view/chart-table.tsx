// The table behind every chart: what is drawn, as text, for who reads, listens or copies.

import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type ChartTable, MOST_ROWS } from '../chart/readings';
import { say } from '../text/charts';
import { formatCount } from './format';
import { TableIcon } from './icons';

/** What can be read as a table: a panel. */
export interface Readable {
  readonly element: HTMLElement;
  table(): ChartTable;
}

interface Shown {
  title: string;
  panel: Readable;
}

const PAGE = 100;
const shown = signal<Shown | null>(null);

export function TableButton({ title, panel }: { title: string; panel: { current: Readable | null } }) {
  const label = say('table.open', { title });
  const open = () => {
    if (panel.current !== null) shown.value = { title, panel: panel.current };
  };
  return (
    <button
      type="button"
      class="as-table"
      title={label}
      aria-label={label}
      aria-haspopup="dialog"
      data-testid="as-table"
      onClick={open}
    >
      <TableIcon />
    </button>
  );
}

function Pages({ first, count, turn }: { first: number; count: number; turn: (to: number) => void }) {
  if (count <= PAGE) return null;
  const last = Math.min(first + PAGE, count);
  return (
    <>
      <button type="button" class="secondary" disabled={first === 0} onClick={() => turn(first - PAGE)}>
        {say('table.newer')}
      </button>
      <button type="button" class="secondary" disabled={last >= count} onClick={() => turn(first + PAGE)}>
        {say('table.older')}
      </button>
      <output>
        {say('table.shown', { first: formatCount(first + 1), last: formatCount(last), count: formatCount(count) })}
      </output>
    </>
  );
}

function Rows({ table, first, label }: { table: ChartTable; first: number; label: string }) {
  const kind = (column: number) => (column >= table.numbersFrom ? 'number' : undefined);
  return (
    <div class="chart-rows" tabIndex={0} role="region" aria-label={label}>
      <table data-testid="chart-table">
        <thead>
          <tr>
            {table.heads.map((head, i) => (
              <th key={head} scope="col" class={kind(i)}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.slice(first, first + PAGE).map((row, r) => (
            <tr key={first + r}>
              {row.map((text, i) => (
                <td key={table.heads[i]} class={kind(i)}>
                  {text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Content({ title, panel }: Shown) {
  // Taken once: what moves under the eyes, or under a screen reader, cannot be read.
  const table = useSignal(panel.table());
  const first = useSignal(0);
  const again = () => {
    table.value = panel.table();
    first.value = 0;
  };
  const count = table.value.rows.length;
  return (
    <>
      <h2 id="chart-table-title">{title}</h2>
      <p class="hint">{panel.element.getAttribute('aria-label')}</p>
      {count === 0 && <p>{say('table.none')}</p>}
      {count >= MOST_ROWS && <p class="hint">{say('table.most', { count: formatCount(MOST_ROWS) })}</p>}
      {count > 0 && <Rows table={table.value} first={first.value} label={title} />}
      <div class="actions">
        <Pages
          first={first.value}
          count={count}
          turn={(to) => {
            first.value = to;
          }}
        />
        <span class="spring" />
        <button type="button" class="secondary" onClick={again}>
          {say('table.again')}
        </button>
        <form method="dialog">
          <button type="submit" class="primary">
            {say('table.close')}
          </button>
        </form>
      </div>
    </>
  );
}

/** The one dialog that all panels open. */
export function ChartTableDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const current = shown.value;
  useEffect(() => {
    if (current !== null && dialog.current?.open === false) dialog.current.showModal();
  }, [current]);
  return (
    <dialog
      class="chart-table"
      aria-labelledby="chart-table-title"
      ref={dialog}
      onClose={() => {
        shown.value = null;
      }}
    >
      {current !== null && <Content {...current} />}
    </dialog>
  );
}
