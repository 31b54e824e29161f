// Readings that cannot be taken: kept with reason and bytes, listed by API and command, sent again after a fix, also after a kill.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get, postReading, run, startServer, temporaryFolder } from './support.mjs';

const post = (server, path, body, headers = {}) =>
  ask(server.url, { method: 'POST', path, headers: { 'Content-Type': 'application/json', ...headers }, body });

/** received = accepted + rejected + duplicates + refused, for every kind of source. */
async function checkBalance(server) {
  const text = (await get(server.url, '/metrics')).text;
  const count = (name, source) =>
    Number(new RegExp(`^iotstream_ingest_${name}_total\\{source="${source}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  for (const source of ['http', 'simulation', 'resend']) {
    const sum = ['accepted', 'rejected', 'duplicates', 'refused'].reduce((all, name) => all + count(name, source), 0);
    assert.equal(count('received', source), sum, source);
  }
  return count;
}

test('rejected readings are listed with their reason and bytes, and sent again', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['simulation=[]']);
  assert.equal((await postReading(server.url, 'pump', { device: 'p1', v: 1 })).status, 200);
  const lines = '{"device":"p1","v":2}\n{"device":"p1","v":\n{"device":"p1","v":4,}\n';
  const answer = (
    await post(server, '/api/v1/datasets/pump/events', lines, { 'Content-Type': 'application/x-ndjson' })
  ).json();
  assert.deepEqual([answer.accepted, answer.rejected], [1, 2]);
  assert.equal((await post(server, '/search/results', 'no JSON at all')).status, 400);
  const broken = await post(server, '/api/v1/datasets/pump/events', Buffer.from([0x1f, 0x8b, 0xff, 0x00]), {
    'Content-Encoding': 'gzip',
  });
  assert.equal(broken.status, 400, broken.text);

  const { rejected } = (await get(server.url, '/api/v1/datasets/pump/rejected')).json();
  assert.equal(rejected.length, 3);
  assert.equal(rejected[0].raw_base64, 'H4v/AA==');
  assert.deepEqual([rejected[1].line, rejected[1].raw], [3, '{"device":"p1","v":4,}']);
  assert.match(rejected[1].reason, /column/);
  assert.match(rejected[1].source, /^127\.0\.0\.1:\d+$/);
  assert.equal((await get(server.url, '/api/v1/rejected')).json().rejected[0].raw, 'no JSON at all');
  assert.equal((await get(server.url, '/api/v1/datasets/none/rejected')).status, 404);
  assert.equal((await get(server.url, '/api/v1/datasets/pump/rejected?limit=x')).status, 400);
  assert.equal((await get(server.url, '/api/v1/datasets/pump/rejected?cursor=x')).status, 400);
  // Internal topics are no datasets.
  const datasets = (await get(server.url, '/api/v1/datasets')).json().datasets.map((one) => one.name);
  assert.ok(datasets.includes('pump') && !datasets.some((name) => name.startsWith('_')), datasets.join());

  const mended = await post(
    server,
    '/api/v1/datasets/pump/rejected/resend',
    JSON.stringify({ ids: [rejected[1].id], raw: '{"device":"p1","v":4}' }),
  );
  assert.deepEqual(mended.json(), { accepted: 1, rejected: 0, left: 0, errors: [] });
  assert.equal(
    (await post(server, '/api/v1/datasets/pump/rejected/resend', `{"ids":["${rejected[1].id}"]}`)).status,
    404,
  );
  assert.equal((await post(server, '/api/v1/datasets/pump/rejected/resend', '{"ids":[]}')).status, 400);
  assert.equal(
    (await post(server, '/api/v1/datasets/pump/rejected/resend', '{"ids":["a","b"],"raw":"{}"}')).status,
    422,
  );
  const count = await checkBalance(server);
  assert.deepEqual([count('received', 'http'), count('accepted', 'http'), count('rejected', 'http')], [6, 2, 4]);

  // The command shows the same, of the server and, after a kill, of the directory.
  const shown = await run(['rejected', 'pump', '--url', server.url]);
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(shown.stdout, /READING/);
  assert.match(shown.stdout, /"v":/);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.stop('SIGKILL');
  const stopped = await run([
    'rejected',
    'pump',
    '--json',
    '--set',
    `data_dir="${folder}"`,
    '--set',
    'server.listen=["127.0.0.1:1"]',
  ]);
  assert.equal(stopped.status, 0, stopped.stderr);
  assert.deepEqual(
    JSON.parse(stopped.stdout).rejected.map((letter) => letter.id),
    [rejected[0].id, rejected[2].id],
  );

  const again = await startServer(t, folder, ['simulation=[]']);
  const resent = await run(['rejected', 'pump', '--resend', '--url', again.url]);
  assert.equal(resent.status, 1);
  assert.match(resent.stdout, /^0 accepted, 2 rejected again, 0 left$/m);
  const dismissed = await run(['rejected', 'pump', '--dismiss', '--url', again.url]);
  assert.match(dismissed.stdout, /^2 taken off the list$/m);
  assert.deepEqual((await get(again.url, '/api/v1/datasets/pump/rejected')).json(), { rejected: [], next: null });
  await checkBalance(again);
});
