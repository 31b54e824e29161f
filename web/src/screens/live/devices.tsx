// The devices of a dataset: state, last seen, rate against the expected one; a click takes a device off the charts.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { seriesColor } from '../../chart/palette';
import { devices, hiddenDevices, live, namesOfDevices, structure, theme, toggleDevice } from '../../state/app';
import { formatAge, formatRate } from '../../view/format';
import type { DeviceInfo } from '../../wire/rest';
import { say } from './text';

const TICK_MS = 1_000;

/** The devices that the server lists, and those that only the live stream has named so far. */
function devicesOf(dataset: string): { name: string; info: DeviceInfo | null; position: number; seen: number }[] {
  const listed = devices.value.filter((d) => d.dataset === dataset);
  const intake = live.feeds.get(dataset)?.current;
  return namesOfDevices(dataset).map((name, position) => {
    const info = listed.find((d) => d.device === name) ?? null;
    // The stream knows before the list does, which is asked for every other second.
    const newest = intake?.rings.get(name)?.newest ?? Number.NaN;
    return { name, position, info, seen: Math.max(info?.last_seen ?? 0, Number.isNaN(newest) ? 0 : newest) };
  });
}

function Chip({ position }: { position: number }) {
  // Read so that a change of theme renders the chip again.
  const current = theme.value;
  return (
    <i
      class="chip"
      data-theme-used={current}
      ref={(element) => {
        if (element !== null) element.style.backgroundColor = seriesColor(position);
      }}
    />
  );
}

function Device({
  dataset,
  name,
  info,
  position,
  now,
  seen,
}: {
  dataset: string;
  name: string;
  info: DeviceInfo | null;
  position: number;
  now: number;
  seen: number;
}) {
  const key = `${dataset}/${name}`;
  const shown = !hiddenDevices.value.has(key);
  const state = info?.state ?? 'live';
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          class="device"
          aria-pressed={shown}
          title={say('devices.toggle', { device: name })}
          onClick={() => toggleDevice(key)}
        >
          <Chip position={position} />
          <span>{name}</span>
        </button>
      </th>
      <td>
        <span class={`state-word ${state}`}>{say(`devices.state.${state}`)}</span>
      </td>
      <td class="number">{seen === 0 ? '–' : formatAge(now - seen)}</td>
      <td class="number">
        {info === null ? '–' : formatRate(info.rate)}
        {info !== null && info.expected_rate !== null && (
          <small> {say('devices.expected', { rate: formatRate(info.expected_rate) })}</small>
        )}
      </td>
    </tr>
  );
}

export function Devices({ dataset }: { dataset: string }) {
  const now = useSignal(live.clock.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = live.clock.now();
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [now]);
  // Devices that the stream names are not signals themselves.
  structure.value;
  const all = devicesOf(dataset);
  if (all.length === 0) return null;
  return (
    <div class="devices" data-testid="devices">
      <table>
        <caption class="visually-hidden">{say('devices.label')}</caption>
        <thead>
          <tr>
            <th scope="col">{say('devices.label')}</th>
            <td />
            <th scope="col" class="number">
              {say('devices.seen')}
            </th>
            <th scope="col" class="number">
              {say('devices.rate')}
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map((d) => (
            <Device key={d.name} dataset={dataset} now={now.value} {...d} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
