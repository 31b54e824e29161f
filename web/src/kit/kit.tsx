// Small pieces that the screens share.

import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Failure } from '../wire/call';
import './kit.css';

/** Narrows a list while it is written. */
export function Search({ label, text, size }: { label: string; text: Signal<string>; size?: 'small' | 'wide' }) {
  return (
    <input
      class={size === undefined ? 'field-input' : `field-input ${size}`}
      type="search"
      aria-label={label}
      placeholder={label}
      value={text.value}
      onInput={(event) => {
        text.value = event.currentTarget.value;
      }}
    />
  );
}

/** What makes an element a place to drop files on; `over` is true while files are above it. */
export function dropOn(over: Signal<boolean>, take: (files: FileList | undefined) => void) {
  return {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      over.value = true;
    },
    onDragLeave: () => {
      over.value = false;
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      over.value = false;
      take(event.dataTransfer?.files);
    },
  };
}

/** A list of choices of which one holds; arrows move between them. */
export function Segments<Name extends string>({
  label,
  value,
  choices,
  choose,
}: {
  label: string;
  value: Name;
  choices: readonly { name: Name; text: string; count?: number | undefined }[];
  choose: (name: Name) => void;
}) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.name}
          type="button"
          aria-pressed={choice.name === value}
          data-choice={choice.name}
          onClick={() => choose(choice.name)}
        >
          {choice.text}
          {choice.count !== undefined && choice.count > 0 && <span class="badge">{choice.count}</span>}
        </button>
      ))}
    </div>
  );
}

/** A sentence in the place of what is not there. */
export function Note({ children, tone = 'plain' }: { children: ComponentChildren; tone?: 'plain' | 'warn' | 'bad' }) {
  return (
    <p class={`note ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      {children}
    </p>
  );
}

export function Trouble({ failure }: { failure: Failure | null }) {
  if (failure === null || failure.aborted) return null;
  return <Note tone="bad">{failure.detail}</Note>;
}

/** A table that may be wider than its place: reached by the keyboard, so that arrows can scroll it. */
export function Wide({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}

/** How far something has come: `part` from 0 to 1. */
export function Meter({ part, label }: { part: number; label: string }) {
  const percent = Math.round(Math.min(Math.max(part, 0), 1) * 100);
  const fill = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (fill.current !== null) fill.current.style.width = `${percent}%`;
  }, [percent]);
  return (
    <span
      class="meter"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span ref={fill} />
    </span>
  );
}

/** A bar behind a figure in a table; says nothing to a screen reader, which hears the figure. */
export function Share({ part }: { part: number }) {
  const fill = useRef<HTMLElement>(null);
  useEffect(() => {
    if (fill.current !== null) fill.current.style.width = `${Math.min(Math.max(part, 0), 1) * 100}%`;
  }, [part]);
  return (
    <span class="share" aria-hidden="true">
      <i ref={fill} />
    </span>
  );
}

/** Calls `ask` now and every `every` ms while the page is seen; `again` is anything that restarts it. */
export function usePoll(
  every: number,
  ask: (signal: AbortSignal) => Promise<void> | void,
  again: unknown = null,
): void {
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      if (!document.hidden) await latest.current(abort.signal);
      if (!abort.signal.aborted) timer = setTimeout(turn, every);
    };
    void turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [every, again]);
}

/** Escape closes what stands beside the content, before it means anything to the page. */
export function useEscape(close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest('input, select, textarea, dialog') !== null;
      if (event.key !== 'Escape' || typing || document.querySelector('[popover]:popover-open') !== null) return;
      event.preventDefault();
      event.stopPropagation();
      latest.current();
    };
    document.addEventListener('keydown', key, { capture: true });
    return () => document.removeEventListener('keydown', key, { capture: true });
  }, []);
}

/** Offers `content` as a file. */
export function saveFile(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
