// Consumer groups: who reads what, how far behind, and the way to begin anew.

import { useSignal } from '@preact/signals';
import { formatNumber } from '../../kit/format';
import { Note, Trouble, usePoll, Wide } from '../../kit/kit';
import { formatDuration } from '../../view/format';
import type { Failure, Reply } from '../../wire/call';
import { deleteGroup, type GroupInfo, type GroupPartition, getGroups, resetGroup } from '../../wire/streams';
import { type StreamsKey, say } from './text';

const POLL_MS = 1_500;

interface TopicLag {
  topic: string;
  lag: number;
  seconds: number;
  partitions: GroupPartition[];
}

/** The lag of a group by topic: the sum of its partitions' records, the longest of their seconds. */
export function lagByTopic(offsets: readonly GroupPartition[]): TopicLag[] {
  const topics = new Map<string, TopicLag>();
  for (const o of offsets) {
    const entry = topics.get(o.topic) ?? { topic: o.topic, lag: 0, seconds: 0, partitions: [] };
    entry.lag += o.lag ?? 0;
    entry.seconds = Math.max(entry.seconds, o.lag_seconds ?? 0);
    entry.partitions.push(o);
    topics.set(o.topic, entry);
  }
  return [...topics.values()].sort((a, b) => a.topic.localeCompare(b.topic));
}

function Partitions({ partitions }: { partitions: GroupPartition[] }) {
  return (
    <table class="plain inner">
      <thead>
        <tr>
          <th scope="col">{say('topics.partition')}</th>
          <th scope="col" class="number">
            {say('groups.committed')}
          </th>
          <th scope="col" class="number">
            {say('groups.end')}
          </th>
          <th scope="col" class="number">
            {say('groups.lag')}
          </th>
          <th scope="col">{say('groups.owner')}</th>
        </tr>
      </thead>
      <tbody>
        {partitions.map((p) => (
          <tr key={p.partition}>
            <th scope="row">P{p.partition}</th>
            <td class="number">{p.committed === null ? '–' : formatNumber(p.committed)}</td>
            <td class="number">{p.next === undefined ? '–' : formatNumber(p.next + (p.lag ?? 0))}</td>
            <td class="number">{p.lag === undefined ? '–' : formatNumber(p.lag)}</td>
            <td>{p.owner ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Group({ group, changed }: { group: GroupInfo; changed: () => void }) {
  const failure = useSignal<Failure | null>(null);
  const sure = useSignal(false);
  const act = async (answer: Promise<Reply<unknown>>) => {
    const settled = await answer;
    failure.value = settled.ok ? null : settled;
    sure.value = false;
    changed();
  };
  return (
    <section class="card group-card">
      <div class="card-head">
        <h3>{group.group}</h3>
        <span class={`badge ${group.state === 'stable' ? 'good' : ''}`}>
          {say(`groups.state.${group.state}` as StreamsKey)}
        </span>
        <small class="hint">
          {group.member_count === 1 ? say('groups.member') : say('groups.members', { n: group.member_count })} ·{' '}
          {say('groups.generation', { n: group.generation })}
        </small>
        {sure.value ? (
          <span class="row-of">
            <button type="button" class="button small danger" onClick={() => act(deleteGroup(group.group))}>
              {say('groups.sure')}
            </button>
            <button
              type="button"
              class="button small"
              onClick={() => {
                sure.value = false;
              }}
            >
              {say('cancel')}
            </button>
          </span>
        ) : (
          <button
            type="button"
            class="button small danger"
            disabled={group.member_count > 0}
            onClick={() => {
              sure.value = true;
            }}
          >
            {say('groups.remove')}
          </button>
        )}
      </div>
      <Trouble failure={failure.value} />
      {lagByTopic(group.offsets).map((topic) => (
        <details key={topic.topic} class="group-topic">
          <summary>
            <b>{topic.topic}</b>
            <span class={topic.lag > 0 ? 'badge warn' : 'badge good'}>
              {say('groups.behind', { n: formatNumber(topic.lag) })}
            </span>
            {topic.seconds > 0 && <small>{formatDuration(topic.seconds * 1e6)}</small>}
          </summary>
          <Wide label={topic.topic}>
            <Partitions partitions={topic.partitions} />
          </Wide>
          <span class="row-of">
            <button
              type="button"
              class="button small"
              disabled={group.member_count > 0}
              onClick={() => act(resetGroup(group.group, topic.topic, 'earliest'))}
            >
              {say('groups.toEarliest')}
            </button>
            <button
              type="button"
              class="button small"
              disabled={group.member_count > 0}
              onClick={() => act(resetGroup(group.group, topic.topic, 'latest'))}
            >
              {say('groups.toLatest')}
            </button>
            {group.member_count > 0 && <small>{say('groups.busy')}</small>}
          </span>
        </details>
      ))}
    </section>
  );
}

/** With `topic` only the groups that read it. */
export function Groups({ topic }: { topic: string | null }) {
  const groups = useSignal<GroupInfo[] | null>(null);
  const failure = useSignal<Failure | null>(null);
  const refresh = async (signal?: AbortSignal) => {
    const answer = await getGroups(signal);
    if (answer.ok) groups.value = answer.value.groups;
    failure.value = answer.ok ? null : answer;
  };
  usePoll(POLL_MS, refresh);
  const shown = (groups.value ?? []).filter((g) => topic === null || g.offsets.some((o) => o.topic === topic));
  return (
    <div class="stack" data-testid="groups">
      <Trouble failure={failure.value} />
      {groups.value !== null && shown.length === 0 && (
        <div class="card">
          <Note>{topic === null ? say('groups.none') : say('groups.noneOf', { topic })}</Note>
        </div>
      )}
      {shown.map((group) => (
        <Group key={group.group} group={group} changed={() => void refresh()} />
      ))}
    </div>
  );
}
