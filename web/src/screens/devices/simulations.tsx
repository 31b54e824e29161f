// Simulations: what runs, how fast it should and how fast it does; start, pause, pace, number of devices.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatNumber, formatShort } from '../../kit/format';
import { Note, Trouble, usePoll } from '../../kit/kit';
import { Spark, Trail } from '../../plots/spark';
import { theme } from '../../state/app';
import { formatDuration, formatRate } from '../../view/format';
import type { Failure, Reply } from '../../wire/call';
import {
  addSimulation,
  changeSimulation,
  deleteSimulation,
  getSimulations,
  type Simulation,
  type SimulationChange,
} from '../../wire/fleet';
import { getPrototypes, type Prototype } from '../../wire/streams';
import { say } from './text';

const POLL_MS = 1_000;
const KEPT = 90;
const SPEEDS = [0.1, 0.5, 1, 2, 5, 10, 100, 1_000];
const PERIODS = ['recorded', '10ms', '50ms', '100ms', '500ms', '1s', '5s', '1min'];

/** What was acknowledged between two answers, a second. */
class RateMeter {
  readonly trail = new Trail(KEPT);
  private before: { at: number; acknowledged: number } | null = null;
  rate: number | null = null;

  take(simulation: Simulation, at: number): void {
    const before = this.before;
    this.before = { at, acknowledged: simulation.acknowledged };
    if (before === null || at <= before.at || simulation.acknowledged < before.acknowledged) return;
    this.rate = ((simulation.acknowledged - before.acknowledged) * 1_000) / (at - before.at);
    this.trail.add(this.rate);
  }
}

const meters = new Map<number, RateMeter>();

function meterOf(id: number): RateMeter {
  let meter = meters.get(id);
  if (meter === undefined) {
    meter = new RateMeter();
    meters.set(id, meter);
  }
  return meter;
}

function RateLine({ simulation }: { simulation: Simulation }) {
  const box = useRef<HTMLDivElement>(null);
  const spark = useRef<Spark | null>(null);
  const expected = useRef(simulation.expected_rate);
  expected.current = simulation.state === 'running' ? simulation.expected_rate : 0;
  useEffect(() => {
    if (box.current === null) return;
    const made = new Spark(box.current, [{ trail: meterOf(simulation.id).trail, color: 0 }], () => expected.current);
    spark.current = made;
    return () => made.dispose();
  }, [simulation.id]);
  useEffect(() => {
    if (theme.value !== undefined) spark.current?.draw();
  });
  return <div class="rate-line" ref={box} aria-hidden="true" />;
}

function PeriodSelect({
  value,
  choose,
  ...more
}: {
  value: string;
  choose: (period: string) => void;
  'data-testid'?: string;
}) {
  const periods = PERIODS.includes(value) ? PERIODS : [...PERIODS, value];
  return (
    <label class="field-label">
      {say('sim.period')}
      <select class="field-select" value={value} onChange={(event) => choose(event.currentTarget.value)} {...more}>
        {periods.map((period) => (
          <option key={period} value={period}>
            {period === 'recorded' ? say('sim.recorded') : period}
          </option>
        ))}
      </select>
    </label>
  );
}

function Controls({ simulation, change }: { simulation: Simulation; change: (change: SimulationChange) => void }) {
  const count = useSignal<string | null>(null);
  const speeds = SPEEDS.includes(simulation.speed) ? SPEEDS : [...SPEEDS, simulation.speed].sort((a, b) => a - b);
  const running = simulation.state === 'running';
  return (
    <div class="controls">
      <button
        type="button"
        class={running ? 'button' : 'button strong'}
        onClick={() => change({ state: running ? 'paused' : 'running' })}
        data-testid="toggle"
      >
        {running ? say('sim.pause') : say('sim.start')}
      </button>
      <label class="field-label">
        {say('sim.speed')}
        <select
          class="field-select"
          value={String(simulation.speed)}
          onChange={(event) => change({ speed: Number(event.currentTarget.value) })}
        >
          {speeds.map((speed) => (
            <option key={speed} value={String(speed)}>
              {formatNumber(speed, 3)}×
            </option>
          ))}
        </select>
      </label>
      <PeriodSelect value={simulation.period} choose={(period) => change({ period })} data-testid="period" />
      <form
        class="row-of"
        onSubmit={(event) => {
          event.preventDefault();
          if (count.value !== null) change({ devices: Number(count.value) });
          count.value = null;
        }}
      >
        <label class="field-label">
          {say('sim.devices')}
          <input
            class="field-input count"
            type="number"
            min={1}
            max={100_000}
            value={count.value ?? String(simulation.devices.length)}
            onInput={(event) => {
              count.value = event.currentTarget.value;
            }}
            data-testid="devices"
          />
        </label>
        {count.value !== null && count.value !== String(simulation.devices.length) && (
          <button type="submit" class="button strong apply">
            {say('sim.apply')}
          </button>
        )}
      </form>
    </div>
  );
}

function Card({ simulation, label, changed }: { simulation: Simulation; label: string; changed: () => void }) {
  const failure = useSignal<Failure | null>(null);
  const sure = useSignal(false);
  const settle = async (answer: Promise<Reply<unknown>>) => {
    const settled = await answer;
    failure.value = settled.ok ? null : settled;
    changed();
  };
  const rate = meterOf(simulation.id).rate;
  const running = simulation.state === 'running';
  return (
    <article class="card simulation" data-testid={`simulation-${simulation.prototype}`}>
      <div class="card-head">
        <h3>
          {label} <small class="hint">{simulation.prototype}</small>
        </h3>
        <span class={`badge ${running ? 'good' : simulation.state === 'failed' ? 'bad' : 'warn'}`} data-testid="state">
          {say(`sim.state.${simulation.state}`)}
        </span>
        <button
          type="button"
          class="button small danger"
          onClick={() => {
            if (sure.value) void settle(deleteSimulation(simulation.id));
            sure.value = !sure.value;
          }}
        >
          {sure.value ? say('sim.sure') : say('sim.remove')}
        </button>
      </div>
      {simulation.problem !== undefined && <Note tone="bad">{simulation.problem}</Note>}
      <div class="rate-figure">
        <span>
          <b>{rate === null ? '–' : formatRate(rate)}</b>
          <small>{say('sim.ofExpected', { rate: formatRate(simulation.expected_rate) })}</small>
        </span>
        <RateLine simulation={simulation} />
      </div>
      <Controls simulation={simulation} change={(c) => void settle(changeSimulation(simulation.id, c))} />
      <Trouble failure={failure.value} />
      <dl class="facts-list">
        <div>
          <dt>{say('sim.acknowledged')}</dt>
          <dd>{formatShort(simulation.acknowledged)}</dd>
        </div>
        <div>
          <dt>{say('sim.refused')}</dt>
          <dd class={simulation.refused + simulation.dropped > 0 ? 'bad' : ''}>
            {formatShort(simulation.refused + simulation.dropped)}
          </dd>
        </div>
        <div>
          <dt>{say('sim.late')}</dt>
          <dd>{formatDuration(simulation.lateness_us_max)}</dd>
        </div>
        <div>
          <dt>{say('sim.loops')}</dt>
          <dd>{formatNumber(simulation.loops)}</dd>
        </div>
      </dl>
    </article>
  );
}

function Add({ prototypes, done }: { prototypes: Prototype[]; done: () => void }) {
  const prototype = useSignal('');
  const period = useSignal('recorded');
  const count = useSignal('1');
  const failure = useSignal<Failure | null>(null);
  const code = prototype.value === '' ? (prototypes[0]?.code ?? '') : prototype.value;
  const add = async (event: Event) => {
    event.preventDefault();
    const answer = await addSimulation({ prototype: code, period: period.value, devices: Number(count.value) });
    failure.value = answer.ok ? null : answer;
    if (answer.ok) done();
  };
  if (prototypes.length === 0) return <Note>{say('sim.noPrototype')}</Note>;
  return (
    <form class="controls add" onSubmit={add} aria-label={say('sim.add')}>
      <label class="field-label">
        {say('sim.prototype')}
        <select
          class="field-select"
          value={code}
          onChange={(event) => {
            prototype.value = event.currentTarget.value;
          }}
        >
          {prototypes.map((p) => (
            <option key={p.code} value={p.code}>
              {p.label === '' ? p.code : `${p.label} · ${p.code}`}
            </option>
          ))}
        </select>
      </label>
      <PeriodSelect
        value={period.value}
        choose={(name) => {
          period.value = name;
        }}
      />
      <label class="field-label">
        {say('sim.devices')}
        <input
          class="field-input count"
          type="number"
          min={1}
          max={100_000}
          value={count.value}
          onInput={(event) => {
            count.value = event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" class="button strong">
        {say('sim.add')}
      </button>
      <Trouble failure={failure.value} />
    </form>
  );
}

export function Simulations() {
  const simulations = useSignal<Simulation[] | null>(null);
  const prototypes = useSignal<Prototype[]>([]);
  const failure = useSignal<Failure | null>(null);
  const adding = useSignal(false);
  const refresh = async (signal?: AbortSignal) => {
    const answer = await getSimulations(signal);
    if (answer.ok) {
      for (const s of answer.value.simulations) meterOf(s.id).take(s, performance.now());
      simulations.value = answer.value.simulations;
    }
    failure.value = answer.ok ? null : answer;
  };
  usePoll(POLL_MS, refresh);
  usePoll(10_000, async (signal) => {
    const answer = await getPrototypes(signal);
    if (answer.ok) prototypes.value = answer.value.prototypes;
  });
  const labelOf = (code: string) => {
    const label = prototypes.value.find((p) => p.code === code)?.label ?? '';
    return label === '' ? code : label;
  };
  return (
    <section aria-labelledby="simulations-title" class="simulations">
      <div class="screen-head">
        <h2 id="simulations-title">{say('sim.title')}</h2>
        <span class="spring" />
        <button
          type="button"
          class="button"
          aria-expanded={adding.value}
          onClick={() => {
            adding.value = !adding.value;
          }}
        >
          {say('sim.new')}
        </button>
      </div>
      <Trouble failure={failure.value} />
      {adding.value && (
        <div class="card">
          <Add
            prototypes={prototypes.value}
            done={() => {
              adding.value = false;
              void refresh();
            }}
          />
        </div>
      )}
      {simulations.value?.length === 0 && <Note>{say('sim.none')}</Note>}
      <div class="simulation-list">
        {(simulations.value ?? []).map((simulation) => (
          <Card
            key={simulation.id}
            simulation={simulation}
            label={labelOf(simulation.prototype)}
            changed={() => void refresh()}
          />
        ))}
      </div>
    </section>
  );
}
