// Read-only SQL through the real binary: over HTTP and by the command line, on a running server and on a stopped directory.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { ask, get, postReading, run, startServer, temporaryFolder } from './support.mjs';

const EMPTY = ['simulation=[]', 'prototype=[]'];
const ENDLESS = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t';

const sql = (url, body) =>
  ask(url, {
    method: 'POST',
    path: '/api/v1/sql',
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function untilStored(url, events) {
  const until = performance.now() + 10_000;
  for (;;) {
    const answer = await sql(url, { sql: 'SELECT events FROM datasets' });
    if (answer.status === 200 && answer.json().rows.some(([count]) => count === events)) return;
    assert.ok(performance.now() < until, `history does not get the events: ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('SQL over history and catalog', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, EMPTY);
  for (let i = 0; i !== 20; ++i) {
    const reading = { device: `press ${i % 2}`, temperature: 90 + i / 4, serial: '=1+1', count: i };
    assert.equal((await postReading(server.url, 'press', reading)).status, 200);
  }
  await untilStored(server.url, 20);

  const table = 'SELECT temperature, count, serial FROM press ORDER BY count LIMIT 2';
  const answer = await sql(server.url, { sql: table });
  assert.equal(answer.status, 200, answer.text);
  const { columns, types, rows, truncated, ms } = answer.json();
  assert.deepEqual(columns, ['temperature', 'count', 'serial']);
  assert.deepEqual(types, ['number', 'integer', 'text']);
  assert.deepEqual(rows, [
    [90, 0, '=1+1'],
    [90.25, 1, '=1+1'],
  ]);
  assert.equal(truncated, false);
  assert.ok(ms >= 0);
  const exact = await sql(server.url, {
    sql: "SELECT 9223372036854775807, 8.620000000000001, 12.0, x'00ff', 9e999, NULL, 'é'",
  });
  assert.ok(
    exact.text.includes('[[9223372036854775807,8.620000000000001,12.0,{"base64":"AP8="},"Infinity",null,"é"]]'),
    exact.text,
  );
  assert.equal((await sql(server.url, { sql: 'SELECT * FROM press', limit: 3 })).json().truncated, true);
  assert.equal((await sql(server.url, { sql: 'SELECT count(*) FROM catalog.prototypes' })).status, 200);

  for (const [body, status, sentence] of [
    [{ sql: 'SELECT tempo FROM press' }, 400, 'at character 8: no such column: tempo'],
    [{ sql: 'SELECT 1; DROP TABLE press' }, 400, 'more than one SQL statement'],
    [{ sql: 'DROP TABLE press' }, 403, 'nothing can be changed'],
    [{ sql: "ATTACH '/etc/passwd' AS p" }, 403, 'other files'],
    [{ sql: "SELECT load_extension('x')" }, 403, 'load_extension'],
    [{ sql: 'PRAGMA journal_mode = DELETE' }, 403, 'PRAGMA journal_mode'],
    [{ sql: ENDLESS, timeout: '200ms' }, 503, 'ended after 0.2 s'],
    [{ sql: 'SELECT 1', timeout: '5min' }, 400, "'timeout'"],
    [{ sql: 'SELECT 1', limit: 1_000_000 }, 400, "'limit'"],
    [{}, 400, "'sql' is missing"],
    ['no JSON', 400, 'not JSON'],
  ]) {
    const refused = await sql(server.url, body);
    assert.equal(refused.status, status, `${JSON.stringify(body)}: ${refused.text}`);
    assert.equal(refused.headers['content-type'], 'application/problem+json');
    assert.ok(refused.json().detail.includes(sentence), refused.text);
  }
  assert.equal((await sql(server.url, { sql: 'SELECT tempo FROM press' })).json().position, 7);
  assert.equal((await sql(server.url, { sql: 'SELECT count(*) FROM press' })).json().rows[0][0], 20);

  const shown = await run(['query', table, '--url', server.url]);
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(shown.stdout, /temperature\s+count\s+serial\n\s*90\.?0?\s+0\s+=1\+1/);
  const csv = await run(['query', table, '--csv', '--url', server.url]);
  assert.equal(csv.stdout.split('\r\n')[2], `90.25,1,"'=1+1"`);
  const wrong = await run(['query', 'SELECT', '--url', server.url]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^iotstream: /);

  await server.stop();
  const set = ['--set', `data_dir="${folder}"`, '--set', 'server.listen=["127.0.0.1:9"]'];
  const stopped = await run(['query', 'SELECT count(*) AS n FROM press', '--json', ...set]);
  assert.equal(stopped.status, 0, stopped.stderr);
  assert.deepEqual(JSON.parse(stopped.stdout).rows, [[20]]);
});

test('a statement ends when who asked is gone, and long ones keep nobody else waiting', async (t) => {
  const server = await startServer(t, temporaryFolder(), EMPTY);
  const askers = [];
  for (let i = 0; i !== 2; ++i) {
    const request = httpRequest(`${server.url}/api/v1/sql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
    });
    request.on('error', () => {});
    request.end(JSON.stringify({ sql: ENDLESS, timeout: '60s' }));
    askers.push(request);
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  const began = performance.now();
  assert.equal((await get(server.url, '/api/v1/datasets')).status, 200);
  assert.equal((await get(server.url, '/api/v1/status')).status, 200);
  assert.ok(performance.now() - began < 5_000);
  for (const request of askers) request.destroy();
  // Both are free again.
  const answer = await sql(server.url, { sql: 'SELECT 1' });
  assert.equal(answer.status, 200, answer.text);
  assert.ok(performance.now() - began < 20_000);
  const slow = (await get(server.url, '/api/v1/status')).json().slow_queries;
  assert.equal(slow.filter((query) => query.kind === 'sql' && query.outcome.includes('cancelled')).length, 2);
});
