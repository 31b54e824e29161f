// The fields of a dataset: what each is, how much of it is missing, what it holds most; a click makes it a column.

import { useSignal } from '@preact/signals';
import { Distribution } from '../../kit/distribution';
import { formatMeasure, formatNumber, formatPercent, formatShort } from '../../kit/format';
import { Note, Search, Share } from '../../kit/kit';
import { quoteField, quoteValue } from '../../query/complete';
import type { FieldProfile, Profile } from '../../wire/explore';
import type { SchemaField } from '../../wire/rest';
import { say } from './text';

const TYPE_SIGN: Record<string, string> = { integer: '#', float: '#', text: 'T', boolean: '◐', json: '{}' };

export type Order = 'name' | 'missing' | 'schema';

/** Part of the events without a value. */
export function missingOf(field: SchemaField, events: number): number | null {
  if (events <= 0) return null;
  return Math.min(Math.max(1 - field.count / events, 0), 1);
}

export function ordered(fields: readonly SchemaField[], order: Order): SchemaField[] {
  if (order === 'name') return fields.toSorted((a, b) => a.name.localeCompare(b.name));
  if (order === 'missing') return fields.toSorted((a, b) => b.count - a.count || a.name.localeCompare(b.name));
  return [...fields];
}

function filterFor(field: SchemaField, value: unknown): string {
  const written = typeof value === 'string' ? quoteValue(value) : String(value);
  return `${quoteField(field.name)} = ${written}`;
}

/** As it is written, without the digits that only the arithmetic of doubles has made. */
function shortValue(value: unknown): string {
  const text = String(value);
  return typeof value === 'number' && text.length > 11 ? String(Number(value.toPrecision(8))) : text;
}

function Figures({ profile }: { profile: FieldProfile }) {
  const figures: [string, string][] = [];
  const put = (name: string, value: unknown) => {
    if (typeof value === 'number') figures.push([name, formatMeasure(value)]);
    else if (typeof value === 'string' && value !== '') figures.push([name, value]);
  };
  put(say('field.min'), profile.min);
  put(say('field.max'), profile.max);
  put(say('field.mean'), profile.mean);
  put(say('field.stddev'), profile.stddev);
  put(say('field.median'), profile.quantiles?.p50);
  put(say('field.distinct'), profile.distinct);
  return (
    <dl class="field-figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Top({ field, profile, add }: { field: SchemaField; profile: FieldProfile; add: (filter: string) => void }) {
  const top = profile.top.slice(0, 5);
  if (top.length === 0) return null;
  return (
    <ul class="top-values" aria-label={say('field.top', { field: field.name })}>
      {top.map((entry) => {
        const part = profile.count === 0 ? 0 : entry.count / profile.count;
        return (
          <li key={String(entry.value)}>
            <button
              type="button"
              title={say('field.filter', { filter: filterFor(field, entry.value) })}
              onClick={() => add(filterFor(field, entry.value))}
            >
              <span>{shortValue(entry.value)}</span>
              <small>{formatPercent(part)}</small>
              <Share part={part} />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Details({
  field,
  profile,
  offered,
  add,
}: {
  field: SchemaField;
  profile: FieldProfile | undefined;
  offered: boolean | null;
  add: (filter: string) => void;
}) {
  if (profile === undefined) {
    return <Note>{offered === false ? say('field.noProfile') : say('field.waiting')}</Note>;
  }
  return (
    <div class="field-details">
      {profile.histogram !== undefined && (
        <Distribution histogram={profile.histogram} label={say('field.distribution', { field: field.name })} />
      )}
      <Figures profile={profile} />
      <Top field={field} profile={profile} add={add} />
      <div class="row-of">
        <button type="button" class="button small" onClick={() => add(`${quoteField(field.name)} exists`)}>
          {say('field.exists')}
        </button>
        <button type="button" class="button small" onClick={() => add(`${quoteField(field.name)} missing`)}>
          {say('field.isMissing')}
        </button>
      </div>
    </div>
  );
}

function Field({
  field,
  events,
  column,
  toggle,
  profile,
  offered,
  add,
  opened,
}: {
  field: SchemaField;
  events: number;
  column: boolean;
  toggle: () => void;
  profile: FieldProfile | undefined;
  offered: boolean | null;
  add: (filter: string) => void;
  opened: () => void;
}) {
  const open = useSignal(false);
  const missing = missingOf(field, events);
  const text =
    missing === null ? '' : say('field.missing', { part: formatPercent(missing), count: formatShort(field.count) });
  return (
    <li class={column ? 'field-item shown' : 'field-item'}>
      <div class="field-line">
        <button
          type="button"
          class="field-name"
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.value;
            if (open.value) opened();
          }}
          title={text}
        >
          <i class={`sign ${field.type}`} aria-hidden="true">
            {TYPE_SIGN[field.type]}
          </i>
          <span class="visually-hidden">{say(`type.${field.type}`)}</span>
          <span class="field-label-text">{field.name}</span>
          {field.unit !== '' && <small>{field.unit}</small>}
        </button>
        {missing !== null && (
          <span class={missing > 0.5 ? 'missing much' : 'missing'}>
            <span class="visually-hidden">{text}</span>
            <span aria-hidden="true">{missing === 0 ? '' : formatPercent(missing)}</span>
          </span>
        )}
        <button
          type="button"
          class="field-toggle"
          aria-pressed={column}
          aria-label={column ? say('field.hide', { field: field.name }) : say('field.show', { field: field.name })}
          onClick={toggle}
        >
          {column ? '−' : '+'}
        </button>
      </div>
      {open.value && <Details field={field} profile={profile} offered={offered} add={add} />}
    </li>
  );
}

export function FieldList({
  fields,
  events,
  columns,
  toggle,
  profile,
  offered,
  add,
  opened,
}: {
  fields: readonly SchemaField[];
  /** Values of the fullest field: as many events are counted as its own are, at the same moment. */
  events: number;
  columns: readonly string[];
  toggle: (field: string) => void;
  profile: Profile | null;
  /** Whether the server has profiles; null while that is not known. */
  offered: boolean | null;
  add: (filter: string) => void;
  opened: () => void;
}) {
  const search = useSignal('');
  const order = useSignal<Order>('schema');
  const wanted = search.value.toLowerCase();
  const used = fields.filter((f) => f.count > 0);
  const shown = ordered(wanted === '' ? used : fields, order.value).filter((f) =>
    `${f.name} ${f.label} ${f.unit}`.toLowerCase().includes(wanted),
  );
  return (
    <aside class="card field-list" aria-label={say('fields.label')} data-testid="field-list">
      <div class="card-head">
        <h3>{say('fields.used', { used: formatNumber(used.length), all: formatNumber(fields.length) })}</h3>
        <select
          class="field-select small"
          aria-label={say('fields.order')}
          value={order.value}
          onChange={(event) => {
            order.value = event.currentTarget.value as Order;
          }}
        >
          <option value="schema">{say('fields.bySchema')}</option>
          <option value="name">{say('fields.byName')}</option>
          <option value="missing">{say('fields.byMissing')}</option>
        </select>
        <Search label={say('fields.search')} text={search} size="wide" />
      </div>
      <ul class="field-items">
        {shown.map((field) => (
          <Field
            key={field.name}
            field={field}
            events={events}
            column={columns.includes(field.name)}
            toggle={() => toggle(field.name)}
            profile={profile?.fields.find((f) => f.name === field.name)}
            offered={offered}
            add={add}
            opened={opened}
          />
        ))}
      </ul>
      {shown.length === 0 && <Note>{say('fields.none')}</Note>}
    </aside>
  );
}
