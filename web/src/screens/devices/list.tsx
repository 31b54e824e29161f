// The list of devices, worst first: a table that lays out only what is seen, so that ten thousand devices scroll like ten.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatNumber } from '../../kit/format';
import { Note, Segments } from '../../kit/kit';
import { devices, live, own, setOwn } from '../../state/app';
import { Grid, type GridColumn, heightOf } from '../../table/grid';
import { language } from '../../text/area';
import '../../table/grid.css';
import { formatAge, formatRate } from '../../view/format';
import type { DeviceInfo } from '../../wire/rest';
import { rateShare, worstFirst } from './health';
import { say } from './text';

const TICK_MS = 250;
/** The list grows with the devices up to this part of the screen. */
const TALLEST_SHARE = 0.5;

export type StateFilter = 'all' | DeviceInfo['state'];

function columns(): GridColumn[] {
  const column = (key: string, title: string, width: number, number = false): GridColumn => ({
    key,
    title,
    unit: '',
    width,
    number,
  });
  return [
    column('state', say('list.state'), 92),
    column('device', say('list.device'), 170),
    column('seen', say('list.seen'), 104, true),
    column('rate', say('list.rate'), 84, true),
    column('expected', say('list.expected'), 96, true),
    column('share', say('list.share'), 110),
    column('dataset', say('list.dataset'), 130),
    column('events', say('list.events'), 110, true),
  ];
}

function textOf(device: DeviceInfo, column: GridColumn): string {
  switch (column.key) {
    case 'state':
      return say(`state.${device.state}`);
    case 'device':
      return device.device;
    case 'dataset':
      return device.dataset;
    case 'seen':
      return formatAge(live.clock.now() - device.last_seen);
    case 'rate':
      return formatRate(device.rate);
    case 'expected':
      return device.expected_rate === null ? '' : formatRate(device.expected_rate);
    case 'events':
      return formatNumber(device.events);
    default:
      return rateShare(device) === null ? '' : ' ';
  }
}

/** The state's colour, and the bar of rate against expected. */
function dress(cell: HTMLElement, device: DeviceInfo, column: GridColumn): void {
  if (column.key === 'state') cell.className = `state-word ${device.state}`;
  if (column.key !== 'share') return;
  const share = rateShare(device);
  let bar = cell.firstElementChild as HTMLElement | null;
  if (bar === null) {
    bar = document.createElement('i');
    bar.className = 'rate-bar';
    bar.append(document.createElement('b'));
    cell.replaceChildren(bar);
  }
  bar.hidden = share === null;
  (bar.firstElementChild as HTMLElement).style.width = `${Math.min(share ?? 0, 1) * 100}%`;
  bar.classList.toggle('low', share !== null && share < 0.8);
}

class DeviceTable {
  readonly grid: Grid<DeviceInfo>;
  private rows: DeviceInfo[] = [];
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(parent: HTMLElement, choose: (device: DeviceInfo) => void) {
    this.grid = new Grid<DeviceInfo>(
      parent,
      say('list.label'),
      {
        total: () => this.rows.length,
        row: (index) => this.rows[index] ?? null,
        text: textOf,
        dress,
      },
      {
        open: (index) => {
          const device = this.rows[index];
          if (device !== undefined) choose(device);
        },
        seen: () => undefined,
      },
    );
    this.grid.setColumns(columns());
    this.timer = setInterval(() => {
      if (!document.hidden) this.grid.request();
    }, TICK_MS);
  }

  show(rows: DeviceInfo[], chosen: string): void {
    this.rows = rows;
    const parent = this.grid.element.parentElement as HTMLElement;
    parent.style.height = `${Math.min(heightOf(Math.max(rows.length, 1)), TALLEST_SHARE * innerHeight)}px`;
    this.grid.setOpened(rows.findIndex((d) => `${d.dataset}/${d.device}` === chosen));
    this.grid.changed();
  }

  dispose(): void {
    clearInterval(this.timer);
    this.grid.dispose();
  }
}

export function DeviceList() {
  const search = useSignal('');
  const filter = useSignal<StateFilter>('all');
  const box = useRef<HTMLDivElement>(null);
  const table = useRef<DeviceTable | null>(null);
  const all = devices.value;
  const wanted = search.value.trim().toLowerCase();
  const found = all.filter((d) => `${d.device} ${d.dataset} ${d.prototype ?? ''}`.toLowerCase().includes(wanted));
  const rows = worstFirst(found.filter((d) => filter.value === 'all' || d.state === filter.value));
  const chosen = own.value.device ?? '';
  const spoken = language.value;
  useEffect(() => {
    if (box.current === null) return;
    const made = new DeviceTable(box.current, (d) => setOwn({ device: `${d.dataset}/${d.device}` }));
    table.current = made;
    return () => made.dispose();
  }, [spoken]);
  useEffect(() => table.current?.show(rows, chosen));
  const count = (state: DeviceInfo['state']) => found.filter((d) => d.state === state).length;
  return (
    <section class="card device-list" data-testid="device-list">
      <div class="card-head">
        <Segments<StateFilter>
          label={say('list.filter')}
          value={filter.value}
          choices={[
            { name: 'all', text: say('list.all'), count: found.length },
            { name: 'lost', text: say('state.lost'), count: count('lost') },
            { name: 'late', text: say('state.late'), count: count('late') },
            { name: 'live', text: say('state.live'), count: count('live') },
          ]}
          choose={(name) => {
            filter.value = name;
          }}
        />
        <span class="spring" />
        <input
          class="field-input"
          type="search"
          aria-label={say('list.search')}
          placeholder={say('list.search')}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
      </div>
      {rows.length === 0 && <Note>{all.length === 0 ? say('list.none') : say('list.nothing')}</Note>}
      <div class="grid-box" ref={box} />
    </section>
  );
}
