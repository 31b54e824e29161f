// One file, or two side by side: what its fields hold, how they run, how they go together, where it was.

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Distribution } from '../../kit/distribution';
import { formatMeasure, formatNumber, formatPercent } from '../../kit/format';
import { Note, Search, Trouble } from '../../kit/kit';
import { formatMicros } from '../../kit/time';
import { setOwn, theme } from '../../state/app';
import { type Readable, TableButton } from '../../view/chart-table';
import { formatDuration } from '../../view/format';
import type { Failure } from '../../wire/call';
import type { FieldProfile } from '../../wire/explore';
import { offers } from '../../wire/features';
import { type FileInfo, type FileProfile, getFileProfile } from '../../wire/files';
import { addSimulation, getSimulations } from '../../wire/fleet';
import { Desk, type Sheet } from './desk';
import { bestPair, drawnFields, RICH } from './pick';
import { MatrixCard, ScatterCard } from './relations';
import { say } from './text';

const FIRST_CHARTS = 12;

function sheetOf(file: FileInfo, profile: FileProfile): Sheet {
  const named = (kind: string) => profile.fields.find((f) => f.kind === kind && f.count > 0)?.name ?? null;
  const from = file.from ?? 0;
  return {
    dataset: file.dataset,
    from,
    to: file.to ?? from + file.rows * 1e6,
    latitude: named('latitude'),
    longitude: named('longitude'),
    fields: new Set(profile.fields.map((field) => field.name)),
  };
}

function Chart({ desk, field, label, unit }: { desk: Desk; field: string; label: string; unit: string }) {
  const box = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLSpanElement>(null);
  const plot = useRef<Readable | null>(null);
  useEffect(() => {
    if (box.current === null) return;
    const made = desk.addChart(box.current, field, `${label} ${unit}`.trim(), (values) => {
      if (value.current === null) return;
      value.current.textContent = values.map((v) => (Number.isNaN(v) ? '–' : formatMeasure(v))).join(' · ');
    });
    plot.current = made.plot;
    return made.remove;
  }, [desk, field, label, unit]);
  return (
    <figure class="card file-chart" data-testid="file-chart">
      <figcaption>
        <span class="title" title={field}>
          {label}
        </span>
        {unit !== '' && <small>{unit}</small>}
        <span class="reading-value" ref={value} />
        <TableButton title={label} panel={plot} />
      </figcaption>
      <div class="file-chart-box" ref={box} tabIndex={0} role="img" aria-label={label} />
    </figure>
  );
}

function Charts({ desk, fields }: { desk: Desk; fields: FieldProfile[] }) {
  const all = useSignal(false);
  const shown = all.value ? fields : fields.slice(0, FIRST_CHARTS);
  return (
    <section aria-label={say('charts')}>
      <div class="file-charts">
        {shown.map((field) => (
          <Chart key={field.name} desk={desk} field={field.name} label={titleOf(field)} unit={field.unit} />
        ))}
      </div>
      {fields.length > FIRST_CHARTS && (
        <button
          type="button"
          class="button wide-button"
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? say('charts.fewer') : say('charts.more', { n: fields.length - FIRST_CHARTS })}
        </button>
      )}
    </section>
  );
}

/** The label leaves out the unit, which stands beside it. */
function titleOf(field: FieldProfile): string {
  return field.label === '' ? field.name : field.label;
}

function quantileOf(profile: FieldProfile | undefined, name: string): number | null {
  const value = profile?.quantiles?.[name];
  return typeof value === 'number' ? value : null;
}

function figure(value: unknown): string {
  return typeof value === 'number' ? formatMeasure(value) : typeof value === 'string' ? value : '–';
}

function Delta({ a, b }: { a: FieldProfile; b: FieldProfile | undefined }) {
  if (typeof a.mean !== 'number' || typeof b?.mean !== 'number') return <td class="number">–</td>;
  const delta = b.mean - a.mean;
  return (
    <td class="number">
      {delta > 0 ? '+' : ''}
      {formatMeasure(delta)}
    </td>
  );
}

function ProfileRow({
  field,
  other,
  compare,
}: {
  field: FieldProfile;
  other: FieldProfile | undefined;
  compare: boolean;
}) {
  const top = field.top.slice(0, 3).map((t) => String(t.value));
  return (
    <tr>
      <th scope="row">
        {titleOf(field)} {field.unit !== '' && <small>{field.unit}</small>}
      </th>
      <td>{say(`type.${field.type}`)}</td>
      <td class="number">
        <span class={field.missing_percent > 50 ? 'missing much' : 'missing'}>
          {formatPercent(field.missing_percent / 100)}
        </span>
      </td>
      <td class="distribution-cell">
        {field.histogram !== undefined && field.histogram.counts.length > 1 ? (
          <Distribution histogram={field.histogram} label={say('profile.distributionOf', { field: field.name })} />
        ) : (
          <small>{top.join(', ')}</small>
        )}
      </td>
      <td class="number">{figure(field.min)}</td>
      <td class="number">{figure(quantileOf(field, 'p50'))}</td>
      <td class="number">{figure(field.mean)}</td>
      <td class="number">{figure(field.max)}</td>
      <td class="number">{figure(field.stddev)}</td>
      <td class="number">{figure(field.distinct)}</td>
      {compare && (
        <>
          <td class="number">{figure(other?.min)}</td>
          <td class="number">{figure(other?.mean)}</td>
          <td class="number">{figure(other?.max)}</td>
          <Delta a={field} b={other} />
        </>
      )}
    </tr>
  );
}

type ProfileOrder = 'file' | 'name' | 'missing' | 'distinct';

function sortedBy(order: ProfileOrder, fields: readonly FieldProfile[]): FieldProfile[] {
  if (order === 'name') return fields.toSorted((a, b) => titleOf(a).localeCompare(titleOf(b)));
  if (order === 'missing') return fields.toSorted((a, b) => b.missing - a.missing);
  if (order === 'distinct') return fields.toSorted((a, b) => b.distinct - a.distinct);
  return [...fields];
}

function ProfileTable({ profile, other }: { profile: FileProfile; other: FileProfile | null }) {
  const search = useSignal('');
  const order = useSignal<ProfileOrder>('file');
  const used = profile.fields.filter((f) => f.count > 0);
  const empty = profile.fields.length - used.length;
  const wanted = search.value.toLowerCase();
  const shown = sortedBy(order.value, used).filter((f) =>
    `${f.name} ${f.label} ${f.unit}`.toLowerCase().includes(wanted),
  );
  const compare = other !== null;
  const head = (text: string) => (
    <th scope="col" class="number">
      {text}
    </th>
  );
  return (
    <section class="card" data-testid="profile">
      <div class="card-head">
        <h3>{say('profile.title')}</h3>
        <span class="hint">{say('profile.used', { used: used.length, all: profile.fields.length, empty })}</span>
        <select
          class="field-select small"
          aria-label={say('profile.order')}
          value={order.value}
          onChange={(event) => {
            order.value = event.currentTarget.value as ProfileOrder;
          }}
        >
          <option value="file">{say('profile.byFile')}</option>
          <option value="name">{say('profile.byName')}</option>
          <option value="missing">{say('profile.byMissing')}</option>
          <option value="distinct">{say('profile.byDistinct')}</option>
        </select>
        <Search label={say('profile.search')} text={search} size="small" />
      </div>
      <div class="scroll-x tall profile-scroll" tabIndex={0} role="region" aria-label={say('profile.title')}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{say('profile.field')}</th>
              <th scope="col">{say('profile.type')}</th>
              {head(say('profile.missing'))}
              <th scope="col">{say('profile.distribution')}</th>
              {head(say('profile.min'))}
              {head(say('profile.median'))}
              {head(say('profile.mean'))}
              {head(say('profile.max'))}
              {head(say('profile.stddev'))}
              {head(say('profile.distinct'))}
              {compare && (
                <>
                  {head(say('profile.otherMin'))}
                  {head(say('profile.otherMean'))}
                  {head(say('profile.otherMax'))}
                  {head(say('profile.delta'))}
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {shown.map((field) => (
              <ProfileRow
                key={field.name}
                field={field}
                other={other?.fields.find((f) => f.name === field.name)}
                compare={compare}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function StreamIt({ file }: { file: FileInfo }) {
  const failure = useSignal<Failure | null>(null);
  const running = useSignal(false);
  const stream = async () => {
    const all = await getSimulations();
    const before = all.ok ? all.value.simulations.find((s) => s.prototype === file.prototype) : undefined;
    if (before === undefined) {
      const answer = await addSimulation({ prototype: file.prototype, period: 'recorded' });
      failure.value = answer.ok ? null : answer;
      if (!answer.ok) return;
    }
    running.value = true;
  };
  return (
    <>
      {running.value ? (
        <a class="button strong" href="#/devices" data-testid="streaming">
          {say('stream.running')}
        </a>
      ) : (
        <button type="button" class="button strong" onClick={stream} data-testid="stream-it">
          {say('stream.it')}
        </button>
      )}
      <Trouble failure={failure.value} />
    </>
  );
}

function Header({ file, other, files }: { file: FileInfo; other: FileInfo | null; files: FileInfo[] }) {
  const { from, to } = file;
  return (
    <div class="screen-head">
      <button type="button" class="button" onClick={() => setOwn({ file: '', versus: '', x: '', y: '' })}>
        {say('back')}
      </button>
      <h2>{file.name}</h2>
      <p class="facts">
        <span>{say('file.rows', { n: formatNumber(file.rows) })}</span>
        <span>{say('file.columns', { n: formatNumber(file.columns) })}</span>
        {from !== null && to !== null && (
          <span>
            {formatMicros(from).slice(0, 19)} · {formatDuration(to - from)}
          </span>
        )}
        {file.rejected > 0 && <span class="badge bad">{say('file.bad', { n: formatNumber(file.rejected) })}</span>}
      </p>
      <label class="row-of">
        <span class="hint">{say('compare')}</span>
        <select
          class="field-select compare"
          value={other === null ? '' : String(other.id)}
          onChange={(event) => setOwn({ versus: event.currentTarget.value })}
          data-testid="compare"
        >
          <option value="">{say('compare.none')}</option>
          {files
            .filter((f) => f.id !== file.id)
            .map((f) => (
              <option key={f.id} value={String(f.id)}>
                {f.name}
              </option>
            ))}
        </select>
      </label>
      <StreamIt file={file} />
    </div>
  );
}

interface Known {
  profile: FileProfile;
  other: FileProfile | null;
}

function Sheets({
  file,
  other,
  known,
  pair,
}: {
  file: FileInfo;
  other: FileInfo | null;
  known: Known;
  pair: { x: string; y: string };
}) {
  const failure = useSignal<Failure | null>(null);
  const marked = useSignal(0);
  const rows = useSignal({ count: 0, more: false });
  const zoomed = useSignal(false);
  // The list of files is asked for again and again: the same file comes as another object.
  const files = useRef({ file, other });
  files.current = { file, other };
  const desk = useMemo(() => {
    const { file, other } = files.current;
    const sheets = [sheetOf(file, known.profile)];
    if (other !== null && known.other !== null) sheets.push(sheetOf(other, known.other));
    return new Desk(sheets, {
      failed: (problem) => {
        failure.value = problem;
      },
      marked: (count) => {
        marked.value = count;
      },
      rows: (count, more) => {
        rows.value = { count, more };
      },
      zoomed: (span) => {
        zoomed.value = span !== null;
      },
    });
  }, [known, failure, marked, rows, zoomed]);
  useEffect(() => () => desk.dispose(), [desk]);
  useEffect(() => {
    if (theme.value !== undefined) desk.redraw();
  }, [desk, theme.value]);
  const fields = drawnFields(known.profile);
  const names = fields.map((f) => f.name);
  const correlations = known.profile.correlations ?? [];
  const rich = fields.filter((f) => f.distinct >= RICH).map((f) => f.name);
  const best = bestPair(correlations, rich, known.profile.events);
  const x = names.includes(pair.x) ? pair.x : (best?.a ?? names[0] ?? '');
  const y = names.includes(pair.y) ? pair.y : (best?.b ?? names[1] ?? names[0] ?? '');
  const choose = (nextX: string, nextY: string) => setOwn({ x: nextX, y: nextY });
  const track = useRef<HTMLDivElement>(null);
  const hasTrack = known.profile.fields.some((f) => f.kind === 'latitude' && f.count > 0);
  useEffect(() => (track.current === null ? undefined : desk.addTrack(track.current)), [desk]);
  return (
    <>
      <Trouble failure={failure.value} />
      <ProfileTable profile={known.profile} other={known.other} />
      <div class="sheets">
        <div class="sheets-left">
          <div class="screen-head slim">
            <h2>{say('charts')}</h2>
            {other !== null && <span class="hint">{say('compare.aligned')}</span>}
            {zoomed.value && (
              <button type="button" class="button small" onClick={() => desk.zoom(null)}>
                {say('charts.whole')}
              </button>
            )}
          </div>
          <Charts desk={desk} fields={fields} />
        </div>
        <div class="sheets-right">
          {names.length > 1 && (
            <ScatterCard
              desk={desk}
              fields={names}
              x={x}
              y={y}
              choose={choose}
              r={correlations.find((c) => (c.a === x && c.b === y) || (c.a === y && c.b === x))}
              marked={marked.value}
              rows={rows.value}
            />
          )}
          {hasTrack && (
            <section class="card track-card" data-testid="track">
              <div class="card-head">
                <h3>{say('track')}</h3>
              </div>
              <div class="track-box" ref={track} role="img" aria-label={say('track.label', { file: file.name })} />
            </section>
          )}
          {correlations.length > 0 && (
            <MatrixCard correlations={correlations} rows={known.profile.events} open={choose} />
          )}
        </div>
      </div>
    </>
  );
}

export function Analysis({
  file,
  other,
  files,
  pair,
}: {
  file: FileInfo;
  other: FileInfo | null;
  files: FileInfo[];
  pair: { x: string; y: string };
}) {
  const known = useSignal<Known | null>(null);
  const failure = useSignal<Failure | null>(null);
  const offered = useSignal(true);
  // The list is asked for again and again; the file is the same while its dataset is.
  const [dataset, second] = [file.dataset, other?.dataset ?? null];
  useEffect(() => {
    const abort = new AbortController();
    known.value = null;
    failure.value = null;
    const ask = async () => {
      offered.value = await offers('get', '/datasets/{dataset}/profile');
      if (!offered.value) return;
      const [profile, otherProfile] = await Promise.all([
        getFileProfile(dataset, abort.signal),
        second === null ? null : getFileProfile(second, abort.signal),
      ]);
      if (abort.signal.aborted) return;
      if (!profile.ok) failure.value = profile;
      else known.value = { profile: profile.value, other: otherProfile?.ok ? otherProfile.value : null };
    };
    void ask();
    return () => abort.abort();
  }, [dataset, second, known, failure, offered]);
  return (
    <>
      <Header file={file} other={other} files={files} />
      <Trouble failure={failure.value} />
      {!offered.value && <Note tone="warn">{say('profile.absent')}</Note>}
      {offered.value && known.value === null && failure.value === null && <Note>{say('profile.reading')}</Note>}
      {known.value !== null && (
        <Sheets key={`${file.id} ${other?.id}`} file={file} other={other} known={known.value} pair={pair} />
      )}
    </>
  );
}
