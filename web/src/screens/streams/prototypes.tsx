// Prototypes: what kinds of devices there are, their facts, and their models as XML.

import { useSignal } from '@preact/signals';
import { dropOn, Note, Trouble, usePoll } from '../../kit/kit';
import type { Failure } from '../../wire/call';
import {
  deletePrototype,
  getPrototypes,
  modelAddress,
  type Prototype,
  putModel,
  putPrototype,
} from '../../wire/streams';
import { factsOf, factsText } from './facts';
import { say } from './text';

const POLL_MS = 4_000;

function Upload({ codes, done }: { codes: string[]; done: (code: string) => void }) {
  const code = useSignal('');
  const failure = useSignal<Failure | null>(null);
  const said = useSignal('');
  const over = useSignal(false);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    // A model that names no prototype is one of its file's name.
    const name = code.value.trim() === '' ? file.name.replace(/\.[^.]*$/, '') : code.value.trim();
    const answer = await putModel(name, await file.text());
    failure.value = answer.ok ? null : answer;
    said.value = answer.ok ? say('prototypes.taken', { file: file.name, code: name }) : '';
    if (answer.ok) done(name);
  };
  return (
    <section
      class={over.value ? 'card drop over' : 'card drop'}
      aria-label={say('prototypes.upload')}
      {...dropOn(over, (files) => void take(files?.[0]))}
    >
      <div class="row-of">
        <b>{say('prototypes.upload')}</b>
        <label class="row-of">
          <span class="hint">{say('prototypes.code')}</span>
          <input
            class="field-input"
            list="prototype-codes"
            value={code.value}
            placeholder={say('prototypes.fromName')}
            onInput={(event) => {
              code.value = event.currentTarget.value;
            }}
          />
        </label>
        <datalist id="prototype-codes">
          {codes.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <label class="button">
          {say('prototypes.choose')}
          <input
            class="visually-hidden"
            type="file"
            accept=".xml,text/xml,application/xml"
            data-testid="model-file"
            onChange={(event) => {
              void take(event.currentTarget.files?.[0]);
              event.currentTarget.value = '';
            }}
          />
        </label>
        <span class="hint" role="status">
          {said.value}
        </span>
      </div>
      <p class="hint">{say('prototypes.uploadHint')}</p>
      <Trouble failure={failure.value} />
    </section>
  );
}

function Editor({ prototype, done }: { prototype: Prototype; done: () => void }) {
  const members = useSignal({ ...prototype });
  const facts = useSignal(factsText(prototype.facts));
  const failure = useSignal<Failure | null>(null);
  const save = async (event: Event) => {
    event.preventDefault();
    const { label, brand, version, dataset } = members.value;
    const answer = await putPrototype(prototype.code, { label, brand, version, dataset, facts: factsOf(facts.value) });
    if (answer.ok) done();
    else failure.value = answer;
  };
  const input = (name: 'label' | 'brand' | 'version' | 'dataset') => (
    <label class="field-label">
      {say(`prototypes.${name}`)}
      <input
        class="field-input"
        value={members.value[name]}
        onInput={(event) => {
          members.value = { ...members.value, [name]: event.currentTarget.value };
        }}
      />
    </label>
  );
  return (
    <form class="prototype-form" onSubmit={save}>
      <div class="row-of">
        {input('label')}
        {input('brand')}
        {input('version')}
        {input('dataset')}
      </div>
      <label class="field-label">
        {say('prototypes.facts')}
        <textarea
          class="raw"
          rows={3}
          value={facts.value}
          placeholder={'site=Lyon\nfloor=3'}
          onInput={(event) => {
            facts.value = event.currentTarget.value;
          }}
          spellcheck={false}
        />
      </label>
      <Trouble failure={failure.value} />
      <span class="row-of">
        <button type="submit" class="button strong">
          {say('save')}
        </button>
        <button type="button" class="button" onClick={done}>
          {say('cancel')}
        </button>
      </span>
    </form>
  );
}

function Card({ prototype, changed }: { prototype: Prototype; changed: () => void }) {
  const editing = useSignal(false);
  const sure = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const remove = async () => {
    const answer = await deletePrototype(prototype.code);
    failure.value = answer.ok ? null : answer;
    changed();
  };
  const facts = Object.entries(prototype.facts);
  return (
    <article class="card prototype">
      <div class="card-head">
        <h3>
          {prototype.label === '' ? prototype.code : prototype.label} <small class="hint">{prototype.code}</small>
        </h3>
        {prototype.model && (
          <a class="button small" href={modelAddress(prototype.code)} download={`${prototype.code}.xml`}>
            XML
          </a>
        )}
        <button
          type="button"
          class="button small"
          onClick={() => {
            editing.value = !editing.value;
          }}
        >
          {say('edit')}
        </button>
        <button
          type="button"
          class="button small danger"
          onClick={() => {
            if (sure.value) void remove();
            sure.value = !sure.value;
          }}
        >
          {sure.value ? say('prototypes.sure') : say('prototypes.remove')}
        </button>
      </div>
      <Trouble failure={failure.value} />
      {editing.value ? (
        <Editor
          prototype={prototype}
          done={() => {
            editing.value = false;
            changed();
          }}
        />
      ) : (
        <dl class="pairs">
          <div>
            <dt>{say('prototypes.brand')}</dt>
            <dd>{prototype.brand === '' ? '–' : prototype.brand}</dd>
          </div>
          <div>
            <dt>{say('prototypes.version')}</dt>
            <dd>{prototype.version === '' ? '–' : prototype.version}</dd>
          </div>
          <div>
            <dt>{say('prototypes.dataset')}</dt>
            <dd>{prototype.dataset}</dd>
          </div>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{String(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </article>
  );
}

export function Prototypes() {
  const prototypes = useSignal<Prototype[] | null>(null);
  const failure = useSignal<Failure | null>(null);
  const refresh = async (signal?: AbortSignal) => {
    const answer = await getPrototypes(signal);
    if (answer.ok) prototypes.value = answer.value.prototypes;
    failure.value = answer.ok ? null : answer;
  };
  usePoll(POLL_MS, refresh);
  return (
    <div class="stack" data-testid="prototypes">
      <Upload codes={(prototypes.value ?? []).map((p) => p.code)} done={() => void refresh()} />
      <Trouble failure={failure.value} />
      {prototypes.value?.length === 0 && (
        <div class="card">
          <Note>{say('prototypes.none')}</Note>
        </div>
      )}
      <div class="prototype-list">
        {(prototypes.value ?? []).map((prototype) => (
          <Card key={prototype.code} prototype={prototype} changed={() => void refresh()} />
        ))}
      </div>
    </div>
  );
}
