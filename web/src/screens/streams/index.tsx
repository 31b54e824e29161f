// Streams: the topics of the log with their messages, groups, schemas and dead letters, and the prototypes.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatBytes, formatNumber, formatShort } from '../../kit/format';
import { Note, Segments, Share, Trouble, usePoll, Wide } from '../../kit/kit';
import { datasets, own, rates, setOwn } from '../../state/app';
import { formatDuration, formatRate } from '../../view/format';
import type { Failure } from '../../wire/call';
import { getTopics, type PartitionInfo, type TopicInfo } from '../../wire/streams';
import { Groups } from './groups';
import { Messages } from './messages';
import { Prototypes } from './prototypes';
import { Rejected } from './rejected';
import { Schema } from './schema';
import { say } from './text';
import './streams.css';

const POLL_MS = 1_000;

type Tab = 'messages' | 'partitions' | 'schema' | 'rejected' | 'groups';
/** What is not a topic: `~` begins no name of one. */
const PLACES = ['~groups', '~rejected', '~prototypes'] as const;
type Place = (typeof PLACES)[number];

function bytesOf(topic: TopicInfo): number {
  return topic.partitions.reduce((sum, p) => sum + p.bytes, 0);
}

function messagesOf(topic: TopicInfo): number {
  return topic.partitions.reduce((sum, p) => sum + p.durable - p.earliest, 0);
}

function labelOf(topic: string): string {
  return datasets.value?.find((d) => d.name === topic)?.label ?? '';
}

function isInternal(topic: string): boolean {
  return topic.startsWith('_');
}

function RailTopic({ topic, chosen, most }: { topic: TopicInfo; chosen: boolean; most: number }) {
  const rate = rates.value.get(topic.topic)?.rate ?? 0;
  const label = labelOf(topic.topic);
  const bytes = bytesOf(topic);
  const damaged = topic.partitions.some((p) => p.damage.length > 0);
  return (
    <li>
      <button
        type="button"
        class="rail-item"
        aria-current={chosen ? 'true' : undefined}
        onClick={() => setOwn({ topic: topic.topic, tab: '' })}
        data-topic={topic.topic}
      >
        <span class="rail-name">
          <b>{label === '' ? topic.topic : label}</b>
          {label !== '' && <small>{topic.topic}</small>}
          {damaged && <span class="badge bad">{say('topics.damaged')}</span>}
        </span>
        <span class="rail-figures">
          <span>{formatBytes(bytes)}</span>
          <Share part={most === 0 ? 0 : bytes / most} />
          <span class="rail-rate">{rate > 0 ? formatRate(rate) : ''}</span>
        </span>
      </button>
    </li>
  );
}

function RailPlace({ place, chosen }: { place: Place; chosen: boolean }) {
  return (
    <li>
      <button
        type="button"
        class="rail-item"
        aria-current={chosen ? 'true' : undefined}
        onClick={() => setOwn({ topic: place, tab: '' })}
        data-topic={place}
      >
        <span class="rail-name">
          <b>{say(`place.${place}`)}</b>
        </span>
      </button>
    </li>
  );
}

function PartitionRow({ partition, most }: { partition: PartitionInfo; most: number }) {
  const count = partition.durable - partition.earliest;
  return (
    <tr>
      <th scope="row">P{partition.partition}</th>
      <td class="number">{formatNumber(partition.earliest)}</td>
      <td class="number">{formatNumber(partition.durable)}</td>
      <td class="number">{formatNumber(partition.written - partition.durable)}</td>
      <td class="number">
        {formatNumber(count)}
        <Share part={most === 0 ? 0 : count / most} />
      </td>
      <td class="number">{formatBytes(partition.bytes)}</td>
      <td class="number">{partition.segments}</td>
      <td>
        {partition.damage.length === 0 ? (
          <span class="badge good">{say('partitions.sound')}</span>
        ) : (
          partition.damage.map((d) => (
            <span key={d.first} class="badge bad" title={`${d.file}:${d.position} ${d.reason}`}>
              {say('partitions.damage', { first: d.first, next: d.next })}
            </span>
          ))
        )}
        {partition.read_only && <span class="badge warn">{say('partitions.readOnly')}</span>}
      </td>
    </tr>
  );
}

function Partitions({ topic }: { topic: TopicInfo }) {
  const { options } = topic;
  const most = Math.max(...topic.partitions.map((p) => p.durable - p.earliest));
  const limit = (value: string, none: boolean) => (none ? say('partitions.noLimit') : value);
  return (
    <div class="stack">
      <section class="card">
        <Wide label={say('topics.partitions')}>
          <table class="plain" data-testid="partitions">
            <caption class="visually-hidden">{say('topics.partitions')}</caption>
            <thead>
              <tr>
                <th scope="col">{say('topics.partition')}</th>
                <th scope="col" class="number">
                  {say('partitions.earliest')}
                </th>
                <th scope="col" class="number">
                  {say('partitions.durable')}
                </th>
                <th scope="col" class="number">
                  {say('partitions.pending')}
                </th>
                <th scope="col" class="number">
                  {say('partitions.messages')}
                </th>
                <th scope="col" class="number">
                  {say('partitions.bytes')}
                </th>
                <th scope="col" class="number">
                  {say('partitions.segments')}
                </th>
                <th scope="col">{say('partitions.state')}</th>
              </tr>
            </thead>
            <tbody>
              {topic.partitions.map((p) => (
                <PartitionRow key={p.partition} partition={p} most={most} />
              ))}
            </tbody>
          </table>
        </Wide>
      </section>
      <dl class="facts-list card">
        <div>
          <dt>{say('options.sync')}</dt>
          <dd>{options.sync}</dd>
        </div>
        <div>
          <dt>{say('options.segment')}</dt>
          <dd>{formatBytes(options.segment_size)}</dd>
        </div>
        <div>
          <dt>{say('options.size')}</dt>
          <dd>{limit(formatBytes(options.retention.size), options.retention.size === 0)}</dd>
        </div>
        <div>
          <dt>{say('options.age')}</dt>
          <dd>{limit(formatDuration(options.retention.age_us), options.retention.age_us === 0)}</dd>
        </div>
        <div>
          <dt>{say('options.compact')}</dt>
          <dd>{options.compact ? say('yes') : say('no')}</dd>
        </div>
      </dl>
    </div>
  );
}

function tabsOf(topic: TopicInfo): Tab[] {
  return isInternal(topic.topic)
    ? ['messages', 'partitions', 'groups']
    : ['messages', 'partitions', 'schema', 'rejected', 'groups'];
}

function Topic({ topic }: { topic: TopicInfo }) {
  const tabs = tabsOf(topic);
  const tab = tabs.find((name) => name === own.value.tab) ?? 'messages';
  const label = labelOf(topic.topic);
  return (
    <>
      <div class="screen-head">
        <h2>{label === '' ? topic.topic : label}</h2>
        <p class="facts">
          <span>{say('topics.messages', { n: formatShort(messagesOf(topic)) })}</span>
          <span>{formatBytes(bytesOf(topic))}</span>
          <span>{say('topics.ofPartitions', { n: topic.partitions.length })}</span>
        </p>
        <Segments
          label={say('topics.show')}
          value={tab}
          choices={tabs.map((name) => ({ name, text: say(`tab.${name}`) }))}
          choose={(name) => setOwn({ tab: name })}
        />
      </div>
      {tab === 'messages' && <Messages key={topic.topic} topic={topic} />}
      {tab === 'partitions' && <Partitions topic={topic} />}
      {tab === 'schema' && <Schema key={topic.topic} dataset={topic.topic} />}
      {tab === 'rejected' && <Rejected key={topic.topic} dataset={topic.topic} />}
      {tab === 'groups' && <Groups key={topic.topic} topic={topic.topic} />}
    </>
  );
}

function PlaceView({ place }: { place: Place }) {
  return (
    <>
      <div class="screen-head">
        <h2>{say(`place.${place}`)}</h2>
        <p class="facts">{say(`place.${place}Is`)}</p>
      </div>
      {place === '~groups' && <Groups topic={null} />}
      {place === '~rejected' && <Rejected dataset={null} />}
      {place === '~prototypes' && <Prototypes />}
    </>
  );
}

export default function Streams() {
  const topics = useSignal<TopicInfo[] | null>(null);
  const failure = useSignal<Failure | null>(null);
  usePoll(POLL_MS, async (signal) => {
    const answer = await getTopics(signal);
    if (answer.ok) topics.value = answer.value.topics;
    failure.value = answer.ok ? null : answer;
  });
  const all = topics.value ?? [];
  const sorted = all.toSorted(
    (a, b) => Number(isInternal(a.topic)) - Number(isInternal(b.topic)) || a.topic.localeCompare(b.topic),
  );
  const wanted = own.value.topic ?? sorted[0]?.topic ?? '';
  const place = PLACES.find((name) => name === wanted);
  const topic = all.find((t) => t.topic === wanted);
  const most = Math.max(0, ...all.map(bytesOf));
  useEffect(() => {
    // On a phone the list lies above as a strip: the chosen one is brought into it.
    document.querySelector('.rail-item[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [wanted]);
  return (
    <div class="screen streams">
      <nav class="rail-list" aria-label={say('topics.label')}>
        <ul>
          {sorted
            .filter((t) => !isInternal(t.topic))
            .map((t) => (
              <RailTopic key={t.topic} topic={t} chosen={t.topic === wanted} most={most} />
            ))}
        </ul>
        <h2 class="rail-title">{say('topics.everything')}</h2>
        <ul>
          {PLACES.map((name) => (
            <RailPlace key={name} place={name} chosen={name === place} />
          ))}
        </ul>
        <h2 class="rail-title">{say('topics.internal')}</h2>
        <ul>
          {sorted
            .filter((t) => isInternal(t.topic))
            .map((t) => (
              <RailTopic key={t.topic} topic={t} chosen={t.topic === wanted} most={most} />
            ))}
        </ul>
      </nav>
      <div class="streams-body">
        <Trouble failure={failure.value} />
        {place !== undefined && <PlaceView place={place} />}
        {topic !== undefined && <Topic topic={topic} />}
        {place === undefined && topic === undefined && topics.value !== null && (
          <Note>{wanted === '' ? say('topics.none') : say('topics.missing', { topic: wanted })}</Note>
        )}
      </div>
    </div>
  );
}
