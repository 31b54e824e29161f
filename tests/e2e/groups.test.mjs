// Consumer groups through the real binary: partitions are shared and handed over, nothing is lost, commits survive everything.

import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ask, CONFIG, eventually, get, run, startServer, temporaryFolder } from './support.mjs';

const SETTINGS = ['simulation=[]', 'log.partitions=4'];

const post = (url, path, body, options = {}) =>
  ask(url, {
    method: 'POST',
    path,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    ...options,
  });

/** `count` readings of `devices` devices; each device's readings are numbered. */
async function send(url, dataset, devices, first, count) {
  const lines = [];
  for (let n = first; n < first + count; n += 1)
    for (let device = 0; device < devices; device += 1) lines.push(JSON.stringify({ device: `d${device}`, n }));
  const answer = await ask(url, {
    method: 'POST',
    path: `/api/v1/datasets/${dataset}/events`,
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: `${lines.join('\n')}\n`,
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json().accepted, lines.length);
}

const place = ({ topic, partition }) => `${topic}/${partition}`;

/** A member that follows the protocol of docs/groups.md. */
class Member {
  constructor(url, group, options = {}) {
    this.url = url;
    this.group = group;
    this.options = { topics: ['shelf'], session_timeout: '30s', ...options };
    this.records = [];
  }

  get path() {
    return `/api/v1/groups/${this.group}/members/${this.member}`;
  }

  adopt({ generation, assignment, releasing }) {
    Object.assign(this, { generation, assignment, releasing });
  }

  async join() {
    const answer = await post(this.url, `/api/v1/groups/${this.group}/members`, this.options);
    assert.equal(answer.status, 201, answer.text);
    this.member = answer.json().member;
    this.adopt(answer.json());
    return this;
  }

  call(what, body = {}, options = {}) {
    return post(this.url, `${this.path}/${what}`, { generation: this.generation, ...body }, options);
  }

  /** One fetch; what it got is committed. False when the member is none any more. */
  async work(wait = '200ms') {
    const answer = await this.call('fetch', { max_wait: wait, max_records: 50 });
    if (answer.status === 404) return false;
    assert.ok(answer.status === 200 || answer.status === 409, answer.text);
    const reply = answer.json();
    this.adopt(reply);
    if (answer.status === 409 || reply.next.length === 0) return true;
    this.records.push(...reply.records);
    const committed = await this.call('commit', { offsets: reply.next });
    if (committed.status === 404) return false;
    if (committed.status === 409 && committed.json().generation === undefined) return true; // it has gone to another
    if (committed.status === 409) {
      this.adopt(committed.json());
      await this.call('commit', { offsets: reply.next });
    }
    return true;
  }

  leave() {
    return ask(this.url, { method: 'DELETE', path: this.path });
  }
}

const describe = async (url, group) => (await get(url, `/api/v1/groups/${group}`)).json();
const lag = async (url, group) => (await describe(url, group)).offsets.reduce((sum, offset) => sum + offset.lag, 0);

/** Lets all members work at the same time until `done`. */
async function workUntil(members, done) {
  let finished = false;
  const end = performance.now() + 60_000;
  await Promise.all(
    members.map(async (member) => {
      while (!finished && (await member.work())) {
        if (await done()) finished = true;
        assert.ok(performance.now() < end, 'done within a minute');
      }
    }),
  );
}

/** Every record of the topic is among `records`; of each partition they come in order when `once`. */
function assertComplete(records, devices, count, once) {
  const seen = new Set(records.map(({ value }) => `${value.device} ${value.n}`));
  assert.equal(seen.size, devices * count);
  if (once) assert.equal(records.length, devices * count);
  const last = new Map();
  for (const record of records) {
    const at = place(record);
    if (once) assert.equal(record.offset, (last.get(at) ?? -1) + 1, `${at} in order`);
    last.set(at, record.offset);
  }
}

test('two members share four partitions; one is killed and the other takes over; another group is not disturbed', async (t) => {
  const server = await startServer(t, temporaryFolder(), SETTINGS);
  const { url } = server;
  await send(url, 'shelf', 16, 0, 20);
  const a = await new Member(url, 'workers', { client: 'a' }).join();
  assert.equal(a.assignment.length, 4);
  const b = await new Member(url, 'workers', { client: 'b', session_timeout: '5s' }).join();
  assert.equal(b.assignment.length, 0, 'nothing before the former owner has let go');
  const other = await new Member(url, 'others', { session_timeout: '2min' }).join();
  await workUntil([a, b], async () => (await lag(url, 'workers')) === 0);
  assert.equal(a.assignment.length, 2);
  assert.equal(b.assignment.length, 2);
  assert.deepEqual(new Set([...a.assignment, ...b.assignment].map(place)).size, 4);
  assertComplete([...a.records, ...b.records], 16, 20, false);
  assert.equal((await describe(url, 'workers')).state, 'stable');
  assert.equal(await lag(url, 'others'), 320, 'the other group has read nothing yet');

  // b says nothing more. Its partitions go to a, which reads from what b had committed.
  await send(url, 'shelf', 16, 20, 20);
  await workUntil([a], async () => (await lag(url, 'workers')) === 0 && a.assignment.length === 4);
  assertComplete([...a.records, ...b.records], 16, 40, false);
  const zombie = await b.call('commit', { offsets: [{ topic: 'shelf', partition: 0, offset: 1 }] });
  assert.equal(zombie.status, 404);
  assert.match(zombie.json().detail, /join again/);

  await workUntil([other], async () => (await lag(url, 'others')) === 0);
  assertComplete(other.records, 16, 40, true);
  const metrics = (await get(url, '/metrics')).text;
  assert.match(metrics, /^iotstream_log_group_lag_records\{group="workers",topic="shelf",partition="0"\} 0$/m);
  assert.match(metrics, /^iotstream_log_group_members_removed_total\{reason="silent"\} 1$/m);
});

test('an old generation is refused and told the new one; what is released can be committed until it is acknowledged', async (t) => {
  const { url } = await startServer(t, temporaryFolder(), SETTINGS);
  await send(url, 'shelf', 16, 0, 10);
  const a = await new Member(url, 'g').join();
  const got = (await a.call('fetch')).json();
  const b = await new Member(url, 'g').join();
  for (const [what, body] of [
    ['heartbeat', {}],
    ['fetch', {}],
    ['commit', { offsets: got.next }],
  ]) {
    const refused = await a.call(what, body);
    assert.equal(refused.status, 409, what);
    assert.match(refused.headers['content-type'], /problem\+json/);
    assert.equal(refused.json().generation, 2);
  }
  assert.ok((await describe(url, 'g')).offsets.every((offset) => offset.committed === 0));
  a.adopt((await a.call('heartbeat')).json());
  assert.equal(a.releasing.length, 2);
  assert.equal((await a.call('commit', { offsets: got.next })).status, 200);
  a.adopt((await a.call('heartbeat')).json());
  assert.equal(a.releasing.length, 0);
  assert.equal((await a.call('commit', { offsets: got.next })).status, 409, 'it has gone to b');
  const rest = (await b.call('fetch', { max_wait: '0' })).json();
  assert.equal(rest.assignment.length, 2);
  assert.deepEqual(rest.records, [], 'b goes on where a has committed');
  assert.equal((await b.leave()).status, 204);
  assert.equal((await b.leave()).status, 404);
});

test('a fetch waits without holding anything: far more of them than threads, and clients that leave are noticed', async (t) => {
  const { url } = await startServer(t, temporaryFolder(), SETTINGS);
  await send(url, 'shelf', 1, 0, 1);
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  t.after(() => agent.destroy());
  const members = [];
  for (let i = 0; i < 40; i += 1) members.push(await new Member(url, `g${i}`, { start: 'latest' }).join());
  const waiting = members.map((member) => member.call('fetch', { max_wait: '30s' }, { agent }));
  const parked = async () =>
    Number(/^iotstream_log_group_fetches_waiting (\d+)$/m.exec((await get(url, '/metrics')).text)[1]);
  await eventually('all wait', async () => (await parked()) === 40);
  await send(url, 'shelf', 1, 1, 1);
  for (const answer of await Promise.all(waiting)) {
    assert.equal(answer.status, 200);
    assert.deepEqual(
      answer.json().records.map(({ value }) => value.n),
      [1],
    );
  }

  const [member] = members;
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const next = (await member.call('fetch')).json().next;
  const body = JSON.stringify({ generation: member.generation, max_wait: '30s', positions: next });
  socket.write(
    `POST ${member.path}/fetch HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await eventually('it waits', async () => (await parked()) === 1);
  socket.destroy();
  await eventually('the fetch of a client that left is freed', async () => (await parked()) === 0);
});

test('kill -9: what was committed is there, members are unknown, and a stop does not wait for fetches', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder, SETTINGS);
  await send(server.url, 'shelf', 16, 0, 10);
  const a = await new Member(server.url, 'g').join();
  const first = (await a.call('fetch', { max_records: 60 })).json();
  assert.equal(first.records.length, 60);
  assert.equal((await a.call('commit', { offsets: first.next })).status, 200);
  const committed = (await describe(server.url, 'g')).offsets.map((offset) => offset.committed);
  await server.stop('SIGKILL');

  server = await startServer(t, folder, SETTINGS);
  assert.deepEqual(
    (await describe(server.url, 'g')).offsets.map((offset) => offset.committed),
    committed,
  );
  a.url = server.url;
  assert.equal((await a.call('heartbeat')).status, 404);
  const b = await new Member(server.url, 'g').join();
  await workUntil([b], async () => (await lag(server.url, 'g')) === 0);
  assertComplete([...first.records, ...b.records], 16, 10, false);
  assert.equal(first.records.length + b.records.length, 160, 'nothing that was committed comes again');

  const waiting = b.call('fetch', { max_wait: '30s' });
  await eventually('it waits', async () => (await describe(server.url, 'g')).members[0].fetching);
  const stopped = server.stop();
  assert.equal((await waiting).status, 503);
  assert.equal((await stopped).status, 0);
});

test('reset: by offset, time and name, refused while members are there, on a running server and on its directory', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, SETTINGS);
  const { url } = server;
  await send(url, 'shelf', 16, 0, 5);
  const between = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await send(url, 'shelf', 16, 5, 5);
  const a = await new Member(url, 'g').join();
  const put = (body) =>
    ask(url, {
      method: 'PUT',
      path: '/api/v1/groups/g/offsets',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const latest = { offsets: [{ topic: 'shelf', offset: 'latest' }] };
  assert.equal((await put(latest)).status, 409);
  assert.equal((await put({ ...latest, force: true })).status, 200);
  assert.equal((await a.call('heartbeat')).status, 404, 'a forced reset removes the members');
  assert.equal(await lag(url, 'g'), 0);
  assert.equal((await put({ offsets: [{ topic: 'shelf', time: between }] })).status, 200);
  assert.equal(await lag(url, 'g'), 80);
  const clamped = (await put({ offsets: [{ topic: 'shelf', partition: 1, offset: 1_000_000 }] })).json().clamped;
  assert.equal(clamped.length, 1);
  assert.equal(clamped[0].asked, 1_000_000);
  assert.equal((await put({ offsets: [{ topic: 'shelf', partition: 'all', offset: 0 }] })).status, 422);
  assert.equal((await put({ offsets: [{ topic: 'none', offset: 0 }] })).status, 404);

  const running = await run(['groups', 'g', '--url', url, '--reset', 'earliest', '--json']);
  assert.equal(running.status, 0, running.stderr);
  assert.ok(JSON.parse(running.stdout).offsets.every((offset) => offset.committed === 0));
  await a.join();
  const shown = await run(['groups', 'g', '--url', url]);
  assert.match(shown.stdout, /^g: stable, generation \d+, 1 members$/m);
  assert.match(shown.stdout, /shelf\/0 shelf\/1 shelf\/2 shelf\/3/);
  const refused = await run(['groups', 'g', '--url', url, '--reset', 'latest']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /^iotstream: group 'g' has 1 members/);
  assert.equal((await run(['groups', '--reset', 'latest', '--url', url])).status, 2);
  assert.equal((await server.stop()).status, 0);

  const stopped = ['--config', CONFIG, '--set', `data_dir="${folder}"`, '--set', 'server.listen=["127.0.0.1:1"]'];
  const done = await run(['groups', 'g', '--reset', 'latest', '--topic', 'shelf', '--partition', '2', ...stopped]);
  assert.equal(done.status, 0, done.stderr);
  const all = JSON.parse((await run(['groups', '--json', ...stopped])).stdout).groups;
  assert.deepEqual(
    all[0].offsets.map((offset) => offset.lag > 0),
    [true, true, false, true],
  );
  assert.equal((await run(['groups', 'g', '--delete', ...stopped])).status, 0);
  assert.equal((await run(['groups', 'g', ...stopped])).status, 1);
});

test('bad input is refused in one sentence, and nothing comes of it', async (t) => {
  const { url } = await startServer(t, temporaryFolder(), SETTINGS);
  const members = '/api/v1/groups/g/members';
  const join = (body) => post(url, members, body);
  for (const [status, body] of [
    [422, {}],
    [422, { topics: 'shelf' }],
    [422, { topics: [1] }],
    [422, { topics: [] }],
    [422, { topics: Array.from({ length: 65 }, (_, n) => `t${n}`) }],
    [422, { topics: ['shelf'], start: 'middle' }],
    [422, { topics: ['shelf'], session_timeout: '1h' }],
    [422, { topics: ['shelf'], session_timeout: 'soon' }],
    [400, { topics: ['shelf'], session_timeout: 5 }],
    [422, { topics: ['shelf'], client: 'c'.repeat(101) }],
    [404, { topics: ['shelf'], member: 'nobody' }],
  ]) {
    const refused = await join(body);
    assert.equal(refused.status, status, `${JSON.stringify(body)}: ${refused.text}`);
    assert.ok(refused.json().detail.length > 10);
  }
  assert.equal((await ask(url, { method: 'POST', path: members, body: '{' })).status, 400);
  assert.equal((await post(url, `/api/v1/groups/${'g'.repeat(201)}/members`, { topics: ['shelf'] })).status, 400);
  assert.equal((await get(url, '/api/v1/groups/g')).status, 404);

  const a = await new Member(url, 'g').join();
  for (const [status, what, body] of [
    [422, 'heartbeat', { generation: undefined }],
    [400, 'heartbeat', { generation: 'one' }],
    [422, 'fetch', { max_wait: '1min' }],
    [422, 'fetch', { max_records: 0 }],
    [422, 'fetch', { positions: [{ topic: 'shelf' }] }],
    [422, 'commit', {}],
    [422, 'commit', { offsets: [{ topic: 'shelf', partition: -1, offset: 0 }] }],
    [409, 'commit', { offsets: [{ topic: 'shelf', partition: 0, offset: 0 }] }],
  ])
    assert.equal((await a.call(what, body)).status, status, `${what} ${JSON.stringify(body)}`);
  await send(url, 'shelf', 16, 0, 1);
  a.adopt((await a.call('fetch')).json());
  assert.equal(a.generation, 2, 'the topic came into being');
  assert.equal((await a.call('commit', { offsets: [{ topic: 'shelf', partition: 0, offset: 1000 }] })).status, 422);
  assert.equal((await a.call('fetch', { positions: [{ topic: 'shelf', partition: 0, offset: 1000 }] })).status, 422);
});

test('a storm of 100 members that come and go settles, and every record is read', async (t) => {
  const { url } = await startServer(t, temporaryFolder(), ['simulation=[]', 'log.partitions=64']);
  await send(url, 'shelf', 200, 0, 5);
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  t.after(() => agent.destroy());
  const members = await Promise.all(
    Array.from({ length: 100 }, () => new Member(url, 'storm', { session_timeout: '30s' }).join()),
  );
  // Half of them go, some say so and come back, while the others acknowledge what they hear of.
  await Promise.all(
    members.map(async (member, i) => {
      if (i % 2 === 0) await member.work('0');
      if (i % 4 === 1) await member.leave();
      if (i % 8 === 1) await member.join();
    }),
  );
  const staying = members.filter((_, i) => i % 4 !== 1 || i % 8 === 1);
  const began = performance.now();
  for (;;) {
    await Promise.all(
      staying.map(async (member) => {
        const answer = await member.call('heartbeat', {}, { agent });
        assert.ok(answer.status === 200 || answer.status === 409, answer.text);
        member.adopt(answer.json());
      }),
    );
    if ((await describe(url, 'storm')).state === 'stable') break;
    assert.ok(performance.now() - began < 60_000, 'settles');
  }
  t.diagnostic(`${staying.length} members settled in ${Math.round(performance.now() - began)} ms`);
  const { members: told, offsets } = await describe(url, 'storm');
  assert.equal(told.length, staying.length);
  const owned = told.flatMap((member) => member.assignment.map(place));
  assert.equal(new Set(owned).size, 64);
  assert.equal(owned.length, 64, 'one owner each');
  assert.ok(told.every((member) => member.assignment.length <= 1));
  assert.equal(offsets.length, 64);
  for (const member of staying) member.adopt((await member.call('heartbeat')).json());
  await Promise.all(staying.map((member) => member.work('0')));
  const records = members.flatMap((member) => member.records);
  assertComplete(records, 200, 5, false);
});
