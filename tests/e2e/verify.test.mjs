// iotstream verify: on a server that runs, on a stopped directory of which not a byte changes, and on a damaged one.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, CONFIG, eventually, get, run, startServer, temporaryFolder } from './support.mjs';

async function fill(server, count) {
  const body = Array.from({ length: count }, (_, n) =>
    JSON.stringify({ device: `d${n % 7}`, n, text: 'x'.repeat(200) }),
  );
  const answer = await ask(server.url, {
    method: 'POST',
    path: '/api/v1/datasets/shelf/events',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: body.join('\n'),
  });
  assert.equal(answer.json().accepted, count, answer.text);
}

const options = (folder) => [
  '--config',
  CONFIG,
  '--set',
  `data_dir="${folder}"`,
  '--set',
  'server.listen=["127.0.0.1:1"]',
];
const verify = async (folder, ...more) => {
  const outcome = await run(['verify', ...options(folder), '--json', ...more]);
  return { ...outcome, ...(outcome.stdout === '' ? {} : JSON.parse(outcome.stdout)) };
};

/** Names, sizes and digests of every file. */
function picture(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.path, entry.name);
      return `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    })
    .sort();
}

const segments = (folder) =>
  readdirSync(join(folder, 'log', 'shelf'), { recursive: true })
    .filter((name) => name.endsWith('.segment'))
    .map((name) => join(folder, 'log', 'shelf', name))
    .sort();

function flip(path, position) {
  const content = readFileSync(path);
  content[position] ^= 0x10;
  writeFileSync(path, content);
}

test('a server is verified while it works, and its directory afterwards, unchanged', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['log.segment_size="1MiB"']);
  await fill(server, 3000);
  const live = await run(['verify', '--url', server.url, '--json']);
  assert.equal(live.status, 0, live.stdout + live.stderr);
  const { report } = JSON.parse(live.stdout);
  assert.ok(report.ok && report.records >= 3000 && report.rows > 0 && report.datasets > 0, live.stdout);
  const text = await run(['verify', '--url', server.url]);
  assert.equal(text.status, 0, text.stdout);
  assert.match(text.stdout, /all holds\n$/);
  assert.equal((await get(server.url, '/api/v1/verify?rate=quick')).status, 400);
  const held = await verify(folder);
  assert.equal(held.status, 1);
  assert.match(held.stderr, /is in use by process \d+/);
  assert.equal((await server.stop()).status, 0);

  const before = picture(folder);
  const stopped = await verify(folder);
  assert.equal(stopped.status, 0, stopped.stdout);
  assert.deepEqual(stopped.findings, []);
  assert.ok(stopped.report.records >= report.records);
  assert.deepEqual(picture(folder), before);
});

test('what kill -9 leaves is whole, and not repaired by looking', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, []);
  await fill(server, 500);
  await server.stop('SIGKILL');
  const before = picture(folder);
  const outcome = await verify(folder);
  assert.equal(outcome.status, 0, outcome.stdout);
  assert.ok(outcome.findings.every((finding) => finding.kind === 'note'));
  assert.deepEqual(picture(folder), before);
  const again = await startServer(t, folder, ['simulation=[]']);
  assert.equal((await run(['verify', '--url', again.url])).status, 0);
  assert.equal((await again.stop()).status, 0);
});

test('damage is named with its file, byte and offsets', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['simulation=[]', 'log.partitions=1']);
  await fill(server, 100);
  const ahead = await ask(server.url, {
    method: 'PUT',
    path: '/api/v1/groups/readers/offsets',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ offsets: [{ topic: 'shelf', offset: 'latest' }] }),
  });
  assert.equal(ahead.status, 200, ahead.text);
  await eventually('history has them', async () => {
    const { datasets } = (await get(server.url, '/api/v1/datasets')).json();
    return datasets.find((dataset) => dataset.name === 'shelf')?.events === 100;
  });
  assert.equal((await server.stop()).status, 0);
  assert.equal((await verify(folder)).status, 0);

  const [segment] = segments(folder);
  flip(segment, 1024 + 64 + 30);
  const flipped = await verify(folder);
  assert.equal(flipped.status, 1);
  const [finding] = flipped.findings;
  assert.equal(finding.kind, 'damage');
  assert.equal(finding.topic, 'shelf');
  assert.equal(finding.partition, 0);
  assert.equal(finding.first, 0);
  assert.equal(finding.file, segment);
  assert.equal(finding.position, 1024);
  assert.match(finding.what, /fails its checksum/);
  const text = await run(['verify', ...options(folder)]);
  assert.equal(text.status, 1);
  assert.match(
    text.stdout,
    /^damage: topic shelf, partition 0, offsets 0 to \d+, .*\.segment byte 1024: a batch fails its checksum$/m,
  );
  assert.match(text.stdout, /places are damaged\n$/);
  flip(segment, 1024 + 64 + 30);
  assert.equal((await verify(folder)).status, 0);

  // All records gone: the mark, the group and history know of them.
  const kept = readFileSync(segment);
  rmSync(segment);
  const gone = await verify(folder);
  assert.equal(gone.status, 1);
  const whats = gone.findings.map((one) => one.what).join('\n');
  assert.match(whats, /records that had been durable are missing at the end/);
  writeFileSync(segment, kept);

  const mark = join(folder, 'log', 'shelf', '0', 'mark');
  const marks = readFileSync(mark);
  flip(mark, 40);
  flip(mark, 552);
  const broken = await verify(folder);
  assert.equal(broken.status, 1);
  assert.ok(broken.findings.some((one) => one.file === mark));
  writeFileSync(mark, marks);

  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(join(folder, `history.db${suffix}`))) rmSync(join(folder, `history.db${suffix}`));
  const without = await verify(folder);
  assert.equal(without.status, 0, without.stdout);
  assert.match(without.findings[0].what, /there is no history/);
});

test('verify says what is wrong with its own use', async () => {
  const nothing = await verify(join(temporaryFolder(), 'none'));
  assert.equal(nothing.status, 1);
  assert.match(nothing.stderr, /there is no data in/);
  assert.equal((await run(['verify', '--url', 'http://127.0.0.1:1'])).status, 1);
  assert.equal((await run(['verify', '--config', '/nowhere.toml'])).status, 2);
});
