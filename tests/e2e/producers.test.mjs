// What is sent again is taken once, through the real binary: under a key, and by senders that number their readings; also when the server
// was killed in between.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get, readTopic, startServer, temporaryFolder } from './support.mjs';

const post = (url, dataset, readings, headers) =>
  ask(url, {
    method: 'POST',
    path: `/api/v1/datasets/${dataset}/events`,
    headers: { 'Content-Type': 'application/x-ndjson', ...headers },
    body: readings.map((reading) => JSON.stringify(reading)).join('\n'),
  });

const readings = (from, count) =>
  Array.from({ length: count }, (_, i) => ({ device: `d${(from + i) % 7}`, number: from + i }));
const numbersOf = (messages) => messages.map((message) => message.value.number).sort((a, b) => a - b);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

test('a key is known after kill -9: the same body is not taken again', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder);
  const key = { 'Idempotency-Key': 'delivery 17' };
  const first = await post(server.url, 'keyed', readings(0, 100), key);
  assert.equal(first.json().accepted, 100, first.text);
  for (let round = 0; round < 3; round++) {
    await server.stop('SIGKILL');
    server = await startServer(t, folder);
    const again = await post(server.url, 'keyed', readings(0, 100), key);
    assert.deepEqual(again.json(), { accepted: 0, rejected: 0, duplicates: 100, errors: [] });
  }
  assert.deepEqual(numbersOf(await readTopic(server.url, 'keyed')), upTo(100));

  await server.stop('SIGKILL');
  server = await startServer(t, folder);
  const other = (await post(server.url, 'keyed', [{ device: 'd0', number: 1000 }], key)).json();
  assert.equal(other.accepted, 0);
  assert.match(other.errors[0].reason, /another body/);
});

test('a numbered sender that is cut off by kill -9 repeats what was not acknowledged: each reading is there once', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder);
  let acknowledged = 0;
  const send = async (count) => {
    const answer = await post(server.url, 'numbered', readings(acknowledged, count), {
      'Producer-Id': '42',
      'Producer-Sequence': String(acknowledged),
    });
    assert.equal(answer.status, 200, answer.text);
    const { accepted, duplicates } = answer.json();
    assert.equal(accepted + duplicates, count);
    acknowledged += count;
  };
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 10; i++) await send(40);
    const before = acknowledged;
    const lost = send(400).catch(() => {}); // killed while it is on its way
    await new Promise((resolve) => setTimeout(resolve, round * 3));
    await server.stop('SIGKILL');
    await lost;
    server = await startServer(t, folder);
    if (acknowledged === before) await send(400);
  }
  const gap = await post(server.url, 'numbered', readings(acknowledged + 1, 1), {
    'Producer-Id': '42',
    'Producer-Sequence': String(acknowledged + 1),
  });
  assert.equal(gap.status, 409);
  assert.equal(gap.json().expected_sequence, acknowledged);
  assert.deepEqual(numbersOf(await readTopic(server.url, 'numbered')), upTo(acknowledged));
  const metrics = (await get(server.url, '/metrics')).text;
  assert.match(metrics, /^iotstream_log_duplicates_total \d+$/m);
  assert.match(metrics, /^iotstream_log_compaction_passes_total 0$/m);
});

test('headers that cannot be meant are refused with one clear sentence, and nothing is taken', async (t) => {
  const server = await startServer(t, temporaryFolder());
  const cases = [
    [{ 'Producer-Id': '1' }, /come together/],
    [{ 'Producer-Id': 'x', 'Producer-Sequence': '1' }, /whole numbers/],
    [{ 'Producer-Id': '1', 'Producer-Sequence': '1', 'Idempotency-Key': 'k' }, /not both/],
  ];
  for (const [headers, sentence] of cases) {
    const answer = await post(server.url, 'none', readings(0, 1), headers);
    assert.equal(answer.status, 400);
    assert.match(answer.json().detail, sentence);
  }
  assert.equal((await get(server.url, '/api/v1/datasets/none')).status, 404);
});
