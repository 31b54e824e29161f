// A disk that fills up, fails, stalls and is interrupted under the real server: what is acknowledged stays true, the rest is refused with
// the right status, and what is not touched lives on.

import assert from 'node:assert/strict';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { devicesApart, inject, metric, noStrace, segmentPath, smallDisk } from './faults.mjs';
import { ask, eventually, get, postReading, readTopic, startServer, temporaryFolder } from './support.mjs';

const SETTINGS = ['simulation=[]', 'log.partitions=2'];
const TOPIC = 'faults';

const metrics = async (server) => (await get(server.url, '/metrics')).text;
const topicOf = async (server) => (await get(server.url, `/api/v1/topics/${TOPIC}`)).json();

/** Posts readings and remembers the acknowledged ones; `found()` looks for each of them in the log, at its place. */
function journal(url) {
  const acknowledged = [];
  let number = 0;
  return {
    acknowledged,
    async post(device, more = {}) {
      const mine = number++;
      const answer = await postReading(url.now, TOPIC, { device, mine, ...more });
      if (answer.status === 200) acknowledged.push({ ...answer.json(), mine });
      return answer;
    },
    async found() {
      const messages = await readTopic(url.now, TOPIC);
      const byPlace = new Map(
        messages.map((message) => [`${message.partition}/${message.offset}`, message.value.mine]),
      );
      for (const { partition, offset, mine } of acknowledged)
        assert.equal(byPlace.get(`${partition}/${offset}`), mine, `what was acknowledged at ${partition}/${offset}`);
      assert.equal(byPlace.size, messages.length, 'no offset is there twice');
      return messages.length;
    },
  };
}

async function begin(t, folder = temporaryFolder()) {
  const url = { now: '' };
  const server = await startServer(t, folder, SETTINGS);
  url.now = server.url;
  const kept = journal(url);
  const [hit, spared] = await devicesApart(kept.post);
  const restart = async () => {
    const next = await startServer(t, folder, SETTINGS);
    url.now = next.url;
    return next;
  };
  return { folder, server, kept, hit, spared, restart, path: segmentPath(folder, TOPIC, hit.partition) };
}

test('no space for one partition: 507, reads and the others go on, and it ends by itself', {
  skip: noStrace,
}, async (t) => {
  const { server, kept, hit, spared, path } = await begin(t);
  const fault = await inject(t, server, ['pwrite64:error=ENOSPC', 'fallocate:error=ENOSPC'], [path]);
  // The first was accepted before the log could know; it is acknowledged when it is true.
  const waiting = kept.post(hit.device);
  const refused = await eventually('a reading is refused', async () => {
    if (metric(await metrics(server), 'iotstream_log_disk_full_partitions') !== 1) return null;
    return kept.post(hit.device);
  });
  assert.equal(refused.status, 507, refused.text);
  assert.match(refused.json().detail, /disk is full/);
  const before = kept.acknowledged.length;
  assert.equal((await kept.post(spared.device)).status, 200);
  assert.equal(kept.acknowledged.length, before + 1);
  await kept.found();
  assert.equal((await get(server.url, `/api/v1/topics/${TOPIC}`)).status, 200);
  assert.ok((await fault.end()) > 0);
  assert.equal((await waiting).status, 200, 'what waited is written');
  assert.equal((await kept.post(hit.device)).status, 200);
  assert.equal(metric(await metrics(server), 'iotstream_log_disk_full_partitions'), 0);
  await kept.found();
});

for (const [what, fault] of [
  ['a write that fails', 'pwrite64:error=EIO'],
  ['a sync that fails once and would succeed ever after', 'fdatasync:error=EIO:when=1'],
]) {
  test(`${what}: nothing later is acknowledged there, the others live, a restart is clean`, {
    skip: noStrace,
  }, async (t) => {
    const { server, kept, hit, spared, restart, path } = await begin(t);
    const before = kept.acknowledged.length;
    const injected = await inject(t, server, [fault], [path]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => kept.post(hit.device)));
    assert.ok((await injected.end()) > 0);
    for (let i = 0; i !== 5; ++i) answers.push(await kept.post(hit.device));
    for (const answer of answers) {
      assert.equal(answer.status, 503, answer.text);
      assert.match(answer.json().detail, /read-only until the restart/);
    }
    assert.equal(kept.acknowledged.length, before);
    assert.equal((await kept.post(spared.device)).status, 200);
    assert.equal(metric(await metrics(server), 'iotstream_log_read_only_partitions'), 1);
    const { partitions } = await topicOf(server);
    assert.deepEqual(
      partitions.filter((one) => one.read_only).map((one) => one.partition),
      [hit.partition],
    );
    await kept.found();
    assert.match(server.diagnostics(), /read-only until the restart/);

    await server.stop('SIGTERM');
    const next = await restart();
    await kept.found();
    assert.ok((await topicOf(next)).partitions.every((one) => !one.read_only));
    assert.equal((await kept.post(hit.device)).status, 200);
    await kept.found();
  });
}

test('calls that are interrupted are made again, and nobody notices', { skip: noStrace }, async (t) => {
  const { server, kept, restart } = await begin(t);
  const calls = ['pwrite64', 'pread64', 'fallocate', 'openat', 'ftruncate'];
  const fault = await inject(
    t,
    server,
    calls.map((call) => `${call}:error=EINTR:when=1+2`),
  );
  for (let i = 0; i !== 40; ++i)
    assert.equal((await kept.post(`device ${i}`, { text: 'x'.repeat(i * 50) })).status, 200);
  await kept.found();
  assert.ok((await fault.end()) > 40);
  assert.equal((await server.stop('SIGTERM')).status, 0);
  await restart();
  await kept.found();
});

test('a disk that stalls: memory stays bounded, what does not fit is refused, nothing accepted is lost', {
  skip: noStrace,
}, async (t) => {
  const { server, kept, hit, path } = await begin(t);
  const memory = async () => metric(await metrics(server), 'process_resident_memory_bytes');
  const before = await memory();
  const fault = await inject(t, server, ['pwrite64:delay_enter=300ms', 'fdatasync:delay_enter=300ms'], [path]);
  const line = JSON.stringify({ device: hit.device, text: 'x'.repeat(1000) });
  const body = Array.from({ length: 500 }, () => line).join('\n');
  const statuses = new Map();
  let accepted = 0;
  // For long enough that several calls stall, however quick the machine is.
  const until = performance.now() + 1500;
  const pour = async () => {
    for (let i = 0; i < 25 || performance.now() < until; ++i) {
      const answer = await ask(server.url, {
        method: 'POST',
        path: `/api/v1/datasets/${TOPIC}/events?acks=none`,
        headers: { 'Content-Type': 'application/x-ndjson' },
        body,
      });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      accepted += answer.json().accepted ?? 0;
      if (answer.status === 429) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all([pour(), pour(), pour()]);
  const grown = (await memory()) - before;
  assert.equal((await get(server.url, '/healthz')).status, 200);
  assert.ok((await fault.end()) > 0);
  assert.ok(statuses.get(429) > 0, `refused for want of room: ${JSON.stringify([...statuses])}`);
  assert.deepEqual(
    [...statuses.keys()].filter((status) => status !== 429 && status !== 200),
    [],
  );
  // At least 37 MB were sent; the ring holds one, the readers' cache a few more.
  assert.ok(grown < 32 << 20, `grew by ${grown} bytes`);
  assert.equal((await kept.post(hit.device)).status, 200);
  await kept.found();
  const { partitions } = await topicOf(server);
  const stored = partitions.reduce((sum, one) => sum + one.durable, 0);
  assert.equal(stored, accepted + kept.acknowledged.length, 'everything accepted is stored, once');
});

test('a disk that is full for real: 507, reading goes on, also after a kill, and space ends it', async (t) => {
  const disk = smallDisk(t, '48m');
  if (disk === null) return t.skip('mounting is not allowed here');
  const { folder, server, kept, hit, restart } = await begin(t, join(disk, 'data'));
  const ballast = join(disk, 'ballast');
  assert.throws(() => {
    for (;;) appendFileSync(ballast, Buffer.alloc(16_384, 1));
  }, /ENOSPC/);
  const waiting = [];
  const refused = await eventually(
    'the disk is found full',
    async () => {
      const answer = await Promise.race([
        kept.post(hit.device, { text: 'x'.repeat(60_000) }),
        new Promise((resolve) => setTimeout(resolve, 2000, null)),
      ]);
      waiting.push(answer);
      return answer?.status === 507 ? answer : null;
    },
    60_000,
  );
  assert.match(refused.json().detail, /disk is full/);
  const before = kept.acknowledged.length;
  await kept.found();
  await server.stop('SIGKILL');

  const next = await restart();
  await kept.found();
  assert.equal(kept.acknowledged.length, before);
  rmSync(ballast);
  await eventually('readings are taken again', async () => (await kept.post(hit.device)).status === 200, 30_000);
  await kept.found();
  await eventually(
    'history has them too',
    async () => {
      const answer = await get(next.url, `/api/v1/datasets/${TOPIC}/events?limit=1`);
      return answer.status === 200 && answer.json().events[0]?.mine === kept.acknowledged.at(-1).mine;
    },
    30_000,
  );
  assert.ok(folder.startsWith(disk));
});
