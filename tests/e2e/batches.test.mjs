// Bodies of any length through bounded memory: chunked, compressed, cut half-way, with errors in the middle.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ask, eventually, get, startServer, temporaryFolder } from './support.mjs';

const QUIET = ['simulation=[]', 'prototype=[]'];
const EVENTS = '/api/v1/datasets/pump/events';
const NDJSON = { 'Content-Type': 'application/x-ndjson' };

const line = (i) => `{"device":"p${i % 5}","n":${i},"pressure":${(i % 997) / 8},"note":"${'x'.repeat(60)}"}\n`;

function lines(count, from = 0) {
  const parts = [];
  for (let i = from; i < from + count; i++) parts.push(line(i));
  return parts.join('');
}

const rss = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Sends pieces one by one with chunked encoding; `cut` breaks the connection behind the last one instead of ending. */
function stream(url, { path = EVENTS, headers = NDJSON, pieces, cut = false }) {
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const request = httpRequest(
      {
        host: target.hostname,
        port: target.port,
        method: 'POST',
        path,
        headers: { ...headers, 'Transfer-Encoding': 'chunked' },
      },
      (response) => {
        let text = '';
        response.on('data', (data) => {
          text += data;
        });
        response.on('end', () => resolve({ status: response.statusCode, json: () => JSON.parse(text), text }));
      },
    );
    request.on('error', (error) => (cut ? resolve({ status: 0 }) : reject(error)));
    (async () => {
      for (const piece of pieces) {
        if (!request.write(piece)) await new Promise((ready) => request.once('drain', ready));
      }
      if (cut) request.destroy();
      else request.end();
    })().catch(reject);
  });
}

const events = async (url) => {
  const answer = await get(url, '/api/v1/topics/pump');
  if (answer.status !== 200) return 0;
  return answer.json().partitions.reduce((sum, one) => sum + one.durable - one.earliest, 0);
};

test('400,000 lines in one chunked body pass through bounded memory, with the errors of the lines', async (t) => {
  const server = await startServer(t, temporaryFolder(), [...QUIET, 'server.max_body="1MiB"']);
  await stream(server.url, { pieces: [lines(3000)] });
  const before = rss(server.pid);
  function* pieces() {
    for (let i = 0; i < 400; i++) yield `${lines(999, i * 1000)}{"n":oops}\n`;
  }
  const answer = await stream(server.url, { pieces: pieces() });
  assert.equal(answer.status, 200, answer.text);
  const outcome = answer.json();
  assert.equal(outcome.accepted, 399_600);
  assert.equal(outcome.rejected, 400);
  assert.equal(outcome.errors.length, 100);
  assert.equal(outcome.errors[1].line, 2000);
  assert.equal(await events(server.url), 402_600);
  const grown = rss(server.pid) - before;
  t.diagnostic(`a body of 45 MB: ${grown.toFixed(1)} MiB more than before`);
  assert.ok(grown < 96, `memory grew by ${grown} MiB`);
});

test('gzip and zstd: a body far above max_body when decompressed, a bomb, and one that is damaged in the middle', async (t) => {
  const server = await startServer(t, temporaryFolder(), [...QUIET, 'server.max_body="1MiB"']);
  const plain = lines(100_000);
  const zstd = spawnSync('zstd', ['-c', '-q', '-3'], { input: plain, maxBuffer: 1 << 28 }).stdout;
  for (const [coding, body] of [
    ['gzip', gzipSync(plain)],
    ['zstd', zstd],
  ]) {
    const answer = await ask(server.url, {
      method: 'POST',
      path: EVENTS,
      headers: { ...NDJSON, 'Content-Encoding': coding },
      body,
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().accepted, 100_000);
  }
  assert.equal(await events(server.url), 200_000);

  const bomb = gzipSync(Buffer.alloc(64 << 20, '\n'));
  const refused = await ask(server.url, {
    method: 'POST',
    path: EVENTS,
    headers: { ...NDJSON, 'Content-Encoding': 'gzip' },
    body: Buffer.concat([gzipSync('{"n":1}\n'.repeat(20_000)), bomb]),
  });
  assert.equal(refused.status, 413, refused.text);
  const object = await ask(server.url, {
    method: 'POST',
    path: EVENTS,
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    body: gzipSync(`{"a":"${' '.repeat(8 << 20)}"}`),
  });
  assert.equal(object.status, 413);

  const before = await events(server.url);
  const damaged = Buffer.concat([gzipSync(lines(30_000)), Buffer.from('and no more')]);
  const broken = await ask(server.url, {
    method: 'POST',
    path: EVENTS,
    headers: { ...NDJSON, 'Content-Encoding': 'gzip' },
    body: damaged,
  });
  assert.equal(broken.status, 400, broken.text);
  assert.ok((await events(server.url)) - before <= 30_000);
});

test('CSV of 100,000 rows, chunked', async (t) => {
  const server = await startServer(t, temporaryFolder(), [...QUIET, 'server.max_body="1MiB"']);
  function* pieces() {
    yield 'device;n;pressure\n';
    for (let i = 0; i < 100; i++) {
      const rows = [];
      for (let k = 0; k < 1000; k++) rows.push(`p${k % 5};${i * 1000 + k};${k},5\n`);
      yield rows.join('');
    }
    yield 'p1;1;2;3;4\n';
  }
  const answer = await stream(server.url, { headers: { 'Content-Type': 'text/csv' }, pieces: pieces() });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json().accepted, 100_000);
  assert.deepEqual(
    answer.json().errors.map((error) => error.line),
    [100_002],
  );
});

test('a body that is cut half-way: what came stays; under its key, or numbered, the repetition takes what is missing', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder, QUIET);
  for (const [round, headers] of [
    [0, { 'Idempotency-Key': 'shift 7' }],
    [1, { 'Producer-Id': '42', 'Producer-Sequence': '1000' }],
  ]) {
    const base = round * 50_000;
    const all = lines(50_000);
    await stream(server.url, { headers: { ...NDJSON, ...headers }, pieces: [all.slice(0, 2_500_001)], cut: true });
    const came = await eventually('some of the body', async () => {
      const first = await events(server.url);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return first > base && first === (await events(server.url)) && first - base;
    });
    assert.ok(came < 50_000, `${came} came`);
    if (round === 0) {
      // Not even a kill in between makes one double.
      await server.stop('SIGKILL');
      server = await startServer(t, folder, QUIET);
    }
    const again = await stream(server.url, { headers: { ...NDJSON, ...headers }, pieces: [all] });
    assert.equal(again.status, 200, again.text);
    const outcome = again.json();
    assert.equal(outcome.accepted + outcome.duplicates, 50_000);
    assert.equal(outcome.rejected, 0);
    assert.equal(await events(server.url), base + 50_000);
  }
});
