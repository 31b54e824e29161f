// Devices & simulations: who sends, since when, how fast against how fast expected; and what drives the simulated ones.

import { devices, own } from '../../state/app';
import { formatRate } from '../../view/format';
import { Detail } from './detail';
import { DeviceList } from './list';
import { Simulations } from './simulations';
import { say } from './text';
import './devices.css';

function Summary() {
  const all = devices.value;
  const count = (state: string) => all.filter((d) => d.state === state).length;
  const rate = all.reduce((sum, d) => sum + d.rate, 0);
  const expected = all.reduce((sum, d) => sum + (d.expected_rate ?? 0), 0);
  const figure = (name: string, value: string, tone = '') => (
    <div>
      <dt>{name}</dt>
      <dd class={tone}>{value}</dd>
    </div>
  );
  return (
    <dl class="facts-list card summary" data-testid="summary">
      {figure(say('summary.devices'), String(all.length))}
      {figure(say('state.live'), String(count('live')), 'good')}
      {figure(say('state.late'), String(count('late')), count('late') > 0 ? 'warn' : '')}
      {figure(say('state.lost'), String(count('lost')), count('lost') > 0 ? 'bad' : '')}
      {figure(say('summary.rate'), formatRate(rate))}
      {figure(say('summary.expected'), formatRate(expected))}
    </dl>
  );
}

export default function Devices() {
  const chosen = devices.value.find((d) => `${d.dataset}/${d.device}` === own.value.device);
  return (
    <div class="screen devices-screen">
      <Summary />
      <div class={chosen === undefined ? 'fleet' : 'fleet open'}>
        <DeviceList />
        {chosen !== undefined && <Detail key={`${chosen.dataset}/${chosen.device}`} device={chosen} />}
      </div>
      <Simulations />
    </div>
  );
}
