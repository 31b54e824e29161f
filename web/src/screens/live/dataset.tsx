// The dashboard of one dataset, made from its schema alone.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { goLive, hrefOf, live, liveSpan, rates, schemas, setView, structure, view } from '../../state/app';
import { groupFields, isNumeric, isState } from '../../state/groups';
import { PRESETS, pausedAt } from '../../state/window';
import { say as sayChart } from '../../text/charts';
import { formatAge, formatCount, formatDuration, formatInstant, formatRate } from '../../view/format';
import { LineFigure, StatTile, StripFigure, TrackFigure } from '../../view/panels';
import type { DatasetInfo, SchemaField } from '../../wire/rest';
import { Devices } from './devices';
import { say } from './text';

/** Charts of a dataset on the page of all datasets, before the rest is asked for. */
const OVERVIEW_CHARTS = 12;
const TILES = 4;
const OVERVIEW_STATES = 6;
/** Feeds are drawn in panels of about this width; the back-fill is merged to it. */
const BACKFILL_PIXELS = 800;
/** A dataset whose section comes this near is subscribed to. */
const SUBSCRIBE_NEAR = '600px';

/** Fields with data: those the server has counted values of, and those that the stream has brought. */
function usedFields(dataset: string): { all: SchemaField[]; used: SchemaField[] } {
  const all = (schemas.value.get(dataset)?.fields ?? []).filter((field) => field.hidden !== true);
  const intake = live.feeds.get(dataset)?.current;
  return { all, used: all.filter((field) => field.count > 0 || intake?.hasValues(field.name) === true) };
}

/** Subscribes when the section comes near, and again when the live window changes. */
function useSubscription(name: string) {
  const section = useRef<HTMLElement>(null);
  const near = useSignal(false);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) near.value = true;
      },
      { rootMargin: SUBSCRIBE_NEAR },
    );
    if (section.current !== null) observer.observe(section.current);
    return () => observer.disconnect();
  }, [near]);
  useEffect(() => () => live.release(name), [name]);
  const span = liveSpan.value;
  useEffect(() => {
    if (near.value) live.want(name, span, BACKFILL_PIXELS);
  }, [near.value, name, span]);
  return section;
}

function FieldCount({ all, used }: { all: number; used: number }) {
  if (all === 0) return null;
  const text = used < all ? say('dataset.fields', { used, all, empty: all - used }) : say('dataset.fieldsAll', { all });
  return <li data-testid="field-count">{text}</li>;
}

function Heading({ info, all, used, alone }: { info: DatasetInfo; all: number; used: number; alone: boolean }) {
  const now = rates.value.get(info.name);
  const title = info.label || info.name;
  return (
    <header class="dataset-head">
      <h2 id={`title-${info.name}`}>{alone ? title : <a href={hrefOf(info.name)}>{title}</a>}</h2>
      <ul class="facts">
        <li>{formatRate(now?.rate ?? info.rate)}</li>
        <li>{say('dataset.events', { events: formatCount(now?.events ?? info.events) })}</li>
        <FieldCount all={all} used={used} />
        <li>{say('dataset.schema', { version: info.schema_version })}</li>
      </ul>
    </header>
  );
}

function Silent({ newest, span }: { newest: number; span: number }) {
  const age = formatAge(live.clock.now() - newest);
  const show = () => setView(pausedAt(view.value, newest - span * 0.95, newest + span * 0.05));
  return (
    <p class="notice">
      {say('dataset.silent', { time: formatInstant(newest), age })}{' '}
      <button type="button" onClick={show}>
        {say('dataset.show')}
      </button>
    </p>
  );
}

/** A window this long or longer, filled to less than this part, is worth a word. */
const LONG_SPAN = 300_000_000;
const WELL_FILLED = 0.6;

function Begins({ oldest, span }: { oldest: number; span: number }) {
  const have = live.clock.now() - oldest;
  const fitting = PRESETS.find((preset) => preset >= have) ?? span;
  return (
    <p class="notice">
      {say('dataset.begins', { time: formatInstant(oldest), have: formatDuration(have), span: formatDuration(span) })}{' '}
      {fitting < span && (
        <button type="button" onClick={() => goLive(fitting)}>
          {say('dataset.fit')}
        </button>
      )}
    </p>
  );
}

/** Says why the charts are empty or half empty, when they are, and leads to where the events are. */
function Notice({ info }: { info: DatasetInfo }) {
  // Time passes without a signal: this one comes every second; that of another window's rows comes with them.
  rates.value;
  structure.value;
  const feed = live.feeds.get(info.name);
  if (feed?.refusal) return <p class="notice">{say('dataset.refused', { detail: feed.refusal })}</p>;
  const current = view.value;
  const intake = feed?.current;
  if (current.mode !== 'live' || !intake?.complete || intake.span !== current.span) return null;
  const now = live.clock.now();
  if (intake.newest < now - current.span) {
    const newest = Math.max(info.last_time ?? Number.NEGATIVE_INFINITY, intake.newest);
    if (!Number.isFinite(newest)) return <p class="notice">{say('dataset.never')}</p>;
    return newest < now - current.span ? <Silent newest={newest} span={current.span} /> : null;
  }
  const oldest = Math.min(info.first_time ?? Number.POSITIVE_INFINITY, intake.oldest);
  const begins = current.span >= LONG_SPAN && now - oldest < current.span * WELL_FILLED;
  return begins ? <Begins oldest={oldest} span={current.span} /> : null;
}

/** Groups stand side by side where they fit: each is as wide as its charts, up to the row. */
function Groups({ dataset, fields }: { dataset: string; fields: SchemaField[] }) {
  return (
    <div class="groups">
      {groupFields(fields).map((group) => (
        <section class={`group span-${Math.min(group.fields.length, 4)}`} key={group.name}>
          <h3>{group.name === '' ? sayChart('group.other') : group.name}</h3>
          {group.fields.map((field) => (
            <LineFigure key={field.name} dataset={dataset} field={field} />
          ))}
        </section>
      ))}
    </div>
  );
}

function Lead({ dataset, fields, used }: { dataset: string; fields: SchemaField[]; used: SchemaField[] }) {
  const latitude = used.find((field) => field.kind === 'latitude');
  const longitude = used.find((field) => field.kind === 'longitude');
  return (
    <div class={latitude && longitude ? 'lead with-map' : 'lead'}>
      <div class="tiles" role="group" aria-label={say('tiles.label')}>
        {fields.slice(0, TILES).map((field) => (
          <StatTile key={field.name} dataset={dataset} field={field} />
        ))}
      </div>
      <Devices dataset={dataset} />
      {latitude && longitude && <TrackFigure dataset={dataset} latitude={latitude.name} longitude={longitude.name} />}
    </div>
  );
}

export function Dataset({ info, alone }: { info: DatasetInfo; alone: boolean }) {
  const section = useSubscription(info.name);
  const wide = useSignal(false);
  // The rings are not signals: a new field or device in them raises this one.
  structure.value;
  const { all, used } = usedFields(info.name);
  const numeric = used.filter(isNumeric);
  const states = used.filter(isState);
  const everything = alone || wide.value;
  const charts = everything ? numeric : numeric.slice(0, OVERVIEW_CHARTS);
  const strips = everything ? states : states.slice(0, OVERVIEW_STATES);
  const more = numeric.length - Math.min(numeric.length, OVERVIEW_CHARTS);
  return (
    <section
      class="dataset"
      ref={section}
      id={`dataset-${info.name}`}
      aria-labelledby={`title-${info.name}`}
      data-dataset={info.name}
      data-pending={schemas.value.has(info.name) ? undefined : true}
    >
      <Heading info={info} all={all.length} used={used.length} alone={alone} />
      <Notice info={info} />
      <Lead dataset={info.name} fields={numeric} used={used} />
      {strips.length > 0 && (
        <section class="group-states">
          <h3>{sayChart('group.states')}</h3>
          <div class="strips">
            {strips.map((field) => (
              <StripFigure key={field.name} dataset={info.name} field={field} />
            ))}
          </div>
        </section>
      )}
      <Groups dataset={info.name} fields={charts} />
      {!alone && more > 0 && (
        <button type="button" class="more" onClick={() => (wide.value = !wide.value)} aria-expanded={wide.value}>
          {wide.value ? say('dataset.fewer') : say('dataset.more', { count: more })}
        </button>
      )}
    </section>
  );
}
