// Dead letters: why each was not taken, its bytes, and the ways out: again as it is, again mended, off the list.

import { useSignal } from '@preact/signals';
import { formatBytes, formatNumber } from '../../kit/format';
import { Note, Trouble, usePoll } from '../../kit/kit';
import { formatInstantExact } from '../../kit/time';
import type { Failure } from '../../wire/call';
import { type DeadLetter, forgetRejected, getRejected, type Resent, resendRejected } from '../../wire/streams';
import { hexDump } from './hex';
import { say } from './text';

const POLL_MS = 2_000;
const PAGE = 100;
const MOST_SHOWN = 1_000;

function Letter({
  letter,
  chosen,
  choose,
  resend,
}: {
  letter: DeadLetter;
  chosen: boolean;
  choose: (on: boolean) => void;
  resend: (raw: string) => void;
}) {
  const mended = useSignal<string | null>(null);
  const bytes = letter.raw === undefined ? decoded(letter.raw_base64 ?? '') : null;
  return (
    <li class="letter">
      <input
        type="checkbox"
        checked={chosen}
        aria-label={say('rejected.choose', { id: letter.id })}
        onChange={(event) => choose(event.currentTarget.checked)}
      />
      <details>
        <summary>
          <b>{letter.reason}</b>
          <small>
            {formatInstantExact(letter.time)} · {letter.source} · {letter.kind}
            {letter.line > 0 && ` · ${say('rejected.line', { n: formatNumber(letter.line) })}`} ·{' '}
            {formatBytes(letter.size)}
            {letter.truncated && ` · ${say('rejected.truncated')}`}
          </small>
        </summary>
        <div class="letter-body">
          {bytes === null ? (
            <pre class="raw" tabIndex={0} data-testid="raw">
              {letter.raw}
            </pre>
          ) : (
            <pre class="raw" tabIndex={0} data-testid="raw">
              {hexDump(bytes)}
            </pre>
          )}
          {mended.value === null ? (
            <button
              type="button"
              class="button small"
              onClick={() => {
                mended.value = letter.raw ?? '';
              }}
            >
              {say('rejected.mend')}
            </button>
          ) : (
            <form
              onSubmit={(event) => {
                event.preventDefault();
                resend(mended.value ?? '');
              }}
            >
              <textarea
                class="raw"
                rows={4}
                aria-label={say('rejected.mended')}
                value={mended.value}
                onInput={(event) => {
                  mended.value = event.currentTarget.value;
                }}
                spellcheck={false}
              />
              <button type="submit" class="button small strong">
                {say('rejected.sendMended')}
              </button>
            </form>
          )}
        </div>
      </details>
    </li>
  );
}

function decoded(base64: string): Uint8Array {
  const text = atob(base64);
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function outcomeText(outcome: Resent): string {
  const first = outcome.errors[0]?.reason ?? outcome.refusal ?? '';
  const text = say('rejected.outcome', { accepted: outcome.accepted, rejected: outcome.rejected, left: outcome.left });
  return first === '' ? text : `${text} ${first}`;
}

/** `dataset` null: readings that name none. */
export function Rejected({ dataset }: { dataset: string | null }) {
  const letters = useSignal<DeadLetter[]>([]);
  const next = useSignal<string | null>(null);
  const shown = useSignal(PAGE);
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const failure = useSignal<Failure | null>(null);
  const outcome = useSignal('');
  const loaded = useSignal(false);
  const refresh = async (signal?: AbortSignal) => {
    const answer = await getRejected(dataset, '', shown.value, signal);
    if (answer.ok) {
      letters.value = answer.value.rejected;
      next.value = answer.value.next;
      loaded.value = true;
    }
    failure.value = answer.ok ? null : answer;
  };
  usePoll(POLL_MS, refresh, `${dataset}`);
  const after = async (text: string) => {
    outcome.value = text;
    chosen.value = new Set();
    await refresh();
  };
  const resend = async (ids: string[], raw?: string) => {
    const answer = await resendRejected(dataset, ids, raw);
    if (answer.ok) await after(outcomeText(answer.value));
    else failure.value = answer;
  };
  const forget = async (ids: string[]) => {
    const answer = await forgetRejected(dataset, ids);
    if (answer.ok) await after(say('rejected.forgotten', { n: ids.length }));
    else failure.value = answer;
  };
  const choose = (id: string, on: boolean) => {
    const set = new Set(chosen.value);
    if (on) set.add(id);
    else set.delete(id);
    chosen.value = set;
  };
  const ids = letters.value.map((l) => l.id).filter((id) => chosen.value.has(id));
  return (
    <section class="card" data-testid="rejected">
      <div class="card-head">
        <h3>{say('rejected.title', { n: `${letters.value.length}${next.value === null ? '' : '+'}` })}</h3>
        <span class="hint" role="status">
          {outcome.value}
        </span>
        {letters.value.length > 0 && (
          <label class="check">
            <input
              type="checkbox"
              checked={ids.length === letters.value.length}
              onChange={(event) => {
                chosen.value = new Set(event.currentTarget.checked ? letters.value.map((l) => l.id) : []);
              }}
            />
            {say('rejected.all')}
          </label>
        )}
        <button type="button" class="button small strong" disabled={ids.length === 0} onClick={() => resend(ids)}>
          {ids.length === 0 ? say('rejected.resendNone') : say('rejected.resend', { n: ids.length })}
        </button>
        <button type="button" class="button small danger" disabled={ids.length === 0} onClick={() => forget(ids)}>
          {say('rejected.forget')}
        </button>
      </div>
      <Trouble failure={failure.value} />
      {loaded.value && letters.value.length === 0 && <Note>{say('rejected.none')}</Note>}
      <ul class="letters">
        {letters.value.map((letter) => (
          <Letter
            key={letter.id}
            letter={letter}
            chosen={chosen.value.has(letter.id)}
            choose={(on) => choose(letter.id, on)}
            resend={(raw) => resend([letter.id], raw)}
          />
        ))}
      </ul>
      {next.value !== null && shown.value < MOST_SHOWN && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            shown.value = Math.min(shown.value + 300, MOST_SHOWN);
            void refresh();
          }}
        >
          {say('rejected.more')}
        </button>
      )}
    </section>
  );
}
