// What a panel shows: its kind, fields, title, thresholds. Every change is seen at once, and can be undone.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Severity, Threshold } from '../../chart/thresholds';
import { datasets, schemas } from '../../state/app';
import { isNumeric } from '../../state/groups';
import { TrashIcon } from '../../view/icons';
import { titleOf } from '../../view/panels';
import type { SchemaField } from '../../wire/rest';
import { edited, KINDS, type Kind, type PanelSpec, TRAITS } from './board';
import { board, selected, step } from './state';
import { say } from './text';

type Change = Partial<Omit<PanelSpec, 'id'>>;

function change(panel: PanelSpec, what: Change, same = false): void {
  step(edited(board.peek(), panel.id, what), same);
}

/** Fields that the kind can show. */
function fitting(panel: PanelSpec): SchemaField[] {
  const fields = (schemas.value.get(panel.dataset)?.fields ?? []).filter((field) => field.hidden !== true);
  if (panel.kind === 'state') return fields.filter((field) => field.type === 'boolean' || field.type === 'text');
  return TRAITS[panel.kind].numeric ? fields.filter(isNumeric) : fields;
}

function toKind(panel: PanelSpec, kind: Kind): Change {
  const names = new Set(fitting({ ...panel, kind }).map((field) => field.name));
  return { kind, fields: panel.fields.filter((name) => names.has(name)).slice(0, TRAITS[kind].most) };
}

function KindAndDataset({ panel }: { panel: PanelSpec }) {
  return (
    <>
      <label>
        {say('edit.kind')}
        <select value={panel.kind} onChange={(e) => change(panel, toKind(panel, e.currentTarget.value as Kind))}>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {say(`kind.${kind}`)}
            </option>
          ))}
        </select>
      </label>
      {panel.kind !== 'text' && (
        <label>
          {say('edit.dataset')}
          <select value={panel.dataset} onChange={(e) => change(panel, { dataset: e.currentTarget.value, fields: [] })}>
            {(datasets.value ?? []).map((d) => (
              <option key={d.name} value={d.name}>
                {d.label || d.name}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}

/** One field, or the two of a scatter. */
function FieldChoice({ panel, position, label }: { panel: PanelSpec; position: number; label: string }) {
  const choose = (name: string) => {
    const fields = [...panel.fields];
    fields[position] = name;
    change(panel, { fields: Array.from(fields, (field) => field ?? '') });
  };
  return (
    <label>
      {label}
      <select value={panel.fields[position] ?? ''} onChange={(e) => choose(e.currentTarget.value)}>
        <option value="" disabled>
          {say('panel.noField')}
        </option>
        {fitting(panel).map((field) => (
          <option key={field.name} value={field.name}>
            {titleOf(field)}
            {field.unit === '' ? '' : ` (${field.unit})`}
          </option>
        ))}
      </select>
    </label>
  );
}

function FieldList({ panel }: { panel: PanelSpec }) {
  const filter = useSignal('');
  const { most } = TRAITS[panel.kind];
  const words = filter.value.toLowerCase();
  const fields = fitting(panel).filter((field) => `${field.name} ${field.label}`.toLowerCase().includes(words));
  const toggle = (name: string) => {
    const without = panel.fields.filter((field) => field !== name);
    change(panel, { fields: without.length < panel.fields.length ? without : [...panel.fields, name].slice(-most) });
  };
  return (
    <fieldset>
      <legend>{say('edit.fields')}</legend>
      <input
        type="search"
        aria-label={say('edit.filter')}
        placeholder={say('edit.filter')}
        value={filter.value}
        onInput={(e) => (filter.value = e.currentTarget.value)}
      />
      <div class="field-list">
        {fields.map((field) => (
          <label key={field.name}>
            <input type="checkbox" checked={panel.fields.includes(field.name)} onChange={() => toggle(field.name)} />
            <span>{titleOf(field)}</span>
            <small>{field.unit}</small>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Fields({ panel }: { panel: PanelSpec }) {
  const { most } = TRAITS[panel.kind];
  if (most === 0) return null;
  if (panel.kind === 'scatter') {
    return (
      <>
        <FieldChoice panel={panel} position={0} label={say('edit.across')} />
        <FieldChoice panel={panel} position={1} label={say('edit.up')} />
      </>
    );
  }
  return most === 1 ? (
    <FieldChoice panel={panel} position={0} label={say('edit.fields')} />
  ) : (
    <FieldList panel={panel} />
  );
}

const SEVERITIES: readonly Severity[] = ['good', 'warn', 'bad'];

function Thresholds({ panel }: { panel: PanelSpec }) {
  const put = (thresholds: Threshold[], same = false) => change(panel, { thresholds }, same);
  const at = (i: number, what: Partial<Threshold>, same = false) =>
    put(
      panel.thresholds.map((t, n) => (n === i ? { ...t, ...what } : t)),
      same,
    );
  return (
    <fieldset>
      <legend>{say('edit.thresholds')}</legend>
      {panel.thresholds.map((threshold, i) => (
        <div class="threshold" key={`${i}`}>
          <input
            type="number"
            step="any"
            aria-label={say('edit.threshold')}
            value={threshold.value}
            onChange={(e) => {
              const { valueAsNumber } = e.currentTarget;
              if (Number.isFinite(valueAsNumber)) at(i, { value: valueAsNumber });
            }}
          />
          <select
            aria-label={say('edit.severity')}
            value={threshold.severity}
            onChange={(e) => at(i, { severity: e.currentTarget.value as Severity })}
          >
            {SEVERITIES.map((severity) => (
              <option key={severity} value={severity}>
                {say(`edit.${severity}`)}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="icon-button"
            aria-label={say('edit.removeThreshold', { value: threshold.value })}
            onClick={() => put(panel.thresholds.filter((_, n) => n !== i))}
          >
            <TrashIcon />
          </button>
        </div>
      ))}
      <button
        type="button"
        class="link"
        disabled={panel.thresholds.length >= 8}
        onClick={() => put([...panel.thresholds, { value: 0, severity: 'warn' }])}
      >
        {say('edit.addThreshold')}
      </button>
    </fieldset>
  );
}

/** Both ends of a gauge's scale, or neither. */
function Ends({ panel }: { panel: PanelSpec }) {
  const low = useSignal(panel.ends?.low.toString() ?? '');
  const high = useSignal(panel.ends?.high.toString() ?? '');
  const put = () => {
    const [from, to] = [Number(low.value), Number(high.value)];
    const good = low.value !== '' && high.value !== '' && from < to;
    change(panel, { ends: good ? { low: from, high: to } : null });
  };
  const input = (label: string, text: typeof low) => (
    <label>
      {label}
      <input
        type="number"
        step="any"
        value={text.value}
        onChange={(e) => {
          text.value = e.currentTarget.value;
          put();
        }}
      />
    </label>
  );
  return (
    <div class="two">
      {input(say('edit.low'), low)}
      {input(say('edit.high'), high)}
    </div>
  );
}

function Words({ panel, what, label }: { panel: PanelSpec; what: 'title' | 'text'; label: string }) {
  // Typing is one step, from the first key to the next time that something else is done.
  const typing = useRef(false);
  const put = (text: string) => {
    change(panel, { [what]: text }, typing.current);
    typing.current = true;
  };
  const id = `edit-${what}`;
  return (
    <div class="labelled">
      <label htmlFor={id}>{label}</label>
      {what === 'title' ? (
        <input id={id} value={panel.title} maxLength={200} onInput={(e) => put(e.currentTarget.value)} />
      ) : (
        <textarea id={id} rows={6} value={panel.text} maxLength={4_000} onInput={(e) => put(e.currentTarget.value)} />
      )}
    </div>
  );
}

const WITH_THRESHOLDS: readonly Kind[] = ['line', 'area', 'bar', 'histogram', 'stat', 'gauge'];

export function Editor() {
  const dialog = useRef<HTMLDialogElement>(null);
  const panel = board.value.panels.find((p) => p.id === selected.value);
  const open = panel !== undefined;
  useEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal();
  }, [open]);
  if (panel === undefined) return null;
  return (
    <dialog
      class="drawer"
      ref={dialog}
      aria-labelledby="editor-title"
      onClose={() => (selected.value = null)}
      data-testid="editor"
    >
      <h2 id="editor-title">{say('edit.title')}</h2>
      <form method="dialog" key={panel.id}>
        <KindAndDataset panel={panel} />
        <Fields panel={panel} />
        <Words panel={panel} what="title" label={say('edit.name')} />
        {panel.kind === 'text' && <Words panel={panel} what="text" label={say('edit.text')} />}
        {panel.kind === 'gauge' && <Ends panel={panel} />}
        {WITH_THRESHOLDS.includes(panel.kind) && <Thresholds panel={panel} />}
        <p class="actions">
          <button type="submit" class="primary">
            {say('edit.close')}
          </button>
        </p>
      </form>
    </dialog>
  );
}
