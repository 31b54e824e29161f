// The whole path through the real binary with the shipped configuration: a foreign event goes in by HTTP and is found in the log, in
// history and at a live viewer; and again after the process was stopped, or killed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ask, eventually, get, openViewer, postReading, readTopic, startServer, temporaryFolder } from './support.mjs';

/** Every acknowledged reading is at its offset, with its content; history has each of them once. */
async function findAll(url, dataset, acknowledged) {
  const messages = await readTopic(url, dataset);
  const byPlace = new Map(messages.map((message) => [`${message.partition}/${message.offset}`, message]));
  for (const { partition, offset, number } of acknowledged) {
    const message = byPlace.get(`${partition}/${offset}`);
    assert.ok(message, `acknowledged reading ${number} is not at ${partition}/${offset}`);
    assert.equal(message.value.number, number, `another reading is at ${partition}/${offset}`);
  }
  const offsets = new Map();
  for (const { partition, offset } of messages) offsets.set(partition, [...(offsets.get(partition) ?? []), offset]);
  for (const [partition, list] of offsets)
    assert.deepEqual(
      list,
      list.map((_, i) => i),
      `offsets of partition ${partition} are dense`,
    );

  const stored = await eventually('history has what the log has', async () => {
    const { events } = (await get(url, `/api/v1/datasets/${dataset}/events?order=asc&limit=1000000`)).json();
    return events.length >= messages.length ? events : null;
  });
  assert.equal(stored.length, messages.length, 'history holds each record once');
  assert.equal(new Set(stored.map((event) => `${event._partition}/${event._offset}`)).size, stored.length);
}

test('a foreign event is in the log, in history and on a live viewer, and still there after SIGTERM', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder);
  assert.match(server.output(), /^ready http:\/\/127\.0\.0\.1:\d+ in \d+ ms\n$/, 'exactly one line on stdout');
  t.diagnostic(`first start: ${server.startMs.toFixed(0)} ms`);

  const first = await postReading(server.url, 'foreign', {
    device: 'boiler 7',
    '@timestamp': '2026-02-03T04:05:06.789012Z',
    temperature: 61.5,
    open: true,
    mode: 'eco',
    number: 0,
  });
  assert.equal(first.status, 200, first.text);
  const place = first.json();
  assert.equal(place.topic, 'foreign');

  const viewer = await openViewer(t, server.url);
  assert.equal((await viewer.next((m) => m.op === 'hello')).op, 'hello');
  viewer.send({ op: 'subscribe', id: 1, dataset: 'foreign', device: '*', fields: ['*'], window: '-15s' });
  const now = { device: 'boiler 7', temperature: 62.25, number: 1 };
  await viewer.next((m) => m.op === 'fields' && m.id === 1);
  const second = await postReading(server.url, 'foreign', now);
  const frame = await viewer.next((m) => m.id === 1 && m.fields?.number?.includes(1));
  const row = frame.fields.number.indexOf(1);
  assert.equal(frame.device[row], 'boiler 7');
  assert.equal(frame.fields.temperature[row], 62.25);

  const message = (await readTopic(server.url, 'foreign')).find(
    (m) => m.partition === place.partition && m.offset === place.offset,
  );
  assert.deepEqual(
    {
      device: message.device,
      time: message.time,
      temperature: message.value.temperature,
      open: message.value.open,
      mode: message.value.mode,
    },
    { device: 'boiler 7', time: '2026-02-03T04:05:06.789012Z', temperature: 61.5, open: true, mode: 'eco' },
  );
  const stored = await eventually('the event is in history', async () => {
    const { events } = (
      await get(server.url, '/api/v1/datasets/foreign/events?from=2026-02-03T04:05:06Z&to=2026-02-03T04:05:07Z')
    ).json();
    return events[0];
  });
  assert.equal(stored['@timestamp'], '2026-02-03T04:05:06.789012Z');
  assert.equal(stored.temperature, 61.5);
  assert.equal(stored._offset, place.offset);

  const stopped = await server.stop('SIGTERM');
  assert.equal(stopped.status, 0, server.diagnostics());
  assert.ok(stopped.ms < 5000, `stopped in ${stopped.ms} ms`);
  server = await startServer(t, folder);
  t.diagnostic(`later start: ${server.startMs.toFixed(0)} ms`);
  await findAll(server.url, 'foreign', [
    { ...place, number: 0 },
    { ...second.json(), number: 1 },
  ]);
});

test('the three kinds of simulated devices arrive by themselves, enriched', async (t) => {
  const server = await startServer(t, temporaryFolder());
  const { datasets } = (await get(server.url, '/api/v1/datasets')).json();
  assert.deepEqual(datasets.map((dataset) => dataset.name).sort(), ['1', '2', 'wind_turbine']);
  for (const dataset of datasets) {
    const event = await eventually(
      `an event of ${dataset.name}`,
      async () => (await get(server.url, `/api/v1/datasets/${dataset.name}/events?limit=1`)).json().events[0],
    );
    assert.ok(event.marque && event.libelle && event.codep, `enriched: ${JSON.stringify(event)}`);
    assert.ok(Math.abs(Date.parse(event['@timestamp']) - Date.now()) < 60_000, 're-dated to now');
  }
  // An event is in the answers as soon as it is acknowledged, its device once history has it.
  await eventually('the three devices', async () => {
    const { devices } = (await get(server.url, '/api/v1/devices')).json();
    return isDeepStrictEqual(devices.map((device) => device.device).sort(), ['WT200', 'X46789', 'X46790']);
  });
  const series = (
    await get(server.url, '/api/v1/datasets/1/series?fields=Pump_Speed&agg=min,max,count&from=-1m&interval=1s')
  ).json();
  assert.deepEqual(
    series.series.map((column) => column.agg),
    ['min', 'max', 'count'],
  );
  assert.ok(
    series.time.every((time) => time % 1_000_000 === 0),
    'buckets begin at multiples of the interval',
  );
});

test('a body of many lines: the good ones are taken, the bad ones named', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]']);
  const body = [
    '{"device":"a","v":1}',
    '{"device":"a","v":',
    '{"device":"a","v":9007199254740993}',
    '',
    '[1]',
    '{"device":"a","v":8.620000000000001}',
  ].join('\n');
  const answer = await ask(server.url, {
    method: 'POST',
    path: '/api/v1/datasets/lines/events',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body,
  });
  assert.equal(answer.status, 200, answer.text);
  const outcome = answer.json();
  assert.equal(outcome.accepted, 3);
  assert.equal(outcome.rejected, 2);
  assert.deepEqual(
    outcome.errors.map((error) => error.line),
    [2, 5],
  );
  const text = await eventually('history has all three', async () => {
    const stored = await get(server.url, '/api/v1/datasets/lines/events?order=asc&format=ndjson');
    return stored.text.trim().split('\n').length === 3 ? stored.text : null;
  });
  assert.match(text, /"v":9007199254740993[,}]/, 'an int64 is read back in full');
  assert.match(text, /"v":8\.620000000000001[,}]/, 'a double is read back to the last digit');
});
