// Explore: the events of a dataset, found by a filter and a window of time; counts over time, fields, rows, one row as JSON.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatMillis, formatNumber, microsOf } from '../../kit/format';
import { Note, saveFile, useEscape } from '../../kit/kit';
import { formatMicros } from '../../kit/time';
import { TimeBarsPlot } from '../../plots/time-bars';
import type { KnownField } from '../../query/complete';
import { dataset, datasets, devices, live, own, schemas, setOwn, setView, theme, view, zoomTo } from '../../state/app';
import { bounds, parseInstant, pausedAt } from '../../state/window';
import '../../table/grid.css';
import { Grid, type GridColumn } from '../../table/grid';
import { language } from '../../text/area';
import { formatDuration } from '../../view/format';
import type { Failure } from '../../wire/call';
import { type EventRow, exportAddress, getProfile, getWhole, type Profile, type Selection } from '../../wire/explore';
import { offers } from '../../wire/features';
import type { DatasetInfo, SchemaField } from '../../wire/rest';
import { Explorer } from './explorer';
import { FieldList } from './field-list';
import { QueryBar } from './query-bar';
import { say } from './text';
import './explore.css';

/** Rows stream in at this pace. */
const LIVE_MS = 1_000;
const FIRST_COLUMNS = 9;
const PROFILE_MS = 15_000;

export const usesWindow = true;

const WIDTHS: Record<string, number> = { boolean: 90, integer: 112, float: 128, text: 150, json: 240 };

function columnOf(field: SchemaField): GridColumn {
  const number = field.type === 'integer' || field.type === 'float';
  const title = Math.min(field.name.length + field.unit.length, 26) * 7.2 + 26;
  return {
    key: field.name,
    title: field.name,
    unit: field.unit,
    width: Math.max(WIDTHS[field.type] ?? 130, Math.round(title)),
    number,
  };
}

/** The columns shown at first: those with the most values, in the schema's order. */
export function firstColumns(fields: readonly SchemaField[]): string[] {
  const used = fields.filter((f) => f.count > 0 && f.hidden !== true && f.kind !== 'identifier');
  const best = new Set(
    used
      .toSorted((a, b) => b.count - a.count)
      .slice(0, FIRST_COLUMNS)
      .map((f) => f.name),
  );
  return used.filter((f) => best.has(f.name)).map((f) => f.name);
}

function fullest(fields: readonly SchemaField[]): SchemaField | null {
  return fields.reduce<SchemaField | null>((best, f) => (best === null || f.count > best.count ? f : best), null);
}

function knownFields(name: string, fields: readonly SchemaField[], profile: Profile | null): KnownField[] {
  const topOf = (field: string) =>
    (profile?.fields.find((f) => f.name === field)?.top ?? []).map((t) => String(t.value));
  const names = devices.value.filter((d) => d.dataset === name).map((d) => d.device);
  const own = fields.map((f) => ({ name: f.name, type: f.type as string, unit: f.unit, values: topOf(f.name) }));
  return [
    ...own,
    { name: 'time', type: 'time', unit: '', values: [] },
    { name: 'device', type: 'text', unit: '', values: names },
  ];
}

function DatasetChoice({ all, chosen }: { all: DatasetInfo[]; chosen: string }) {
  return (
    <select
      class="field-select dataset-choice"
      aria-label={say('dataset')}
      value={chosen}
      onChange={(event) => {
        setOwn({ where: '', columns: '', row: '' });
        dataset.value = event.currentTarget.value;
      }}
      data-testid="dataset-choice"
    >
      {all.map((d) => (
        <option key={d.name} value={d.name}>
          {d.label === '' ? d.name : `${d.label} · ${d.name}`}
        </option>
      ))}
    </select>
  );
}

function RowDetail({ row, add, close }: { row: EventRow; add: (filter: string) => void; close: () => void }) {
  const json = JSON.stringify(row, null, 2);
  useEscape(close);
  const said = useSignal('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(json);
      said.value = say('row.copied');
    } catch {
      said.value = say('row.notCopied');
    }
  };
  return (
    <aside class="detail" aria-label={say('row.label')} data-testid="row-detail">
      <div class="card-head">
        <h3>{formatMicros(microsOf(row['@timestamp']))}</h3>
        <span class="hint" role="status">
          {said.value}
        </span>
        <button type="button" class="button small" onClick={copy}>
          {say('row.copy')}
        </button>
        <button
          type="button"
          class="button small"
          onClick={() => add(`device = '${row.device.replaceAll("'", "''")}'`)}
        >
          {say('row.device')}
        </button>
        <button type="button" class="button small" onClick={close}>
          {say('close')}
        </button>
      </div>
      <pre class="raw" tabIndex={0}>
        {json}
      </pre>
    </aside>
  );
}

function Jump({ go }: { go: (time: number) => void }) {
  const text = useSignal('');
  const wrong = useSignal(false);
  return (
    <form
      class="row-of"
      onSubmit={(event) => {
        event.preventDefault();
        const time = parseInstant(text.value, live.clock.now());
        wrong.value = time === null;
        if (time !== null) go(time);
      }}
    >
      <input
        class={wrong.value ? 'field-input small wrong' : 'field-input small'}
        aria-label={say('jump')}
        aria-invalid={wrong.value}
        placeholder={say('jumpHint')}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
        autocomplete="off"
        data-testid="jump"
      />
      <button type="submit" class="button small">
        {say('go')}
      </button>
    </form>
  );
}

interface Found {
  total: number;
  ms: number;
}

function Body({ info, fields }: { info: DatasetInfo; fields: SchemaField[] }) {
  const where = own.value.where ?? '';
  const chosenColumns = own.value.columns?.split('\t').filter((name) => fields.some((f) => f.name === name));
  const columns = chosenColumns === undefined || chosenColumns.length === 0 ? firstColumns(fields) : chosenColumns;
  const bars = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const reading = useRef<HTMLSpanElement>(null);
  const plot = useRef<TimeBarsPlot | null>(null);
  const grid = useRef<Grid<EventRow> | null>(null);
  const explorer = useRef<Explorer | null>(null);
  const found = useSignal<Found | null>(null);
  const failure = useSignal<Failure | null>(null);
  const opened = useSignal<EventRow | null>(null);
  const filters = useSignal<boolean | null>(null);
  const profiles = useSignal<boolean | null>(null);
  const profile = useSignal<Profile | null>(null);
  const asked = useRef(Number.NEGATIVE_INFINITY);
  const windowNow = useRef({ from: 0, to: 0 });
  const spoken = language.value;
  const countField = fullest(fields)?.name ?? '';

  useEffect(() => {
    void offers('get', '/datasets/{dataset}/series', 'where').then((has) => {
      filters.value = has;
    });
    void offers('get', '/datasets/{dataset}/profile').then((has) => {
      profiles.value = has;
    });
  }, [filters, profiles]);

  useEffect(() => {
    if (bars.current === null || rows.current === null) return;
    const made = new Explorer({
      counted: (data, total, ms) => {
        plot.current?.show(data);
        found.value = { total, ms };
        failure.value = null;
      },
      failed: (problem) => {
        failure.value = problem;
      },
      changed: (above) => grid.current?.changed(above),
      visible: () => grid.current?.range() ?? { first: 0, end: 0 },
    });
    explorer.current = made;
    const drawn = new TimeBarsPlot(bars.current, {
      read: (bar) => {
        if (reading.current === null) return;
        reading.current.textContent =
          bar === null
            ? ''
            : say('bar', {
                from: formatMicros(bar.from).slice(0, 19),
                span: formatDuration(bar.to - bar.from),
                n: formatNumber(bar.count),
              });
      },
      select: (from, to) => zoomTo(from, to),
    });
    plot.current = drawn;
    const table = new Grid<EventRow>(rows.current, say('rows'), made, {
      open: (index) => {
        const row = made.row(index);
        table.setOpened(index);
        if (row === null) return;
        opened.value = row;
        void getWhole(info.name, row, microsOf(row['@timestamp'])).then((whole) => {
          if (whole !== null && opened.value === row) opened.value = whole;
        });
      },
      seen: () => made.flush(),
    });
    grid.current = table;
    opened.value = null;
    return () => {
      made.dispose();
      drawn.dispose();
      table.dispose();
    };
  }, [info.name, spoken, found, failure, opened]);

  const columnKey = columns.join('\t');
  useEffect(() => {
    const known = columnKey.split('\t').flatMap((name) => fields.filter((f) => f.name === name));
    explorer.current?.setColumns(known.map((f) => f.name));
    grid.current?.setColumns([
      { key: '@timestamp', title: say('time'), unit: '', width: 196, number: false },
      { key: 'device', title: say('device'), unit: '', width: 130, number: false },
      ...known.map(columnOf),
    ]);
  }, [columnKey, info.name, spoken, fields.length]);

  const current = view.value;
  const viewKey = current.mode === 'live' ? `live ${current.span}` : `${current.mode} ${current.from} ${current.to}`;
  useEffect(() => {
    const useFilter = where !== '' && filters.value === true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    const turn = async (keepRows: boolean) => {
      const { from, to } = bounds(view.peek(), live.clock.now());
      windowNow.current = { from: Math.round(from), to: Math.round(to) };
      const selection: Selection = { dataset: info.name, where: useFilter ? where : '', ...windowNow.current };
      const table = grid.current;
      const anchor = keepRows && table !== null ? anchorTime(table, explorer.current) : null;
      if (!document.hidden) await explorer.current?.select(selection, countField, keepRows, anchor);
      if (!stopped && view.peek().mode !== 'paused') timer = setTimeout(() => void turn(true), LIVE_MS);
    };
    void turn(false);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [viewKey, where, info.name, countField, filters.value, spoken]);

  useEffect(() => {
    if (theme.value !== undefined) plot.current?.draw();
  }, [theme.value]);

  const askProfile = async () => {
    if (profiles.value !== true || performance.now() - asked.current < PROFILE_MS) return;
    asked.current = performance.now();
    const answer = await getProfile({ dataset: info.name, where: '', ...windowNow.current });
    if (answer.ok) profile.value = answer.value;
  };
  const addFilter = (filter: string) => setOwn({ where: where === '' ? filter : `${wrapped(where)} and ${filter}` });
  const toggle = (field: string) => {
    const next = columns.includes(field) ? columns.filter((name) => name !== field) : [...columns, field];
    setOwn({ columns: next.join('\t') });
  };
  const selection = (): Selection => ({ dataset: info.name, where, ...windowNow.current });
  const savePicture = async () => {
    const { from, to } = windowNow.current;
    const title = `${info.label === '' ? info.name : info.label} · ${say('matches', { n: formatNumber(found.value?.total ?? 0) })}`;
    const subtitle = `${formatMicros(from).slice(0, 19)} – ${formatMicros(to).slice(0, 19)}   ${where}`;
    const picture = await plot.current?.picture(title, subtitle);
    if (picture) saveFile(`${info.name}.png`, picture);
  };
  const refusal = failure.value?.detail ?? '';
  return (
    <>
      <QueryBar
        where={where}
        apply={(next) => setOwn({ where: next })}
        fields={() => {
          void askProfile();
          return knownFields(info.name, fields, profile.value);
        }}
        refusal={refusal}
      />
      {where !== '' && filters.value === false && <Note tone="warn">{say('noFilter')}</Note>}
      <div class="explore-columns">
        <FieldList
          fields={fields}
          events={Math.max(0, ...fields.map((f) => f.count))}
          columns={columns}
          toggle={toggle}
          profile={profile.value}
          offered={profiles.value}
          add={addFilter}
          opened={() => void askProfile()}
        />
        <div class="explore-main">
          <section class="card">
            <div class="card-head">
              <p class="matches" role="status" data-testid="matches">
                {found.value === null
                  ? say('counting')
                  : say('found', {
                      n: formatNumber(found.value.total),
                      ms: formatMillis(found.value.ms),
                    })}
              </p>
              <span class="hint bar-reading" ref={reading} aria-live="polite" />
              <span class="spring" />
              {info.first_time !== null && info.last_time !== null && (
                <button
                  type="button"
                  class="button small"
                  onClick={() =>
                    setView(pausedAt(view.value, info.first_time as number, (info.last_time as number) + 1))
                  }
                  data-testid="all-data"
                >
                  {say('allData')}
                </button>
              )}
              <a
                class="button small"
                href={exportAddress(selection(), 'csv', [])}
                download={`${info.name}.csv`}
                data-testid="export-csv"
                onClick={(event) => {
                  // The window of now, not of the last rendering.
                  event.currentTarget.href = exportAddress(selection(), 'csv', []);
                }}
              >
                CSV
              </a>
              <button type="button" class="button small" onClick={savePicture} data-testid="export-png">
                PNG
              </button>
            </div>
            <div class="bars" ref={bars} tabIndex={0} role="application" aria-label={say('histogram')} />
          </section>
          <section class="card rows">
            <div class="card-head">
              <h3>{say('rows')}</h3>
              <Jump go={(time) => grid.current?.goTo(explorer.current?.rowAt(time) ?? 0)} />
              <button
                type="button"
                class="button small"
                onClick={() => grid.current?.goTo((found.value?.total ?? 1) - 1)}
              >
                {say('oldest')}
              </button>
              <button type="button" class="button small" onClick={() => grid.current?.goTo(0)}>
                {say('newest')}
              </button>
            </div>
            <div class={opened.value === null ? 'with-detail' : 'with-detail open'}>
              <div class="grid-box" ref={rows} />
              {opened.value !== null && (
                <RowDetail
                  row={opened.value}
                  add={addFilter}
                  close={() => {
                    opened.value = null;
                    grid.current?.setOpened(-1);
                  }}
                />
              )}
            </div>
          </section>
        </div>
      </div>
    </>
  );
}

/** Time of the first row in sight: it stays where it is while newer rows come. */
function anchorTime(grid: Grid<EventRow>, explorer: Explorer | null): number | null {
  const row = explorer?.row(grid.range().first) ?? null;
  return row === null ? null : microsOf(row['@timestamp']);
}

/** A filter with `or` in it must be held together before something is added. */
function wrapped(where: string): string {
  return /\bor\b/i.test(where) ? `(${where})` : where;
}

export default function Explore() {
  const all = datasets.value;
  if (all === null) return null;
  const info = all.find((d) => d.name === dataset.value) ?? all[0];
  if (info === undefined) return <Note>{say('none')}</Note>;
  const schema = schemas.value.get(info.name);
  return (
    <div class="screen explore">
      <div class="screen-head">
        <DatasetChoice all={all} chosen={info.name} />
        <p class="facts">
          <span>{say('events', { n: formatNumber(info.events) })}</span>
          {info.first_time !== null && (
            <span>{say('since', { time: formatMicros(info.first_time).slice(0, 19) })}</span>
          )}
        </p>
      </div>
      {schema !== undefined && <Body key={info.name} info={info} fields={schema.fields} />}
    </div>
  );
}
