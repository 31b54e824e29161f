// Self: what the server does, how fast, with what; who looks at it, and what was merged for whom.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatBytes, formatMillis, formatNumber, formatShort } from '../../kit/format';
import { Note, Search, Trouble, usePoll, Wide } from '../../kit/kit';
import { formatMicros } from '../../kit/time';
import { Spark, type SparkLine, Trail } from '../../plots/spark';
import { datasets, live, serverVersion, theme } from '../../state/app';
import { DEFAULT_SPAN } from '../../state/window';
import { formatDuration, formatRate } from '../../view/format';
import type { Failure } from '../../wire/call';
import {
  getMetrics,
  getStatus,
  type MqttClient,
  type ServerStatus,
  type SlowQuery,
  type Viewer,
} from '../../wire/fleet';
import { parseScrape, quantile, rateOf, type Scrape, total } from './prometheus';
import { type SelfKey, say } from './text';
import './self.css';

const POLL_MS = 1_000;
const KEPT = 120;
/** Rates and quantiles are of about so long. */
const WINDOW_MS = 30_000;
const LIVE_PIXELS = 300;

function trails() {
  const make = () => new Trail(KEPT);
  return {
    events: make(),
    glass50: make(),
    glass99: make(),
    socket50: make(),
    socket99: make(),
    cpu: make(),
    memory: make(),
    viewers: make(),
  };
}

/** Kept while the page is: coming back to the screen shows what was, not an empty line. */
const history = trails();
const scrapes: Scrape[] = [];
let cpuBefore: { at: number; seconds: number } | null = null;

function cpuShare(status: ServerStatus, at: number): number | null {
  const before = cpuBefore;
  cpuBefore = { at, seconds: status.cpu_seconds };
  if (before === null || at <= before.at || status.cpu_seconds < before.seconds) return null;
  return ((status.cpu_seconds - before.seconds) * 1_000) / (at - before.at);
}

function keepScrape(scrape: Scrape): void {
  scrapes.push(scrape);
  while (scrapes.length > 2 && scrape.at - (scrapes[1] as Scrape).at > WINDOW_MS) scrapes.shift();
}

interface TileProps {
  title: string;
  main: string;
  rest: string;
  lines: SparkLine[];
  tick: number;
  testid: string;
}

function Tile({ title, main, rest, lines, tick, testid }: TileProps) {
  const box = useRef<HTMLDivElement>(null);
  const spark = useRef<Spark | null>(null);
  useEffect(() => {
    if (box.current === null) return;
    const made = new Spark(box.current, lines);
    spark.current = made;
    return () => made.dispose();
  }, []);
  useEffect(() => {
    if (theme.value !== undefined && tick >= 0) spark.current?.draw();
  });
  return (
    <div class="card self-tile">
      <h3>{title}</h3>
      <p>
        <b data-testid={testid}>{main}</b> <small>{rest}</small>
      </p>
      <div class="self-spark" ref={box} aria-hidden="true" />
    </div>
  );
}

const millis = (value: number | null) => (value === null ? '–' : formatMillis(value));

function Tiles({ status, cpu, tick }: { status: ServerStatus; cpu: number | null; tick: number }) {
  const glass50 = live.latency.quantile(performance.now(), 0.5);
  const glass99 = live.latency.quantile(performance.now(), 0.99);
  return (
    <div class="self-tiles">
      <Tile
        title={say('tile.events')}
        main={formatRate(status.rates.events_per_s)}
        rest={say('tile.eventsAll', { n: formatShort(status.rates.events) })}
        lines={[{ trail: history.events, color: 0 }]}
        tick={tick}
        testid="self-events"
      />
      <Tile
        title={say('tile.glass')}
        main={millis(glass50)}
        rest={say('tile.p99', { value: millis(glass99) })}
        lines={[
          { trail: history.glass99, color: 1 },
          { trail: history.glass50, color: 2 },
        ]}
        tick={tick}
        testid="self-glass"
      />
      <Tile
        title={say('tile.socket')}
        main={millis(status.latency_ms.p50)}
        rest={say('tile.p99', { value: millis(status.latency_ms.p99) })}
        lines={[
          { trail: history.socket99, color: 1 },
          { trail: history.socket50, color: 2 },
        ]}
        tick={tick}
        testid="self-socket"
      />
      <Tile
        title={say('tile.cpu')}
        main={cpu === null ? '–' : `${formatNumber(cpu * 100, 1)} %`}
        rest={say('tile.threads', { n: status.threads })}
        lines={[{ trail: history.cpu, color: 4 }]}
        tick={tick}
        testid="self-cpu"
      />
      <Tile
        title={say('tile.memory')}
        main={formatBytes(status.memory.rss_bytes)}
        rest={say('tile.most', { value: formatBytes(status.memory.rss_bytes_max) })}
        lines={[{ trail: history.memory, color: 3 }]}
        tick={tick}
        testid="self-memory"
      />
      <Tile
        title={say('tile.viewers')}
        main={formatNumber(status.viewers.length + (status.mqtt?.length ?? 0))}
        rest={say('tile.files', { n: status.open_files })}
        lines={[{ trail: history.viewers, color: 6 }]}
        tick={tick}
        testid="self-viewers"
      />
    </div>
  );
}

type Figure = [SelfKey, (now: Scrape, before: Scrape | null) => string | null];

const count =
  (name: string) =>
  (now: Scrape): string | null => {
    const value = total(now, name);
    return value === null ? null : formatNumber(value);
  };
const perSecond =
  (name: string, as: (rate: number) => string = formatRate) =>
  (now: Scrape, before: Scrape | null): string | null => {
    const rate = rateOf(before, now, name);
    return rate === null ? null : as(rate);
  };
const both =
  (name: string, unitMs: number) =>
  (now: Scrape, before: Scrape | null): string | null => {
    const half = quantile(before, now, name, 0.5);
    const most = quantile(before, now, name, 0.99);
    if (half === null || most === null) return null;
    return `${formatMillis(half * unitMs)} · ${formatMillis(most * unitMs)}`;
  };
const bytesRate = (rate: number) => `${formatBytes(rate)}/s`;

const HEALTH: [SelfKey, Figure[]][] = [
  [
    'health.ingest',
    [
      ['health.accepted', perSecond('iotstream_ingest_accepted_total')],
      ['health.bytes', perSecond('iotstream_ingest_received_bytes_total', bytesRate)],
      ['health.ingestLatency', both('iotstream_ingest_latency_seconds', 1e3)],
      ['health.rejected', count('iotstream_ingest_rejected_total')],
      ['health.duplicates', count('iotstream_ingest_duplicates_total')],
      ['health.conflicts', count('iotstream_ingest_conflicts_total')],
      ['health.refused', count('iotstream_ingest_refused_total')],
    ],
  ],
  [
    'health.log',
    [
      ['health.appended', perSecond('iotstream_log_bytes_appended_total', bytesRate)],
      ['health.sync', both('iotstream_log_sync_duration_seconds', 1e3)],
      ['health.syncs', perSecond('iotstream_log_syncs_total')],
      ['health.outOfOrder', count('iotstream_log_out_of_order_total')],
      ['health.pressure', count('iotstream_log_back_pressured_total')],
      ['health.corrupt', count('iotstream_log_corrupt_bytes_total')],
    ],
  ],
  [
    'health.store',
    [
      ['health.rows', perSecond('iotstream_store_rows_total')],
      ['health.commit', both('iotstream_store_commit_seconds', 1e3)],
      ['health.lag', count('iotstream_store_lag_records')],
      ['health.query', both('iotstream_store_query_seconds', 1e3)],
      ['health.queries', perSecond('iotstream_store_queries_total')],
    ],
  ],
  [
    'health.live',
    [
      ['health.frames', perSecond('iotstream_live_frames_total')],
      ['health.liveRows', perSecond('iotstream_live_rows_total')],
      ['health.merged', count('iotstream_live_merged_rows_total')],
      ['health.dropped', count('iotstream_live_dropped_viewers_total')],
      ['health.out', perSecond('iotstream_net_bytes_out_total', bytesRate)],
      ['health.requests', perSecond('iotstream_net_requests_total')],
    ],
  ],
];

function Health({ tick }: { tick: number }) {
  const now = scrapes[scrapes.length - 1];
  const before = scrapes.length > 1 ? (scrapes[0] as Scrape) : null;
  if (now === undefined || tick < 0) return null;
  return (
    <div class="health">
      {HEALTH.map(([title, figures]) => (
        <section key={title} class="card">
          <h3>{say(title)}</h3>
          <dl class="pairs">
            {figures.map(([name, read]) => (
              <div key={name}>
                <dt>{say(name)}</dt>
                <dd>{read(now, before) ?? '–'}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function Viewers({ viewers }: { viewers: Viewer[] }) {
  return (
    <section class="card">
      <h3>{say('viewers.title')}</h3>
      {viewers.length === 0 ? (
        <Note>{say('viewers.none')}</Note>
      ) : (
        <Wide label={say('viewers.title')}>
          <table class="plain" data-testid="viewers">
            <thead>
              <tr>
                <th scope="col">{say('viewers.remote')}</th>
                <th scope="col" class="number">
                  {say('viewers.subscriptions')}
                </th>
                <th scope="col" class="number">
                  {say('viewers.frames')}
                </th>
                <th scope="col" class="number">
                  {say('viewers.rows')}
                </th>
                <th scope="col" class="number">
                  {say('viewers.merged')}
                </th>
              </tr>
            </thead>
            <tbody>
              {viewers.map((v) => (
                <tr key={v.id}>
                  <th scope="row">{v.remote}</th>
                  <td class="number">{formatNumber(v.subscriptions)}</td>
                  <td class="number">{formatShort(v.frames)}</td>
                  <td class="number">{formatShort(v.rows)}</td>
                  <td class="number">
                    {v.merged === 0 ? '0' : <span class="badge warn">{formatShort(v.merged)}</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </section>
  );
}

function Mqtt({ clients }: { clients: MqttClient[] }) {
  return (
    <section class="card">
      <h3>{say('mqtt.title')}</h3>
      {clients.length === 0 ? (
        <Note>{say('mqtt.none')}</Note>
      ) : (
        <Wide label={say('mqtt.title')}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{say('mqtt.client')}</th>
                <th scope="col">{say('viewers.remote')}</th>
                <th scope="col" class="number">
                  {say('mqtt.published')}
                </th>
                <th scope="col" class="number">
                  {say('mqtt.delivered')}
                </th>
              </tr>
            </thead>
            <tbody>
              {clients.map((c) => (
                <tr key={c.client}>
                  <th scope="row">
                    {c.client} <small>MQTT {c.version}</small>
                  </th>
                  <td>{c.remote}</td>
                  <td class="number">{formatShort(c.published)}</td>
                  <td class="number">{formatShort(c.delivered)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </section>
  );
}

function SlowQueries({ queries }: { queries: SlowQuery[] }) {
  return (
    <section class="card">
      <h3>{say('slow.title')}</h3>
      {queries.length === 0 ? (
        <Note>{say('slow.none')}</Note>
      ) : (
        <Wide label={say('slow.title')}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{say('slow.what')}</th>
                <th scope="col" class="number">
                  {say('slow.took')}
                </th>
                <th scope="col" class="number">
                  {say('slow.rows')}
                </th>
                <th scope="col">{say('slow.when')}</th>
              </tr>
            </thead>
            <tbody>
              {queries.slice(0, MOST_QUERIES).map((q) => (
                <tr key={`${q.time} ${q.kind} ${q.query}`}>
                  <th scope="row">
                    {q.kind} <small>{q.query}</small> {q.outcome !== undefined && <small>{q.outcome}</small>}
                  </th>
                  <td class="number">{formatMillis(q.ms)}</td>
                  <td class="number">{formatShort(q.rows)}</td>
                  <td>{formatMicros(q.time).slice(11, 19)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </section>
  );
}

function labelText(labels: ReadonlyMap<string, string>): string {
  return [...labels].map(([name, value]) => `${name}=${value}`).join(', ');
}

function Metrics({ tick }: { tick: number }) {
  const search = useSignal('');
  const open = useSignal(false);
  const now = scrapes[scrapes.length - 1];
  const wanted = search.value.toLowerCase();
  const shown =
    !open.value || now === undefined || tick < 0
      ? []
      : now.samples.filter((s) => !s.name.endsWith('_bucket') && s.name.includes(wanted)).slice(0, MOST_METRICS);
  return (
    <details
      class="card all-metrics"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary class="card-head">
        <b>{say('metrics.title', { n: now?.samples.length ?? 0 })}</b>
      </summary>
      <div class="metrics-body">
        <a class="button small quiet" href="/metrics">
          /metrics
        </a>
        <Search label={say('metrics.search')} text={search} />
        <div class="scroll-x tall" tabIndex={0} role="region" aria-label={say('metrics.title', { n: shown.length })}>
          <table class="plain">
            <tbody>
              {shown.map((s) => (
                <tr key={`${s.name}${labelText(s.labels)}`}>
                  <th scope="row" title={now?.help.get(s.name)}>
                    {s.name.replace(/^iotstream_/, '')} <small>{labelText(s.labels)}</small>
                  </th>
                  <td class="number">{formatNumber(s.value, 3)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </details>
  );
}

const MOST_METRICS = 300;
const MOST_QUERIES = 10;

/** This screen has no charts whose frames could be timed: while it is open it asks for them itself. */
function useFeeds(): void {
  const names = (datasets.value ?? []).map((d) => d.name).join('\n');
  useEffect(() => {
    const all = names === '' ? [] : names.split('\n');
    for (const name of all) live.want(name, DEFAULT_SPAN, LIVE_PIXELS);
    return () => {
      for (const name of all) live.release(name);
    };
  }, [names]);
}

export default function Self() {
  const status = useSignal<ServerStatus | null>(null);
  const failure = useSignal<Failure | null>(null);
  const cpu = useSignal<number | null>(null);
  const tick = useSignal(0);
  useFeeds();
  usePoll(POLL_MS, async (signal) => {
    const [now, metrics] = await Promise.all([getStatus(signal), getMetrics(signal)]);
    const at = performance.now();
    if (metrics.ok) keepScrape(parseScrape(metrics.value, at));
    failure.value = now.ok ? null : now;
    if (!now.ok) return;
    cpu.value = cpuShare(now.value, at);
    status.value = now.value;
    remember(now.value, cpu.value);
    tick.value += 1;
  });
  const known = status.value;
  if (known === null) return <Trouble failure={failure.value} />;
  return (
    <div class="screen self-screen">
      <div class="screen-head">
        <h2>{say('title', { version: serverVersion.value === '' ? known.version : serverVersion.value })}</h2>
        <p class="facts">
          <span class={`badge ${known.ready ? 'good' : 'warn'}`}>{known.ready ? say('ready') : say('notReady')}</span>
          <span>{say('uptime', { span: formatDuration(known.uptime_s * 1e6) })}</span>
          <span>{say('since', { time: formatMicros(known.started).slice(0, 19) })}</span>
          <span class="mono">{known.data_dir}</span>
        </p>
      </div>
      <Trouble failure={failure.value} />
      <Tiles status={known} cpu={cpu.value} tick={tick.value} />
      <Health tick={tick.value} />
      <div class="clients">
        <Viewers viewers={known.viewers} />
        {known.mqtt !== undefined && <Mqtt clients={known.mqtt} />}
        {known.slow_queries !== undefined && <SlowQueries queries={known.slow_queries} />}
      </div>
      <Metrics tick={tick.value} />
    </div>
  );
}

function remember(status: ServerStatus, cpu: number | null): void {
  const at = performance.now();
  history.events.add(status.rates.events_per_s);
  history.glass50.add(live.latency.quantile(at, 0.5) ?? 0);
  history.glass99.add(live.latency.quantile(at, 0.99) ?? 0);
  history.socket50.add(status.latency_ms.p50 ?? 0);
  history.socket99.add(status.latency_ms.p99 ?? 0);
  if (cpu !== null) history.cpu.add(cpu * 100);
  history.memory.add(status.memory.rss_bytes);
  history.viewers.add(status.viewers.length + (status.mqtt?.length ?? 0));
}
