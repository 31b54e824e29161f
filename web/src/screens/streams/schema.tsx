// A dataset's schema: its fields with what people said of them, its versions, its conflicts, how it takes drift.

import { useSignal } from '@preact/signals';
import { formatNumber, formatShort } from '../../kit/format';
import { Note, Segments, Trouble, usePoll } from '../../kit/kit';
import { formatInstantExact, formatMicros } from '../../kit/time';
import type { Failure } from '../../wire/call';
import { FIELD_KINDS, type FieldKind } from '../../wire/kinds';
import {
  type Compatibility,
  editField,
  type FullSchema,
  getFullSchema,
  getVersions,
  type SchemaChange,
  type SchemaDetail,
  type SchemaVersion,
  setCompatibility,
} from '../../wire/streams';
import { type Difference, difference } from './difference';
import { type StreamsKey, say } from './text';

const POLL_MS = 2_500;
const COMPATIBILITIES: readonly Compatibility[] = ['adaptive', 'additive', 'strict'];
/** A field is new when it came later than this after the first ones, and not longer ago than that; µs. */
const NEW_AFTER = 5_000_000;
const NEW_FOR = 86_400_000_000;

function CompatibilitySwitch({ schema, changed }: { schema: FullSchema; changed: () => void }) {
  const failure = useSignal<Failure | null>(null);
  const choose = async (compatibility: Compatibility) => {
    const answer = await setCompatibility(schema.dataset, compatibility);
    failure.value = answer.ok ? null : answer;
    changed();
  };
  return (
    <div class="compatibility">
      <Segments
        label={say('schema.compatibility')}
        value={schema.compatibility}
        choices={COMPATIBILITIES.map((name) => ({ name, text: say(`schema.${name}`) }))}
        choose={choose}
      />
      <span class="hint">{say(`schema.${schema.compatibility}Does` as StreamsKey)}</span>
      <Trouble failure={failure.value} />
    </div>
  );
}

function Editor({ dataset, field, done }: { dataset: string; field: SchemaDetail; done: () => void }) {
  const label = useSignal(field.label);
  const unit = useSignal(field.unit);
  const kind = useSignal<FieldKind>(field.kind);
  const group = useSignal(field.group);
  const description = useSignal(field.description);
  const hidden = useSignal(field.hidden);
  const failure = useSignal<Failure | null>(null);
  const save = async (event: Event) => {
    event.preventDefault();
    const edit = {
      ...(label.value === field.label ? {} : { label: label.value === '' ? null : label.value }),
      ...(unit.value === field.unit ? {} : { unit: unit.value }),
      ...(kind.value === field.kind ? {} : { kind: kind.value }),
      ...(group.value === field.group ? {} : { group: group.value === '' ? null : group.value }),
      ...(description.value === field.description ? {} : { description: description.value }),
      ...(hidden.value === field.hidden ? {} : { hidden: hidden.value }),
    };
    if (Object.keys(edit).length === 0) return done();
    const answer = await editField(dataset, field.name, edit);
    if (answer.ok) done();
    else failure.value = answer;
  };
  const text = (name: StreamsKey, value: { value: string }) => (
    <label class="field-label">
      {say(name)}
      <input
        class="field-input"
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
        autocomplete="off"
      />
    </label>
  );
  return (
    <tr class="editor">
      <td colSpan={8}>
        <form class="row-of" onSubmit={save} aria-label={say('schema.editing', { field: field.name })}>
          {text('schema.label', label)}
          {text('schema.unit', unit)}
          <label class="field-label">
            {say('schema.kind')}
            <select
              class="field-select"
              value={kind.value}
              onChange={(event) => {
                kind.value = event.currentTarget.value as FieldKind;
              }}
            >
              {FIELD_KINDS.map((name) => (
                <option key={name} value={name}>
                  {say(`kind.${name}` as StreamsKey)}
                </option>
              ))}
            </select>
          </label>
          {text('schema.group', group)}
          {text('schema.description', description)}
          <label class="check">
            <input
              type="checkbox"
              checked={hidden.value}
              onChange={(event) => {
                hidden.value = event.currentTarget.checked;
              }}
            />
            {say('schema.hide')}
          </label>
          <span class="row-of end">
            <button type="submit" class="button strong">
              {say('save')}
            </button>
            <button type="button" class="button" onClick={done}>
              {say('cancel')}
            </button>
          </span>
        </form>
        <Trouble failure={failure.value} />
      </td>
    </tr>
  );
}

function TypeCell({ field }: { field: SchemaDetail }) {
  if (field.null_only) return <>{say('schema.nullOnly')}</>;
  if (field.base_type === field.type) return <>{say(`type.${field.type}`)}</>;
  return (
    <>
      <small>{say(`type.${field.base_type}`)} → </small>
      {say(`type.${field.type}`)}
    </>
  );
}

function Conflicts({ field }: { field: SchemaDetail }) {
  if (field.conflicts.length === 0) return null;
  return (
    <details class="conflicts">
      <summary>
        <span class="badge warn">{say('schema.conflicts', { n: field.conflicts.length })}</span>
      </summary>
      <ul>
        {field.conflicts.map((c) => (
          <li key={`${c.to}${c.source}`}>
            {say('schema.conflict', {
              count: formatNumber(c.count),
              refused: formatNumber(c.refused),
              type: say(`type.${c.to}`),
              sample: c.sample,
              device: c.device,
              time: formatMicros(c.last_time),
            })}
          </li>
        ))}
      </ul>
    </details>
  );
}

function FieldRow({ field, oldest, edit }: { field: SchemaDetail; oldest: number; edit: () => void }) {
  const isNew = field.first_seen - oldest > NEW_AFTER && Date.now() * 1_000 - field.first_seen < NEW_FOR;
  return (
    <tr class={field.hidden ? 'is-hidden' : ''}>
      <th scope="row">
        {field.name}
        {isNew && <span class="badge new">{say('schema.new')}</span>}
        {field.label !== field.name && field.label !== '' && <small class="block">{field.label}</small>}
      </th>
      <td>
        <TypeCell field={field} />
      </td>
      <td>{field.unit}</td>
      <td>{say(`kind.${field.kind}` as StreamsKey)}</td>
      <td>{field.group}</td>
      <td class="number">{formatShort(field.count)}</td>
      <td>
        <small>
          v{field.added_in} · {formatMicros(field.first_seen).slice(0, 19)}
        </small>
      </td>
      <td class="row-actions">
        <Conflicts field={field} />
        <button
          type="button"
          class="button small quiet"
          onClick={edit}
          aria-label={say('schema.edit', { field: field.name })}
        >
          {say('edit')}
        </button>
      </td>
    </tr>
  );
}

function Fields({ schema, changed }: { schema: FullSchema; changed: () => void }) {
  const search = useSignal('');
  const editing = useSignal<string | null>(null);
  const wanted = search.value.toLowerCase();
  const oldest = Math.min(...schema.fields.map((f) => f.first_seen));
  const shown = schema.fields.filter((f) => `${f.name} ${f.label} ${f.unit}`.toLowerCase().includes(wanted));
  return (
    <section class="card">
      <div class="card-head">
        <h3>{say('schema.fields', { n: schema.fields.length })}</h3>
        <input
          class="field-input"
          type="search"
          aria-label={say('schema.search')}
          placeholder={say('schema.search')}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
      </div>
      <div
        class="scroll-x tall"
        tabIndex={0}
        role="region"
        aria-label={say('schema.fields', { n: schema.fields.length })}
      >
        <table class="plain" data-testid="fields">
          <thead>
            <tr>
              <th scope="col">{say('schema.field')}</th>
              <th scope="col">{say('schema.type')}</th>
              <th scope="col">{say('schema.unit')}</th>
              <th scope="col">{say('schema.kind')}</th>
              <th scope="col">{say('schema.group')}</th>
              <th scope="col" class="number">
                {say('schema.values')}
              </th>
              <th scope="col">{say('schema.since')}</th>
              <th scope="col">
                <span class="visually-hidden">{say('actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((field) =>
              editing.value === field.name ? (
                <Editor
                  key={`${field.name} edit`}
                  dataset={schema.dataset}
                  field={field}
                  done={() => {
                    editing.value = null;
                    changed();
                  }}
                />
              ) : (
                <FieldRow
                  key={field.name}
                  field={field}
                  oldest={oldest}
                  edit={() => {
                    editing.value = field.name;
                  }}
                />
              ),
            )}
          </tbody>
        </table>
        {shown.length === 0 && <Note>{say('schema.noField')}</Note>}
      </div>
    </section>
  );
}

function Change({ change }: { change: SchemaChange | Difference }) {
  return (
    <li>
      <span class={`badge ${change.change === 'added' ? 'good' : change.change === 'widened' ? 'warn' : ''}`}>
        {say(`change.${change.change}` as StreamsKey)}
      </span>{' '}
      <b>{change.field}</b> {change.from === undefined ? change.to : `${change.from} → ${change.to}`}
      {change.sample !== undefined && change.sample !== '' && (
        <small> {say('versions.by', { sample: change.sample })}</small>
      )}
      {'version' in change && (
        <small class="block">
          {say('versions.made', {
            version: change.version,
            device: change.device === '' ? '–' : change.device,
            time: formatInstantExact(change.time),
          })}
        </small>
      )}
    </li>
  );
}

const SHOWN_CHANGES = 8;

function Version({ version, newest }: { version: SchemaVersion; newest: boolean }) {
  const all = useSignal(false);
  const changes = all.value ? version.changes : version.changes.slice(0, SHOWN_CHANGES);
  return (
    <li class="version">
      <div class="row-of">
        <b>v{version.version}</b>
        {newest && <span class="badge new">{say('versions.current')}</span>}
        <small>{formatInstantExact(version.time)}</small>
      </div>
      <small class="block">
        {say('versions.from', {
          device: version.device === '' ? '–' : version.device,
          source: version.source === '' ? '–' : version.source,
          fields: version.fields,
        })}
      </small>
      <ul>
        {changes.map((change) => (
          <Change key={change.field + change.change} change={change} />
        ))}
      </ul>
      {version.changes.length > SHOWN_CHANGES && (
        <button
          type="button"
          class="button small quiet"
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? say('versions.fewer') : say('versions.more', { n: version.changes.length - SHOWN_CHANGES })}
        </button>
      )}
    </li>
  );
}

function Versions({ versions }: { versions: SchemaVersion[] }) {
  const ordered = versions.toSorted((a, b) => b.version - a.version);
  const newest = ordered[0]?.version ?? 0;
  const oldest = ordered[ordered.length - 1]?.version ?? 0;
  const from = useSignal<number | null>(null);
  const to = useSignal<number | null>(null);
  const choose = (target: { value: number | null }, label: string, value: number) => (
    <select
      class="field-select small"
      aria-label={label}
      value={value}
      onChange={(event) => {
        target.value = Number(event.currentTarget.value);
      }}
    >
      {ordered.map((v) => (
        <option key={v.version} value={v.version}>
          v{v.version}
        </option>
      ))}
    </select>
  );
  const changes = difference(versions, from.value ?? oldest, to.value ?? newest);
  return (
    <section class="card versions" data-testid="versions">
      <div class="card-head">
        <h3>{say('versions.title', { n: versions.length })}</h3>
        {ordered.length > 1 && (
          <span class="row-of">
            {choose(from, say('versions.compareFrom'), from.value ?? oldest)}
            <span aria-hidden="true">→</span>
            {choose(to, say('versions.compareTo'), to.value ?? newest)}
          </span>
        )}
      </div>
      {(from.value !== null || to.value !== null) && (
        <div class="difference" data-testid="difference">
          {changes.length === 0 ? (
            <Note>{say('versions.same')}</Note>
          ) : (
            <ul>
              {changes.map((change) => (
                <Change key={change.field} change={change} />
              ))}
            </ul>
          )}
        </div>
      )}
      <ol class="scroll-y">
        {ordered.map((version) => (
          <Version key={version.version} version={version} newest={version.version === newest} />
        ))}
      </ol>
    </section>
  );
}

export function Schema({ dataset }: { dataset: string }) {
  const schema = useSignal<FullSchema | null>(null);
  const versions = useSignal<SchemaVersion[]>([]);
  const failure = useSignal<Failure | null>(null);
  const refresh = async (signal?: AbortSignal) => {
    const [now, past] = await Promise.all([getFullSchema(dataset, signal), getVersions(dataset, signal)]);
    if (now.ok) schema.value = now.value;
    if (past.ok) versions.value = past.value.versions;
    failure.value = now.ok ? null : now;
  };
  usePoll(POLL_MS, refresh, dataset);
  const known = schema.value;
  if (known === null || known.dataset !== dataset) return <Trouble failure={failure.value} />;
  const address = `/api/v1/datasets/${encodeURIComponent(dataset)}/schema`;
  return (
    <>
      <div class="card schema-head">
        <CompatibilitySwitch schema={known} changed={() => void refresh()} />
        <span class="spring" />
        {known.conflicts > 0 && (
          <span class="badge warn">{say('schema.conflictsAll', { n: formatNumber(known.conflicts) })}</span>
        )}
        <a class="button small" href={`${address}?format=xml`} download={`${dataset}.xml`}>
          XML
        </a>
        <a class="button small" href={`${address}?format=jsonschema`} download={`${dataset}.schema.json`}>
          JSON Schema
        </a>
      </div>
      <div class="schema-columns">
        <Fields schema={known} changed={() => void refresh()} />
        <Versions versions={versions.value} />
      </div>
    </>
  );
}
