// The messages of a partition by offset: a table of all that the log keeps, newest first, and the whole of one beside it.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Note, Segments, useEscape } from '../../kit/kit';
import { PageCache } from '../../table/cache';
import '../../table/grid.css';
import { formatNumber } from '../../kit/format';
import { formatInstantExact } from '../../kit/time';
import { Grid, type GridColumn } from '../../table/grid';
import { getMessages, type LogMessage, type TopicInfo } from '../../wire/streams';
import { say } from './text';

const PAGE = 200;
const KEPT_PAGES = 60;

interface OffsetPage {
  key: string;
  /** How far the page is filled: it grows while it is the newest one. */
  version: number;
  partition: number;
  first: number;
}

function columns(): GridColumn[] {
  const column = (key: string, title: string, width: number, number = false): GridColumn => ({
    key,
    title,
    unit: '',
    width,
    number,
  });
  return [
    column('offset', say('messages.offset'), 96, true),
    column('time', say('messages.time'), 196),
    column('device', say('messages.device'), 150),
    column('schema', say('messages.schema'), 76, true),
    column('value', say('messages.value'), 1_600),
  ];
}

function textOf(message: LogMessage, column: GridColumn): string {
  switch (column.key) {
    case 'offset':
      return formatNumber(message.offset);
    case 'time':
      return formatInstantExact(message.time);
    case 'device':
      return message.device;
    case 'schema':
      return message.schema > 0 ? `v${message.schema}` : '';
    default:
      return JSON.stringify(message.value);
  }
}

/** The table of one partition, and what moves it. */
class MessageTable {
  private readonly cache: PageCache<LogMessage, OffsetPage>;
  readonly grid: Grid<LogMessage>;
  private earliest = 0;
  private durable = 0;
  private updating = false;
  private readonly abort = new AbortController();

  constructor(
    parent: HTMLElement,
    private readonly topic: string,
    private readonly partition: number,
    open: (message: LogMessage | null) => void,
  ) {
    this.cache = new PageCache(
      KEPT_PAGES,
      (page, signal) => this.load(page, signal),
      () => this.grid.request(),
    );
    this.grid = new Grid(
      parent,
      say('messages.label', { topic, partition }),
      { total: () => Math.max(this.durable - this.earliest, 0), row: (index) => this.row(index), text: textOf },
      {
        open: (index) => {
          this.grid.setOpened(index);
          open(this.row(index));
        },
        seen: () => this.cache.flush(),
      },
    );
    this.grid.setColumns(columns());
  }

  /** The log has grown, or its beginning has been removed. What will be in sight is fetched first, so that no row blinks. */
  async update(earliest: number, durable: number): Promise<void> {
    if (this.updating || (earliest === this.earliest && durable === this.durable)) return;
    const grown = this.durable === 0 ? 0 : Math.max(durable - this.durable, 0);
    if (grown > 0 && this.grid.atTop()) {
      this.updating = true;
      await this.prepare(durable);
      this.updating = false;
      if (this.abort.signal.aborted) return;
    }
    this.earliest = earliest;
    this.durable = durable;
    this.grid.changed(grown);
  }

  private async prepare(durable: number): Promise<void> {
    const { first, end } = this.grid.range();
    const oldest = Math.max(durable - end, this.earliest);
    for (let offset = durable - 1 - first; offset >= oldest; ) {
      const page = this.pageOf(offset, durable);
      if (!this.cache.holds(page)) {
        const rows = await this.load(page, this.abort.signal);
        if (rows === null) return;
        this.cache.put(page, rows);
      }
      offset = page.first - 1;
    }
  }

  goToOffset(offset: number): void {
    this.grid.goTo(this.durable - 1 - offset);
  }

  dispose(): void {
    this.abort.abort();
    this.cache.clear();
    this.grid.dispose();
  }

  private pageOf(offset: number, durable = this.durable): OffsetPage {
    const first = Math.floor(offset / PAGE) * PAGE;
    const version = Math.min(durable - first, PAGE);
    return { key: `${this.partition}:${first}`, version, partition: this.partition, first };
  }

  private row(index: number): LogMessage | null {
    const offset = this.durable - 1 - index;
    if (offset < this.earliest) return null;
    const page = this.pageOf(offset);
    return this.cache.get(page)?.[offset - page.first] ?? null;
  }

  private async load(page: OffsetPage, signal: AbortSignal): Promise<(LogMessage | null)[] | null> {
    const start = Math.max(page.first, this.earliest);
    const answer = await getMessages(this.topic, this.partition, { offset: start }, page.first + PAGE - start, signal);
    if (!answer.ok) return null;
    const rows: (LogMessage | null)[] = new Array<LogMessage | null>(PAGE).fill(null);
    for (const message of answer.value.messages) {
      const at = message.offset - page.first;
      if (at >= 0 && at < PAGE) rows[at] = message;
    }
    return rows;
  }
}

function Jump({ topic, partition, go }: { topic: string; partition: number; go: (offset: number) => void }) {
  const text = useSignal('');
  const trouble = useSignal('');
  const jump = async (event: Event) => {
    event.preventDefault();
    trouble.value = '';
    const wanted = text.value.trim().replaceAll(/[\s,. ]/g, (c) => (/^[\d\s,. ]+$/.test(text.value) ? '' : c));
    if (wanted === '') return;
    // Up to twelve digits are an offset; longer ones are a time in µs.
    if (/^\d{1,12}$/.test(wanted)) return go(Number(wanted));
    const answer = await getMessages(topic, partition, { time: wanted }, 1);
    if (!answer.ok) trouble.value = answer.detail;
    else go(answer.value.messages[0]?.offset ?? answer.value.next_offset - 1);
  };
  return (
    <form class="row-of" onSubmit={jump}>
      <input
        class="field-input"
        aria-label={say('messages.jump')}
        placeholder={say('messages.jumpHint')}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        spellcheck={false}
        autocomplete="off"
        data-testid="jump"
      />
      <button type="submit" class="button">
        {say('messages.go')}
      </button>
      {trouble.value !== '' && (
        <span class="hint wrong" role="alert">
          {trouble.value}
        </span>
      )}
    </form>
  );
}

function Detail({ message, close }: { message: LogMessage; close: () => void }) {
  useEscape(close);
  return (
    <aside class="detail" aria-label={say('messages.detail', { offset: message.offset })}>
      <div class="card-head">
        <h3>{say('messages.detail', { offset: formatNumber(message.offset) })}</h3>
        <button type="button" class="button small" onClick={close}>
          {say('close')}
        </button>
      </div>
      <dl class="pairs">
        <div>
          <dt>{say('messages.time')}</dt>
          <dd>{message.time}</dd>
        </div>
        <div>
          <dt>{say('messages.appended')}</dt>
          <dd>{message.append_time}</dd>
        </div>
        <div>
          <dt>{say('messages.device')}</dt>
          <dd>{message.device}</dd>
        </div>
      </dl>
      <pre class="raw" tabIndex={0}>
        {JSON.stringify(message.value, null, 2)}
      </pre>
    </aside>
  );
}

export function Messages({ topic }: { topic: TopicInfo }) {
  const partition = useSignal(busiest(topic));
  const opened = useSignal<LogMessage | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const table = useRef<MessageTable | null>(null);
  const shown = topic.partitions[partition.value];
  useEffect(() => {
    if (box.current === null) return;
    const made = new MessageTable(box.current, topic.topic, partition.value, (message) => {
      opened.value = message;
    });
    table.current = made;
    opened.value = null;
    return () => made.dispose();
  }, [topic.topic, partition.value, opened]);
  useEffect(() => {
    if (shown !== undefined) void table.current?.update(shown.earliest, shown.durable);
  });
  if (shown === undefined) return <Note>{say('messages.none')}</Note>;
  return (
    <section class="card messages" data-testid="messages">
      <div class="card-head">
        <Segments
          label={say('topics.partitions')}
          value={String(partition.value)}
          choices={topic.partitions.map((p) => ({ name: String(p.partition), text: `P${p.partition}` }))}
          choose={(name) => {
            partition.value = Number(name);
          }}
        />
        <span class="hint">
          {say('messages.range', {
            from: formatNumber(shown.earliest),
            to: formatNumber(Math.max(shown.durable - 1, 0)),
            count: formatNumber(shown.durable - shown.earliest),
          })}
        </span>
        <span class="spring" />
        <Jump
          topic={topic.topic}
          partition={partition.value}
          go={(offset) => table.current?.goToOffset(Math.min(Math.max(offset, shown.earliest), shown.durable - 1))}
        />
      </div>
      <div class={opened.value === null ? 'with-detail' : 'with-detail open'}>
        <div class="grid-box" ref={box} />
        {opened.value !== null && (
          <Detail
            message={opened.value}
            close={() => {
              opened.value = null;
              table.current?.grid.setOpened(-1);
            }}
          />
        )}
      </div>
    </section>
  );
}

/** The partition with the most messages: an empty one shows nothing. */
function busiest(topic: TopicInfo): number {
  let best = 0;
  topic.partitions.forEach((p, i) => {
    const other = topic.partitions[best];
    if (other !== undefined && p.durable - p.earliest > other.durable - other.earliest) best = i;
  });
  return best;
}
