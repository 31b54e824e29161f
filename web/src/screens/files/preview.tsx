// What an uploaded file holds, as the server understood it, with everything that can be said otherwise; then loading it.

import { useSignal } from '@preact/signals';
import { formatBytes, formatNumber, formatPercent, microsOf } from '../../kit/format';
import { Meter, Note, Trouble } from '../../kit/kit';
import { formatInstantExact } from '../../kit/time';
import { formatDuration } from '../../view/format';
import type { Choices, ImportStatus, Preview, PreviewColumn } from '../../wire/imports';
import { codeOf, merged } from './choices';
import { type FilesKey, say } from './text';
import { dismiss, type Incoming, load, look } from './uploads';

const TYPES = ['integer', 'float', 'boolean', 'text', 'json', 'skip'] as const;
const SEPARATORS: [string, string][] = [
  [',', ','],
  [';', ';'],
  ['\t', 'tab'],
  ['|', '|'],
  [' ', 'blank'],
];
const SHOWN_ROWS = 8;
const SHOWN_ERRORS = 20;

function separatorWord(separator: string): string {
  return SEPARATORS.find(([sign]) => sign === separator)?.[1] ?? separator;
}

function Facts({ preview, choose }: { preview: Preview; choose: (choices: Choices) => void }) {
  const known = SEPARATORS.some(([sign]) => sign === preview.separator);
  const separators = known ? SEPARATORS : [...SEPARATORS, [preview.separator, preview.separator] as [string, string]];
  const from = preview.first_time === null ? Number.NaN : microsOf(preview.first_time);
  const to = preview.last_time === null ? Number.NaN : microsOf(preview.last_time);
  return (
    <dl class="facts-list import-facts">
      <div>
        <dt>{say('preview.separator')}</dt>
        <dd>
          <select
            class="field-select small"
            aria-label={say('preview.separator')}
            value={separatorWord(preview.separator)}
            onChange={(event) =>
              choose({ separator: event.currentTarget.value === 'blank' ? ' ' : event.currentTarget.value })
            }
            data-testid="separator"
          >
            {separators.map(([sign, word]) => (
              <option key={word} value={word}>
                {sign === '\t' ? say('preview.tab') : sign === ' ' ? say('preview.blank') : sign}
              </option>
            ))}
          </select>
        </dd>
      </div>
      <div>
        <dt>{say('preview.time')}</dt>
        <dd>
          <select
            class="field-select small"
            aria-label={say('preview.time')}
            value={preview.time_column}
            onChange={(event) => choose({ time_column: event.currentTarget.value })}
            data-testid="time-column"
          >
            <option value="">{say('preview.noTime')}</option>
            {[...new Set([preview.time_column, ...preview.time_candidates])]
              .filter((name) => name !== '')
              .map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
          </select>
        </dd>
      </div>
      <div>
        <dt>{say('preview.order')}</dt>
        <dd>
          <select
            class="field-select small"
            aria-label={say('preview.order')}
            value={preview.date_order === '' ? 'day' : preview.date_order}
            onChange={(event) => choose({ date_order: event.currentTarget.value })}
          >
            <option value="day">{say('preview.day')}</option>
            <option value="month">{say('preview.month')}</option>
          </select>
        </dd>
      </div>
      <div>
        <dt>{say('preview.rows')}</dt>
        <dd data-testid="preview-rows">{formatNumber(preview.rows)}</dd>
      </div>
      <div>
        <dt>{say('preview.bad')}</dt>
        <dd class={preview.rejected > 0 ? 'bad' : ''} data-testid="preview-bad">
          {formatNumber(preview.rejected)}
        </dd>
      </div>
      <div>
        <dt>{say('preview.encoding')}</dt>
        <dd>{preview.encoding}</dd>
      </div>
      {!Number.isNaN(from) && (
        <div class="wide">
          <dt>{say('preview.span')}</dt>
          <dd>
            {formatInstantExact(preview.first_time ?? '').slice(0, 19)}{' '}
            <small>{Number.isNaN(to) ? '' : formatDuration(to - from)}</small>
          </dd>
        </div>
      )}
    </dl>
  );
}

function Column({
  column,
  rows,
  choose,
}: {
  column: PreviewColumn;
  rows: number;
  choose: (change: { type?: string; unit?: string }) => void;
}) {
  const missing = rows === 0 ? 0 : 1 - Math.min(column.values / rows, 1);
  return (
    <tr class={column.type === 'skip' ? 'is-hidden' : ''}>
      <th scope="row">
        {column.name}
        {column.time && <span class="badge new">{say('preview.isTime')}</span>}
      </th>
      <td>
        {column.type === null ? (
          <small>{say('preview.empty')}</small>
        ) : (
          <select
            class="field-select small"
            aria-label={say('preview.typeOf', { column: column.name })}
            value={column.type}
            onChange={(event) => choose({ type: event.currentTarget.value })}
          >
            {TYPES.map((type) => (
              <option key={type} value={type}>
                {say(`type.${type}`)}
              </option>
            ))}
            {!TYPES.includes(column.type as (typeof TYPES)[number]) && (
              <option value={column.type}>{column.type}</option>
            )}
          </select>
        )}
      </td>
      <td>
        <input
          class="field-input small unit-input"
          aria-label={say('preview.unitOf', { column: column.name })}
          value={column.unit}
          onChange={(event) => choose({ unit: event.currentTarget.value })}
        />
      </td>
      <td class="number">{formatPercent(missing)}</td>
      <td class="samples">
        <small>{column.samples.slice(0, 4).join('  ')}</small>
      </td>
    </tr>
  );
}

function Columns({ preview, choose }: { preview: Preview; choose: (choices: Choices) => void }) {
  return (
    <div
      class="scroll-x tall import-columns"
      tabIndex={0}
      role="region"
      aria-label={say('preview.columns', { n: preview.columns.length })}
    >
      <table class="plain" data-testid="preview-columns">
        <thead>
          <tr>
            <th scope="col">{say('preview.columns', { n: preview.columns.length })}</th>
            <th scope="col">{say('preview.type')}</th>
            <th scope="col">{say('preview.unit')}</th>
            <th scope="col" class="number">
              {say('preview.missing')}
            </th>
            <th scope="col">{say('preview.samples')}</th>
          </tr>
        </thead>
        <tbody>
          {preview.columns.map((column) => (
            <Column
              key={column.name}
              column={column}
              rows={preview.rows}
              choose={(change) => choose({ columns: [{ column: column.name, ...change }] })}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FirstRows({ preview }: { preview: Preview }) {
  return (
    <details class="import-details">
      <summary>{say('preview.firstRows')}</summary>
      <div class="scroll-x" tabIndex={0} role="region" aria-label={say('preview.firstRows')}>
        <table class="plain">
          <thead>
            <tr>
              {preview.columns.map((column) => (
                <th key={column.name} scope="col">
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.first_rows.slice(0, SHOWN_ROWS).map((row, i) => (
              <tr key={`${i}${row[0]}`}>
                {row.map((cell, c) => (
                  <td key={`${c}${cell}`}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function Errors({ preview }: { preview: Preview }) {
  if (preview.errors.length === 0) return null;
  return (
    <details class="import-details" data-testid="preview-errors">
      <summary>{say('preview.errors', { n: formatNumber(preview.rejected) })}</summary>
      <ul>
        {preview.errors.slice(0, SHOWN_ERRORS).map((error) => (
          <li key={error.line}>
            <b>{say('preview.line', { n: error.line })}</b> {error.reason}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Review({ one, preview, done }: { one: Incoming; preview: Preview; done: (status: ImportStatus) => void }) {
  const choices = useSignal<Choices>({});
  const code = useSignal(codeOf(one.name));
  const label = useSignal('');
  const choose = (more: Choices) => {
    choices.value = merged(choices.value, more);
    void look(one, choices.value);
  };
  const accept = async (event: Event) => {
    event.preventDefault();
    const status = await load(one, {
      ...choices.value,
      prototype: code.value.trim(),
      ...(label.value.trim() === '' ? {} : { label: label.value.trim() }),
    });
    if (status !== null) done(status);
  };
  return (
    <div class="review" data-testid="preview">
      <Facts preview={preview} choose={choose} />
      <Columns preview={preview} choose={choose} />
      <Errors preview={preview} />
      <FirstRows preview={preview} />
      <form class="controls accept" onSubmit={accept}>
        <label class="field-label">
          {say('accept.code')}
          <input
            class="field-input"
            required
            value={code.value}
            onInput={(event) => {
              code.value = event.currentTarget.value;
            }}
            data-testid="accept-code"
          />
        </label>
        <label class="field-label">
          {say('accept.label')}
          <input
            class="field-input"
            value={label.value}
            placeholder={code.value}
            onInput={(event) => {
              label.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="submit" class="button strong" data-testid="accept">
          {say('accept.load', { n: formatNumber(preview.rows) })}
        </button>
        <button type="button" class="button" onClick={() => void dismiss(one)}>
          {say('accept.discard')}
        </button>
      </form>
    </div>
  );
}

function stageText(one: Incoming): string {
  const { status, progress } = one;
  if (progress !== null)
    return say('stage.sending', {
      done: formatBytes(progress.bytes),
      all: formatBytes(progress.total),
      speed: formatBytes(progress.speed),
    });
  return status === null ? say('stage.begin') : say(`stage.${status.state}` as FilesKey);
}

function partOf(one: Incoming): number {
  const { status, progress } = one;
  if (progress !== null) return progress.total === 0 ? 1 : progress.bytes / progress.total;
  if (status === null || status.bytes_total === 0) return 0;
  return status.state === 'done' ? 1 : status.bytes_done / status.bytes_total;
}

export function IncomingCard({ one, done }: { one: Incoming; done: (status: ImportStatus) => void }) {
  const preview = one.status?.state === 'preview' ? one.status.preview : undefined;
  const ended = one.status !== null && ['done', 'failed', 'cancelled'].includes(one.status.state);
  return (
    <section class="card incoming" aria-label={one.name}>
      <div class="card-head">
        <h3>{one.name}</h3>
        <span class="hint">{formatBytes(one.size)}</span>
        <span class="hint" role="status" data-testid="stage">
          {stageText(one)}
        </span>
        {preview === undefined && (
          <button type="button" class="button small" onClick={() => void dismiss(one)}>
            {ended ? say('close') : say('cancel')}
          </button>
        )}
      </div>
      {!ended && preview === undefined && (
        <div class="incoming-meter">
          <Meter part={partOf(one)} label={say('stage.progress', { name: one.name })} />
        </div>
      )}
      <Trouble failure={one.failure} />
      {one.status?.problem !== undefined && <Note tone="bad">{one.status.problem}</Note>}
      {preview !== undefined && <Review key={one.key} one={one} preview={preview} done={done} />}
    </section>
  );
}
