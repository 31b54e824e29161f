// A range of time once more: over HTTP and by the command line, from a server and from its directory when it is stopped.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, CONFIG, eventually, get, run, startServer, temporaryFolder } from './support.mjs';

const at = (seconds) => new Date(Date.UTC(2024, 4, 1, 10, 0, 0) + seconds * 1000).toISOString();

async function send(server, dataset, readings) {
  const body = readings
    .map(([device, seconds, n]) => JSON.stringify({ device, '@timestamp': at(seconds), n }))
    .join('\n');
  const answer = await ask(server.url, {
    method: 'POST',
    path: `/api/v1/datasets/${dataset}/events`,
    headers: { 'Content-Type': 'application/x-ndjson' },
    body,
  });
  assert.equal(answer.json().accepted, readings.length, answer.text);
}

const lines = (text) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const numbers = (text) => lines(text).map((message) => message.value.n);

/** Reads an answer as it comes: `[milliseconds since the request, message]` for each line. */
function follow(url, path) {
  const began = performance.now();
  const received = [];
  let request;
  const ended = new Promise((resolve, reject) => {
    const target = new URL(path, url);
    request = httpRequest({ host: target.hostname, port: target.port, path }, (response) => {
      let rest = '';
      response.on('data', (chunk) => {
        rest += chunk;
        const parts = rest.split('\n');
        rest = parts.pop();
        for (const part of parts) if (part !== '') received.push([performance.now() - began, JSON.parse(part)]);
      });
      response.on('end', () => resolve(response.statusCode));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
  return { received, ended, leave: () => request.destroy() };
}

// Out of order, over three devices and so over several partitions.
const readings = [
  ['a', 0, 0],
  ['b', 2, 2],
  ['a', 1, 1],
  ['c', 4, 4],
  ['b', 3, 3],
  ['a', 60, 5],
];

test('a range comes by event time, the same from a server, its stopped directory, and every time', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['simulation=[]']);
  await send(server, 'shelf', readings);
  const path = '/api/v1/topics/shelf/replay';
  const all = await get(server.url, `${path}?speed=max`);
  assert.equal(all.status, 200, all.text);
  assert.equal(all.headers['content-type'], 'application/x-ndjson');
  assert.deepEqual(numbers(all.text), [0, 1, 2, 3, 4, 5]);
  const [first] = lines(all.text);
  assert.equal(first.time, '2024-05-01T10:00:00.000000Z');
  assert.equal(first.device, 'a');
  for (const member of ['partition', 'offset', 'append_time', 'schema']) assert.ok(member in first, member);
  assert.equal((await get(server.url, `${path}?speed=0`)).text, all.text);

  const range = `from=${at(1)}&to=${at(4)}&speed=max`;
  assert.deepEqual(numbers((await get(server.url, `${path}?${range}`)).text), [1, 2, 3]);
  assert.deepEqual(numbers((await get(server.url, `${path}?${range}&device=b`)).text), [2, 3]);
  assert.deepEqual(numbers((await get(server.url, `${path}?speed=max&limit=2`)).text), [0, 1]);
  assert.deepEqual(numbers((await get(server.url, `${path}?speed=max&limit=0`)).text), []);
  assert.deepEqual(numbers((await get(server.url, `${path}?from=${at(61)}&speed=max`)).text), []);

  const tail = ['tail', 'shelf', '--from', at(1), '--to', at(4)];
  const live = await run([...tail, '--url', server.url]);
  assert.equal(live.status, 0, live.stderr);
  assert.deepEqual(numbers(live.stdout), [1, 2, 3]);
  const metrics = (await get(server.url, '/metrics')).text;
  assert.match(metrics, /^iotstream_log_replay_records_total [1-9]/m);
  assert.match(metrics, /^iotstream_log_replays 0$/m);
  assert.equal((await server.stop()).status, 0);

  const stopped = ['--config', CONFIG, '--set', `data_dir="${folder}"`, '--set', 'server.listen=["127.0.0.1:1"]'];
  assert.deepEqual(numbers((await run([...tail, ...stopped])).stdout), [1, 2, 3]);
  assert.deepEqual(numbers((await run([...tail, ...stopped, '--device', 'b', '--speed', '1000'])).stdout), [2, 3]);
  const whole = await run(['tail', 'shelf', ...stopped, '--from', 'earliest', '--speed', 'max', '--limit', '5']);
  assert.equal(whole.stdout, `${all.text.split('\n').slice(0, 5).join('\n')}\n`);
});

test('the pace is the recorded one, times the speed; nothing comes early', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]']);
  await send(server, 'pace', [
    ['a', 0, 0],
    ['a', 2, 1],
    ['a', 4, 2],
    ['a', 1000, 3],
  ]);
  const stream = follow(server.url, `/api/v1/topics/pace/replay?speed=5&gap=3s`);
  assert.equal(await stream.ended, 200);
  const times = stream.received.map(([ms]) => ms);
  // Later is possible on a busy machine, earlier is not.
  for (const [index, due] of [0, 400, 800, 1400].entries())
    assert.ok(times[index] >= due - 1, `record ${index} came after ${times[index]} ms, due at ${due}`);
  assert.deepEqual(
    stream.received.map(([, message]) => message.value.n),
    [0, 1, 2, 3],
  );
});

test('waiting replays hold no worker, and a client that leaves frees its own at once', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]']);
  await send(server, 'slow', readings);
  const streams = Array.from({ length: 32 }, () => follow(server.url, '/api/v1/topics/slow/replay?speed=0.1'));
  for (const stream of streams) stream.ended.catch(() => {});
  await eventually('each has begun', () => streams.every((stream) => stream.received.length > 0));
  const open = async () => Number(/^iotstream_log_replays (\d+)$/m.exec((await get(server.url, '/metrics')).text)[1]);
  assert.equal(await open(), 32);
  const refused = await get(server.url, '/api/v1/topics/slow/replay');
  assert.equal(refused.status, 429, refused.text);
  assert.match(refused.json().detail, /32 replays are running/);
  assert.ok(refused.headers['retry-after']);
  for (const stream of streams.slice(1)) stream.leave();
  await eventually('theirs are closed', async () => (await open()) === 1);
  assert.deepEqual(numbers((await get(server.url, '/api/v1/topics/slow/replay?speed=max')).text), [0, 1, 2, 3, 4, 5]);
  const end = await server.stop();
  assert.equal(end.status, 0);
  assert.ok(end.ms < 5000, `${end.ms} ms`);
});

test('a replay follows what comes', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]']);
  await send(server, 'more', readings);
  const stream = follow(server.url, '/api/v1/topics/more/replay?speed=max&follow=true');
  stream.ended.catch(() => {});
  await eventually('what is there comes', () => stream.received.length === 6);
  await send(server, 'more', [['b', 61, 6]]);
  await eventually('what comes later, too', () => stream.received.length === 7);
  assert.equal(stream.received[6][1].value.n, 6);
  stream.leave();
  const tailed = run(['tail', 'more', '--url', server.url, '--from', at(60), '--speed', '1000', '--limit', '3']);
  await send(server, 'more', [['b', 62, 7]]);
  assert.deepEqual(numbers((await tailed).stdout), [5, 6, 7]);
});

test('what cannot be replayed is refused with one sentence', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['simulation=[]']);
  await send(server, 'shelf', readings);
  const refused = async (query, status, sentence) => {
    const answer = await get(server.url, `/api/v1/topics/shelf/replay?${query}`);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.json().detail, sentence);
  };
  await refused('speed=0.05', 400, /speed: '0.05'/);
  await refused('speed=1001', 400, /speed: '1001'/);
  await refused('speed=quick', 400, /0.1 to 1000, nor max/);
  await refused('speed=nan', 400, /speed/);
  await refused('from=yesterday', 400, /from: /);
  await refused(`from=${at(5)}&to=${at(5)}`, 400, /holds nothing/);
  await refused('partition=99', 400, /partition: /);
  await refused('gap=long', 400, /gap: /);
  await refused('follow=perhaps', 400, /follow: /);
  assert.equal((await get(server.url, '/api/v1/topics/none/replay')).status, 404);
  const tail = (...more) => run(['tail', 'shelf', '--url', server.url, ...more]);
  assert.equal((await tail('--speed', '7000')).status, 2);
  const offset = await tail('--from', '3', '--speed', '1');
  assert.equal(offset.status, 2);
  assert.match(offset.stderr, /^iotstream: --from: a replay begins at a time/);
  const missing = await run(['tail', 'none', '--url', server.url, '--speed', '1']);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /there is no topic 'none'/);
});

test('tail begins where it is told, on one partition or on all', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['simulation=[]', 'log.partitions=2']);
  await send(server, 'shelf', readings);
  const { partitions } = (await get(server.url, '/api/v1/topics/shelf')).json();
  const counts = partitions.map((partition) => partition.durable);
  assert.equal(counts[0] + counts[1], 6);
  const fuller = counts[0] > counts[1] ? 0 : 1;
  assert.notEqual(counts[0], counts[1], 'the devices do not lie evenly');
  const stoppedOptions = [
    '--config',
    CONFIG,
    '--set',
    `data_dir="${folder}"`,
    '--set',
    'server.listen=["127.0.0.1:1"]',
  ];
  const check = async (options, limited) => {
    const tail = async (count, ...more) => {
      const outcome = await run(['tail', 'shelf', ...options, ...more, ...(limited ? ['--limit', `${count}`] : [])]);
      assert.equal(outcome.status, 0, outcome.stderr);
      const messages = lines(outcome.stdout);
      assert.equal(messages.length, count, outcome.stdout);
      return messages;
    };
    await tail(6, '--from', 'earliest');
    const [message] = await tail(1, '--partition', `${fuller}`, '--from', `${counts[fuller] - 1}`);
    assert.equal(message.offset, counts[fuller] - 1);
    // An offset that only one of them has reached.
    await tail(counts[fuller] - counts[1 - fuller] - 1, '--from', `${counts[1 - fuller] + 1}`);
    const sixty = await tail(1, '--from', at(59));
    assert.equal(sixty[0].value.n, 5);
    await tail(counts[fuller], '--partition', `${fuller}`, '--from', 'earliest');
    assert.equal((await run(['tail', 'shelf', ...options, '--partition', '2', '--limit', '1'])).status, 1);
    assert.equal((await run(['tail', 'shelf', ...options, '--from', 'noon', '--limit', '1'])).status, 2);
    assert.equal((await run(['tail', 'shelf', ...options, '--from', '-5m', '--limit', '0'])).status, 0);
  };
  await check(['--url', server.url], true);
  // latest follows: only what comes from now on.
  const followed = run(['tail', 'shelf', '--url', server.url, '--limit', '1']);
  let sent = 0;
  const pulse = setInterval(() => send(server, 'shelf', [['a', 100, 100 + sent++]]).catch(() => {}), 100);
  const got = lines((await followed).stdout);
  clearInterval(pulse);
  assert.ok(got[0].value.n >= 100);
  assert.equal((await server.stop()).status, 0);
  const nothing = await run(['tail', 'shelf', ...stoppedOptions]);
  assert.equal(nothing.status, 0);
  assert.equal(nothing.stdout, '');
  assert.equal((await run(['tail', 'shelf', ...stoppedOptions, '--from', 'earliest', '--partition', '2'])).status, 1);
  assert.ok(lines((await run(['tail', 'shelf', ...stoppedOptions, '--from', 'earliest'])).stdout).length >= 7);
  const groups = JSON.parse((await run(['groups', '--json', ...stoppedOptions])).stdout);
  assert.deepEqual(groups.groups, []);
  const missing = await run([
    'topics',
    '--set',
    `data_dir="${join(folder, 'none')}"`,
    '--set',
    'server.listen=["127.0.0.1:1"]',
  ]);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /there is no data in/);
});

test('a topic has options of its own: new ones as a whole, old ones what can change', async (t) => {
  const folder = temporaryFolder();
  const options = async (server, topic) => (await get(server.url, `/api/v1/topics/${topic}`)).json().options;
  const first = await startServer(t, folder, ['simulation=[]', 'log.partitions=2']);
  await send(first, 'old', readings);
  assert.deepEqual(await options(first, 'old'), {
    partitions: 2,
    segment_size: 67108864,
    retention: { size: 2147483648, age_us: 604800000000 },
    sync: 'batch',
    sync_interval_us: 5000,
    compact: false,
  });
  assert.equal((await first.stop()).status, 0);
  const tables = ['old', 'new'].flatMap((name, index) =>
    [
      `name="${name}"`,
      'partitions=3',
      'sync="interval"',
      'compact=true',
      'sync_interval="20ms"',
      'retention={ size = "5MiB", age = "1h" }',
    ].map((setting) => `topic.${index}.${setting}`),
  );
  const second = await startServer(t, folder, ['simulation=[]', 'log.partitions=2', ...tables]);
  await send(second, 'new', readings);
  const wanted = {
    segment_size: 67108864,
    retention: { size: 5242880, age_us: 3600000000 },
    sync: 'interval',
    sync_interval_us: 20000,
    compact: true,
  };
  assert.deepEqual(await options(second, 'old'), { partitions: 2, ...wanted });
  assert.deepEqual(await options(second, 'new'), { partitions: 3, ...wanted });
  const said = second.diagnostics().match(/topic old: it keeps its 2 partitions/g);
  assert.equal(said?.length, 1, second.diagnostics());
  assert.equal((await second.stop()).status, 0);
});
