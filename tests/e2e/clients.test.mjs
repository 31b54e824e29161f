// Clients of other systems, unmodified, write into the real binary.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, eventually, get, readTopic, startServer, temporaryFolder } from './support.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const QUIET = ['simulation=[]', 'prototype=[]'];

function python(script, args) {
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/python3', ['-W', 'ignore', join(HERE, script), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let errors = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      errors += data;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      if (status === 0) resolve(JSON.parse(out));
      else reject(new Error(`${script} ended with ${status}: ${errors}`));
    });
  });
}

const metric = async (url, name) => {
  const line = (await get(url, '/metrics')).text.split('\n').find((one) => one.startsWith(name));
  return line === undefined ? Number.NaN : Number(line.split(' ').at(-1));
};

test('python3-influxdb writes points, also compressed, and reads its answers', async (t) => {
  const server = await startServer(t, temporaryFolder(), [...QUIET, 'influx.enabled=true']);
  const { hostname, port } = new URL(server.url);
  for (const [round, gzip] of [[], ['gzip']].entries()) {
    const seen = await python('influx_client.py', [hostname, port, ...gzip]);
    assert.equal(seen.version, '1.8.10');
    assert.equal(seen.written, true);
    assert.equal(seen.partial[0], 400);
    assert.match(
      seen.partial[1],
      /^partial write: line 2: unable to parse .*: invalid number; line 3: .*: missing fields dropped=2$/,
    );
    assert.deepEqual(seen.measurements, ['boiler']);
    assert.equal((await readTopic(server.url, 'boiler')).length, 301 * (round + 1));
  }
  const messages = await readTopic(server.url, 'boiler');
  const first = messages.find((message) => message.value.starts === 7);
  assert.equal(first.device, 'b1');
  assert.equal(first.value.temperature, 67.5);
  assert.equal(first.value.on, false);
  assert.equal(first.value.room, 'north, west = 1');
  assert.match(first.value.note, /^said "hello"/);
  assert.equal(new Date(first.time).getTime(), 1700000000007);
  assert.equal(await metric(server.url, 'iotstream_ingest_accepted_total{source="influx"}'), 602);
  assert.equal(await metric(server.url, 'iotstream_ingest_rejected_total{source="influx"}'), 4);
});

test('line protocol: what is refused, by the words of both versions; rejected points are sent again', async (t) => {
  const server = await startServer(t, temporaryFolder(), [
    ...QUIET,
    'influx.enabled=true',
    'influx.dataset="{database}.{measurement}"',
  ]);
  const write = (path, body, headers = {}) => ask(server.url, { method: 'POST', path, body, headers });
  const missing = await write('/write', 'm v=1');
  assert.equal(missing.status, 400);
  assert.deepEqual(missing.json(), { error: 'database is required' });
  const precision = await write('/api/v2/write?bucket=b&org=o&precision=m', 'm v=1');
  assert.equal(precision.status, 400);
  assert.equal(precision.json().code, 'invalid');
  assert.equal((await write('/write?db=d', 'm v=1', { 'Content-Encoding': 'br' })).status, 415);
  assert.equal(
    (await write('/api/v2/write?bucket=b&org=o', 'm,host=h v=1,t="x" 1700000000000000001\n\n# note\n')).status,
    204,
  );
  const bad = await write('/api/v2/write?bucket=b&org=o', 'm,host=h v=1 soon');
  assert.equal(bad.status, 400);
  assert.match(bad.json().message, /line 1: unable to parse 'm,host=h v=1 soon': bad timestamp/);
  const letters = await eventually('the rejected point', async () => {
    const { rejected } = (await get(server.url, '/api/v1/datasets/b.m/rejected')).json();
    return rejected.length === 1 && rejected;
  });
  const again = await ask(server.url, {
    method: 'POST',
    path: '/api/v1/datasets/b.m/rejected/resend',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ids: [letters[0].id], raw: 'm,host=h v=2 1700000000000000002' }),
  });
  assert.equal(again.json().accepted, 1, again.text);
  assert.deepEqual(
    (await readTopic(server.url, 'b.m')).map((message) => message.value.v),
    [1, 2],
  );
  for (const path of ['/ping', '/health']) assert.ok((await get(server.url, path)).headers['x-influxdb-version']);
});

test("python3-elasticsearch's bulk helper indexes, also compressed, and sees each item's status", async (t) => {
  const server = await startServer(t, temporaryFolder(), [...QUIET, 'elasticsearch.enabled=true']);
  for (const [round, compress] of [[], ['compress']].entries()) {
    const seen = await python('elastic_client.py', [server.url, ...compress]);
    assert.deepEqual(seen.bulk, [2500, []]);
    assert.deepEqual(seen.mixed, [
      2,
      [
        ['delete', 400],
        ['update', 400],
        ['index', 400],
      ],
    ]);
    assert.deepEqual([seen.ping, seen.before, seen.after], [true, round > 0, true]);
    assert.deepEqual([seen.one, seen.health], ['created', 'green']);
    assert.equal((await readTopic(server.url, 'boiler')).length, 2503 * (round + 1));
  }
  const one = (await readTopic(server.url, 'boiler')).find((message) => message.value.n === 7);
  assert.equal(one.device, 'b1');
  assert.equal(one.value.temperature, 67.5);
});

test('the page stays at / for browsers, and a malformed bulk takes nothing', async (t) => {
  const server = await startServer(t, temporaryFolder(), [...QUIET, 'elasticsearch.enabled=true']);
  const page = await ask(server.url, { headers: { Accept: 'text/html,application/json;q=0.9' } });
  assert.match(page.headers['content-type'], /text\/html/);
  const banner = await ask(server.url, { headers: { Accept: 'application/json' } });
  assert.equal(banner.headers['x-elastic-product'], 'Elasticsearch');
  assert.equal(banner.json().tagline, 'You Know, for Search');
  for (const body of ['', '{"index":{}}\n', 'nonsense\n{}\n', '{"index":{"_index":"a"}}\n{"v":1}\n{"v":2}\n']) {
    const refused = await ask(server.url, { method: 'POST', path: '/_bulk', body });
    assert.equal(refused.status, 400, refused.text);
    assert.equal(refused.headers['x-elastic-product'], 'Elasticsearch');
  }
  const missing = await ask(server.url, { method: 'POST', path: '/_bulk', body: '{"index":{}}\n{"v":1}\n' });
  assert.equal(missing.json().items[0].index.status, 400);
  assert.equal((await get(server.url, '/a')).status, 404);
  assert.deepEqual((await get(server.url, '/api/v1/datasets')).json().datasets, []);
});

test('without being asked for, neither is there', async (t) => {
  const server = await startServer(t, temporaryFolder(), QUIET);
  for (const path of ['/write?db=d', '/api/v2/write?bucket=b', '/_bulk', '/a/_doc'])
    assert.equal((await ask(server.url, { method: 'POST', path, body: 'm v=1' })).status, 404);
  const page = await ask(server.url, { headers: { Accept: 'application/json' } });
  assert.equal(page.headers['x-elastic-product'], undefined);
});
