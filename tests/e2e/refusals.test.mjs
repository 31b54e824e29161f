// What is refused, and how: one clear sentence, the right status, nothing lost.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, CONFIG, get, openViewer, postReading, run, startServer, temporaryFolder } from './support.mjs';

const problem = (answer, status) => {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  const body = answer.json();
  assert.equal(body.status, status);
  assert.ok(body.detail.length > 10 && body.title && body.type, JSON.stringify(body));
  return body.detail;
};

test('bad requests', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]', 'server.max_body="64KiB"']);
  const post = (path, body, type = 'application/json') =>
    ask(server.url, { method: 'POST', path, headers: { 'Content-Type': type }, body });
  problem(await post('/search/results', '{"DatasetType":"1","data":{"a":'), 400);
  problem(await post('/search/results', '{"data":{"a":1}}'), 422);
  problem(await post('/search/results', '{"DatasetType":"1","data":7}'), 422);
  problem(await post('/search/results', 'x'.repeat(100_000)), 413);
  problem(await get(server.url, '/api/v1/datasets/none'), 404);
  problem(await get(server.url, '/nothing/here'), 404);
  const wrong = await ask(server.url, { method: 'DELETE', path: '/api/v1/datasets' });
  problem(wrong, 405);
  assert.match(wrong.headers.allow, /GET/);
  assert.equal((await postReading(server.url, 'd', { device: 'x', v: 1 })).status, 200);
  problem(await get(server.url, '/api/v1/datasets/d/series?fields=v&agg=mode'), 400);
  problem(await get(server.url, '/api/v1/datasets/d/series?fields=nope'), 404);
  problem(await get(server.url, '/api/v1/datasets/d/events?from=yesterday'), 400);
  problem(await get(server.url, '/api/v1/topics/d/partitions/99/messages'), 404);
  const refused = await ask(server.url, {
    method: 'POST',
    path: '/api/v1/datasets/d/events',
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'compress' },
    body: '{}',
  });
  problem(refused, 415);
});

test('other sites are kept out: Host and Origin on every route and the WebSocket', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]']);
  for (const path of ['/', '/healthz', '/metrics', '/api/v1/datasets', '/api/v1/openapi.json']) {
    assert.equal((await ask(server.url, { path, headers: { Host: 'evil.example' } })).status, 421, path);
    assert.equal((await ask(server.url, { path, headers: { Host: 'localhost' } })).status, 200, path);
  }
  const body = '{"DatasetType":"1","data":{"a":1}}';
  const send = (headers) =>
    ask(server.url, {
      method: 'POST',
      path: '/search/results',
      headers: { 'Content-Type': 'text/plain', ...headers },
      body,
    });
  assert.equal((await send({ Origin: 'https://evil.example' })).status, 403);
  assert.equal((await send({ Origin: 'null' })).status, 403);
  assert.equal((await send({ 'Sec-Fetch-Site': 'cross-site' })).status, 403);
  assert.equal((await send({ Origin: server.url })).status, 200);
  await assert.rejects(openViewer(t, server.url, '/api/v1/live', { origin: 'https://evil.example' }), /403/);
  await assert.rejects(openViewer(t, server.url, '/api/v1/live', { headers: { Host: 'evil.example' } }), /421/);
  const viewer = await openViewer(t, server.url, '/api/v1/live', { origin: server.url });
  assert.equal((await viewer.next((m) => m.op === 'hello')).op, 'hello');
});

test('a token is asked for on every route when one is configured', async (t) => {
  const folder = temporaryFolder();
  const token = join(folder, 'token');
  writeFileSync(token, 'correct-horse-battery-staple\n');
  const server = await startServer(t, join(folder, 'data'), [`server.token_file="${token}"`]);
  assert.equal((await get(server.url, '/api/v1/datasets')).status, 401);
  const good = { Authorization: 'Bearer correct-horse-battery-staple' };
  assert.equal((await ask(server.url, { path: '/api/v1/datasets', headers: good })).status, 200);
  assert.equal(
    (await ask(server.url, { path: '/api/v1/datasets', headers: { Authorization: 'Bearer wrong' } })).status,
    401,
  );
});

test('the page comes with a strict policy, compressed, and cached by its name', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]']);
  const page = await ask(server.url, { path: '/', headers: { 'Accept-Encoding': 'gzip, br' } });
  assert.equal(page.status, 200);
  assert.match(page.headers['content-security-policy'], /default-src 'none'/);
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  assert.ok(page.headers.etag);
  const again = await ask(server.url, { path: '/', headers: { 'If-None-Match': page.headers.etag } });
  assert.equal(again.status, 304);
  const plain = await get(server.url, '/');
  const asset = /\/assets\/[^"]+\.js/.exec(plain.text)[0];
  const script = await ask(server.url, { path: asset, headers: { 'Accept-Encoding': 'br' } });
  assert.equal(script.headers['content-encoding'], 'br');
  assert.match(script.headers['cache-control'], /immutable/);
});

test('a configuration with mistakes: every one is named with its place, and the exit status is 2', async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'bad.toml');
  writeFileSync(
    config,
    [
      'data_dir = "x"',
      '[server]',
      'lisen = ["127.0.0.1:1"]',
      '[log]',
      'partitions = "four"',
      'sync = "often"',
      '[[prototype]]',
      'code = "A"',
      'model = "none.xml"',
      'csv = ["none-*.csv"]',
      '[[simulation]]',
      'prototype = "B"',
      '',
    ].join('\n'),
  );
  const checked = await run(['check', '--config', config]);
  assert.equal(checked.status, 2);
  for (const wanted of [
    /bad\.toml:3:1: .*lisen.*listen/,
    /bad\.toml:5:\d+: .*whole number/,
    /bad\.toml:6:\d+: .*often/,
    /none\.xml/,
    /none-\*\.csv/,
    /'B'/,
  ])
    assert.match(checked.stderr, wanted);
  const good = await run(['check', '--config', CONFIG]);
  assert.equal(good.status, 0, good.stderr);

  const open = await run([
    '--config',
    CONFIG,
    '--set',
    `data_dir="${folder}/d"`,
    '--set',
    'server.listen=["0.0.0.0:0"]',
  ]);
  assert.equal(open.status, 2);
  assert.match(open.stderr, /token_file/);
  assert.equal((await run(['--config', CONFIG, '--set', 'log.partitions=0'])).status, 2);
  assert.equal((await run(['--nonsense'])).status, 2);
  assert.equal((await run([])).status, 2);

  const model = join(folder, 'model.xml');
  writeFileSync(model, '<?xml version="1.0"?><resultset><row><field name="Field">a</field></row></resultset>');
  const broken = await run([
    '--config',
    CONFIG,
    '--set',
    `data_dir="${folder}/d"`,
    '--set',
    `prototype.0.model="${model}"`,
  ]);
  assert.equal(broken.status, 2, broken.stderr);
  assert.match(broken.stderr, /model\.xml:1:/);
});

test('a taken port, and a data directory in use: one sentence and exit status 1', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['simulation=[]']);
  const second = await run([
    '--config',
    CONFIG,
    '--set',
    `data_dir="${folder}"`,
    '--set',
    'server.listen=["127.0.0.1:0"]',
  ]);
  assert.equal(second.status, 1, second.stderr);
  assert.match(second.stderr, new RegExp(`process ${server.pid}`));

  const holder = createServer();
  await new Promise((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.after(() => holder.close());
  const taken = await run([
    '--config',
    CONFIG,
    '--set',
    `data_dir="${folder}/other"`,
    '--set',
    `server.listen=["127.0.0.1:${holder.address().port}"]`,
  ]);
  assert.equal(taken.status, 1, taken.stderr);
  assert.match(taken.stderr, new RegExp(`127\\.0\\.0\\.1:${holder.address().port}`));
});
