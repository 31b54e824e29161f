// How fields go together: the matrix of correlations, its strongest pairs, and the scatter of the pair that was chosen.

import { useEffect, useRef } from 'preact/hooks';
import { formatNumber } from '../../kit/format';
import { Note } from '../../kit/kit';
import { MatrixPlot, matrixOf, strongest } from '../../plots/matrix';
import { theme } from '../../state/app';
import type { Correlation } from '../../wire/files';
import type { Desk } from './desk';
import { say } from './text';

const MOST_FIELDS = 40;
const SHOWN_PAIRS = 8;

function r2(r: number): string {
  return formatNumber(r, 2);
}

export function MatrixCard({
  correlations,
  rows,
  open,
}: {
  correlations: Correlation[];
  rows: number;
  open: (x: string, y: string) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<MatrixPlot | null>(null);
  const said = useRef<HTMLParagraphElement>(null);
  const opener = useRef(open);
  opener.current = open;
  useEffect(() => {
    if (box.current === null) return;
    const made = new MatrixPlot(box.current, {
      read: (pair) => {
        if (said.current === null) return;
        said.current.textContent =
          pair === null
            ? ''
            : say('matrix.pair', {
                a: pair.a,
                b: pair.b,
                r: Number.isNaN(pair.r) ? '–' : r2(pair.r),
                n: formatNumber(pair.n),
              });
      },
      open: (a, b) => opener.current(a, b),
    });
    plot.current = made;
    return () => made.dispose();
  }, []);
  useEffect(() => {
    plot.current?.show(matrixOf(correlations, MOST_FIELDS));
  }, [correlations]);
  useEffect(() => {
    if (theme.value !== undefined) plot.current?.draw();
  }, [theme.value]);
  const pairs = strongest(correlations, SHOWN_PAIRS, rows);
  return (
    <section class="card matrix-card" data-testid="matrix">
      <div class="card-head">
        <h3>{say('matrix.title')}</h3>
        <span class="matrix-legend" aria-hidden="true">
          −1 <i /> +1
        </span>
      </div>
      {pairs.length === 0 && <Note>{say('matrix.none')}</Note>}
      <div class="matrix-box" ref={box} tabIndex={0} role="application" aria-label={say('matrix.label')} />
      <p class="matrix-said hint" ref={said} aria-live="polite" />
      <ul class="pairs-list" aria-label={say('matrix.strongest')}>
        {pairs.map((pair) => (
          <li key={`${pair.a}\n${pair.b}`}>
            <button type="button" onClick={() => open(pair.a, pair.b)}>
              <span>
                {pair.a} · {pair.b}
              </span>
              <b>{r2(pair.r as number)}</b>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function ScatterCard({
  desk,
  fields,
  x,
  y,
  choose,
  r,
  marked,
  rows,
}: {
  desk: Desk;
  fields: string[];
  x: string;
  y: string;
  choose: (x: string, y: string) => void;
  r: Correlation | undefined;
  marked: number;
  rows: { count: number; more: boolean };
}) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => (box.current === null ? undefined : desk.addScatter(box.current)), [desk]);
  useEffect(() => desk.setPair(x, y), [desk, x, y]);
  const select = (label: string, value: string, change: (name: string) => void) => (
    <select
      class="field-select small axis"
      aria-label={label}
      value={value}
      onChange={(event) => change(event.currentTarget.value)}
    >
      {fields.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
  const summary = say('scatter.summary', {
    x,
    y,
    n: formatNumber(rows.count),
    r: r === undefined || r.r === null ? '–' : r2(r.r),
  });
  return (
    <section class="card scatter-card" data-testid="scatter">
      <div class="card-head">
        {select(say('scatter.y'), y, (name) => choose(x, name))}
        <span class="hint">{say('scatter.against')}</span>
        {select(say('scatter.x'), x, (name) => choose(name, y))}
        <span class="spring" />
        {r !== undefined && r.r !== null && <span class="badge">r {r2(r.r)}</span>}
      </div>
      <div class="scatter-box" ref={box} role="img" aria-label={summary} />
      <p class="scatter-foot hint">
        {marked > 0 ? (
          <>
            <b data-testid="marked">{say('scatter.marked', { n: formatNumber(marked) })}</b>
            <button type="button" class="button small quiet" onClick={() => desk.mark(new Uint32Array(0))}>
              {say('scatter.clear')}
            </button>
          </>
        ) : (
          say(rows.more ? 'scatter.hintMore' : 'scatter.hint', { n: formatNumber(rows.count) })
        )}
      </p>
    </section>
  );
}
