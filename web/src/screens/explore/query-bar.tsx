// The filter: coloured as it is written, completed as the language allows, and marked where it is at fault.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import {
  accept,
  check,
  complete,
  type Fault,
  faultOf,
  type KnownField,
  type Option,
  tokens,
} from '../../query/complete';
import { say } from './text';

const APPLY_AFTER_MS = 450;
const WORDS = new Set(['and', 'or', 'not', 'in', 'between', 'contains', 'starts', 'ends', 'with', 'exists', 'missing']);

interface Piece {
  text: string;
  kind: string;
}

/** The text in pieces with the colour of each; exported for the tests. */
export function pieces(text: string, fault: { from: number; to: number } | null): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  let operandNext = true;
  for (const token of tokens(text)) {
    if (token.from > at) found.push({ text: text.slice(at, token.from), kind: '' });
    const word = token.kind === 'word' && WORDS.has(token.text.toLowerCase());
    let kind = '';
    if (word || token.kind === 'compare') kind = 'word';
    else if (token.kind === 'word' || token.kind === 'quoted') kind = operandNext ? 'field' : 'value';
    if (token.kind === 'compare' || (word && !['and', 'or', 'not'].includes(token.text.toLowerCase())))
      operandNext = false;
    else if (word && ['and', 'or'].includes(token.text.toLowerCase())) operandNext = true;
    if (fault !== null && token.from >= fault.from && token.from < Math.max(fault.to, fault.from + 1)) kind += ' fault';
    found.push({ text: text.slice(token.from, token.to), kind });
    at = token.to;
  }
  if (at < text.length) found.push({ text: text.slice(at), kind: '' });
  return found;
}

function faultText(fault: Fault | null, refusal: string): string {
  if (fault !== null) return say(`query.${fault.kind}`);
  return refusal;
}

export function QueryBar({
  where,
  apply,
  fields,
  refusal,
}: {
  where: string;
  apply: (where: string) => void;
  fields: () => KnownField[];
  /** The server's sentence about the filter that was applied; '' when it took it. */
  refusal: string;
}) {
  const text = useSignal(where);
  const open = useSignal(false);
  const options = useSignal<{ from: number; to: number; options: Option[] }>({ from: 0, to: 0, options: [] });
  const active = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const ink = useRef<HTMLDivElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const applied = useRef(where);
  useEffect(() => {
    // Said from elsewhere: a click on a value, or the way back.
    if (where === applied.current) return;
    applied.current = where;
    text.value = where;
  }, [where, text]);
  const form = check(text.value);
  const server = text.value === where && refusal !== '' ? faultOf(refusal, text.value) : null;
  const shownFault = form ?? server;
  // What is being written is not scolded for not being finished.
  const settled = text.value.trim() === where.trim();
  const message =
    form !== null && !settled ? '' : faultText(form, server?.message ?? (text.value === where ? refusal : ''));
  const suggest = () => {
    const element = input.current;
    if (element === null) return;
    options.value = complete(element.value, element.selectionStart ?? element.value.length, fields());
    active.value = 0;
    open.value = options.value.options.length > 0;
  };
  const commit = (value: string) => {
    clearTimeout(timer.current);
    applied.current = value;
    if (value.trim() !== where) apply(value.trim());
  };
  const changed = (value: string) => {
    text.value = value;
    clearTimeout(timer.current);
    if (check(value) === null) timer.current = setTimeout(() => commit(value), APPLY_AFTER_MS);
  };
  const take = (option: Option) => {
    const element = input.current;
    if (element === null) return;
    const next = accept(text.value, options.value, option);
    changed(next.text);
    element.value = next.text;
    element.setSelectionRange(next.caret, next.caret);
    element.focus();
    suggest();
  };
  const key = (event: KeyboardEvent) => {
    const count = options.value.options.length;
    if (event.key === 'Escape' && open.value) {
      open.value = false;
    } else if (open.value && event.key === 'ArrowDown') {
      active.value = (active.value + 1) % count;
    } else if (open.value && event.key === 'ArrowUp') {
      active.value = (active.value + count - 1) % count;
    } else if (open.value && (event.key === 'Tab' || (event.key === 'Enter' && !wholeAt(text.value)))) {
      take(options.value.options[active.value] as Option);
    } else if (event.key === 'Enter') {
      open.value = false;
      commit(text.value);
    } else if (!open.value && event.key === 'ArrowDown') {
      suggest();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const list = options.value.options;
  return (
    <div class="query" role="search">
      <div class={shownFault !== null && message !== '' ? 'query-box wrong' : 'query-box'}>
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path
            d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3l3.4 3.4"
            fill="none"
            stroke="currentColor"
            stroke-width="1.6"
            stroke-linecap="round"
          />
        </svg>
        <div class="query-field">
          <div class="query-ink" ref={ink} aria-hidden="true">
            {pieces(text.value, message === '' ? null : shownFault).map((piece, i) => (
              <span key={`${i}${piece.text}`} class={piece.kind}>
                {piece.text}
              </span>
            ))}
            {message !== '' && shownFault !== null && shownFault.from >= text.value.length && (
              <span class="fault"> </span>
            )}
          </div>
          <input
            ref={input}
            value={text.value}
            role="combobox"
            aria-label={say('query.label')}
            aria-expanded={open.value}
            aria-controls="query-options"
            aria-autocomplete="list"
            aria-activedescendant={open.value ? `query-option-${active.value}` : undefined}
            aria-invalid={message !== ''}
            aria-describedby="query-message"
            placeholder={say('query.hint')}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            data-testid="query"
            onInput={(event) => {
              changed(event.currentTarget.value);
              suggest();
            }}
            onKeyDown={key}
            onFocus={suggest}
            onClick={suggest}
            onBlur={() => {
              open.value = false;
            }}
            onScroll={(event) => {
              if (ink.current !== null) ink.current.scrollLeft = event.currentTarget.scrollLeft;
            }}
          />
        </div>
        {text.value !== '' && (
          <button
            type="button"
            class="button small quiet"
            onClick={() => {
              text.value = '';
              commit('');
              input.current?.focus();
            }}
          >
            {say('query.clear')}
          </button>
        )}
      </div>
      <div
        id="query-options"
        class="query-options"
        role="listbox"
        aria-label={say('query.options')}
        hidden={!open.value}
      >
        {list.map((option, i) => (
          <div
            key={option.kind + option.insert}
            id={`query-option-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === active.value}
            class={option.kind}
            // The field must keep the focus.
            onMouseDown={(event) => {
              event.preventDefault();
              take(option);
            }}
          >
            <span>{option.insert}</span>
            <small>{option.hint}</small>
          </div>
        ))}
      </div>
      <p id="query-message" class="query-message" role="status" data-testid="query-message">
        {message}
      </p>
    </div>
  );
}

/** The filter is whole and its last word is settled: Enter applies it, and takes no suggestion. */
function wholeAt(text: string): boolean {
  return check(text) === null;
}
