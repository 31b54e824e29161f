// The command line against a running server and against a stopped data directory.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BINARY, CONFIG, eventually, get, postReading, ROOT, run, startServer, temporaryFolder } from './support.mjs';

test('help, version and completion', async () => {
  const help = await run(['--help']);
  assert.equal(help.status, 0);
  for (const command of [
    'run',
    'check',
    'import',
    'topics',
    'groups',
    'datasets',
    'prototypes',
    'devices',
    'tail',
    'verify',
    'send',
    'bench',
    'completion',
  ]) {
    assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'), `--help names ${command}`);
    assert.equal((await run([command, '--help'])).status, 0);
  }
  assert.match((await run(['--version'])).stdout, /^iotstream \d+\.\d+\.\d+\n$/);
  const script = (await run(['completion', 'bash'])).stdout;
  assert.equal(spawnSync('bash', ['-n'], { input: script }).status, 0, 'the script is bash');
  assert.match(script, /import\) words="[^"]*--prototype/);
});

test('bench: what it does not know', async () => {
  const unknown = await run(['bench', 'speed']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /no benchmark 'speed'; there are: .*\blog\b/);
  const size = await run(['bench', 'log', '--size', 'much']);
  assert.equal(size.status, 2);
  assert.match(size.stderr, /--size: .*much/);
  assert.equal(size.stdout, '', 'nothing is measured');
});

test('import: rows, the same file again, and rows that cannot be taken', async () => {
  const folder = temporaryFolder();
  const data = ['--config', CONFIG, '--set', `data_dir="${folder}/data"`];
  const csv = join(folder, 'pump.csv');
  writeFileSync(
    csv,
    '\ufefftime;flow (l/min);state\r\n2024-05-01 10:0:1.5;12.5;"on; full"\r\n2024-05-01 10:0:2.5;;off\r\nnever;1;off\r\n2024-05-01 10:0:3.5;13;off\r\n',
  );
  const first = await run([
    'import',
    ...data,
    '--prototype',
    'PUMP',
    '--label',
    'Pump',
    '--dataset',
    'pumps',
    '--json',
    csv,
  ]);
  assert.equal(first.status, 0, first.stderr);
  const [report] = JSON.parse(first.stdout).files;
  assert.equal(report.rows, 3);
  assert.equal(report.rejected, 1);
  assert.equal(report.errors[0].line, 4);
  assert.equal(report.separator, ';');
  assert.equal(report.first_time, '2024-05-01T10:00:01.500000Z');
  const again = await run(['import', ...data, '--prototype', 'PUMP', csv]);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /imported before, nothing changed/);
  const listed = await run(['prototypes', ...data, '--set', 'server.listen=["127.0.0.1:1"]']);
  assert.match(listed.stdout, /PUMP\s+Pump/);
  const missing = await run(['import', ...data, '--prototype', 'PUMP', join(folder, 'none.csv')]);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /none\.csv/);
});

test('looking at a server, and at its directory when it is stopped', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, ['simulation=[]']);
  for (let n = 0; n < 5; n += 1) assert.equal((await postReading(server.url, 'shelf', { device: 'a', n })).status, 200);
  const sent = await run(['send', 'shelf', '-', '--url', server.url], {
    input: '{"device":"a","n":5}\n{"device":"a","n":\n',
  });
  assert.equal(sent.status, 1, 'a rejected line is a failure');
  assert.match(sent.stdout, /1 accepted, 1 rejected/);
  assert.match(sent.stderr, /line 2: /);

  const numbers = (output) =>
    output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).value.n);
  const live = await run(['tail', 'shelf', '--url', server.url, '--from', 'earliest', '--limit', '6']);
  assert.deepEqual(numbers(live.stdout), [0, 1, 2, 3, 4, 5]);
  assert.match((await run(['datasets', '--url', server.url])).stdout, /^shelf /m);
  assert.match((await run(['topics', '--url', server.url])).stdout, /^shelf /m);
  await eventually('the device is listed', async () =>
    /^a\s+shelf/m.test((await run(['devices', '--url', server.url])).stdout),
  );
  assert.equal((await run(['tail', 'none', '--url', server.url])).status, 1);
  assert.equal((await server.stop()).status, 0);

  const stopped = ['--config', CONFIG, '--set', `data_dir="${folder}"`, '--set', 'server.listen=["127.0.0.1:1"]'];
  assert.deepEqual(
    numbers((await run(['tail', 'shelf', ...stopped, '--from', 'earliest'])).stdout),
    [0, 1, 2, 3, 4, 5],
  );
  const topics = JSON.parse((await run(['topics', '--json', ...stopped])).stdout).topics;
  assert.equal(
    topics.find((topic) => topic.topic === 'shelf').partitions.reduce((sum, p) => sum + p.durable, 0),
    6,
  );
});

test('the API describes exactly the routes there are, and the metrics count', async (t) => {
  const server = await startServer(t, temporaryFolder());
  const document = (await get(server.url, '/api/v1/openapi.json')).json();
  assert.equal(document.openapi, '3.1.0');
  for (const path of ['/search/results', '/api/v1/datasets/{dataset}/events', '/api/v1/live', '/metrics'])
    assert.ok(document.paths[path], path);
  for (const [path, operations] of Object.entries(document.paths)) {
    if (!operations.get || path.includes('{') || path === '/api/v1/live') continue;
    assert.equal((await get(server.url, path)).status, 200, path);
  }
  await eventually('readings are counted', async () => {
    const { text } = await get(server.url, '/metrics');
    const value = (name) =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))].reduce(
        (sum, match) => sum + Number(match[1]),
        0,
      );
    return (
      value('iotstream_ingest_accepted_total') > 0 &&
      value('iotstream_ingest_received_total') >= value('iotstream_ingest_accepted_total')
    );
  });
  const status = (await get(server.url, '/api/v1/status')).json();
  assert.ok(status.memory.rss_bytes > 1e6 && status.uptime_s >= 0 && status.ready);
});

test('simulations can be paused, quickened and removed', async (t) => {
  const server = await startServer(t, temporaryFolder());
  const { ask } = await import('./support.mjs');
  const list = async () => (await get(server.url, '/api/v1/simulations')).json().simulations;
  const [first] = await list();
  const change = (body) =>
    ask(server.url, {
      method: 'PATCH',
      path: `/api/v1/simulations/${first.id}`,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const paused = await change({ state: 'paused' });
  assert.equal(paused.status, 200, paused.text);
  assert.equal(paused.json().state, 'paused');
  assert.equal((await change({ speed: 0 })).status, 422);
  assert.equal((await change({ state: 'running', speed: 2 })).json().speed, 2);
  assert.equal((await ask(server.url, { method: 'DELETE', path: `/api/v1/simulations/${first.id}` })).status, 204);
  assert.ok((await list()).every((simulation) => simulation.id !== first.id));
});

test('the recordings of others are taken as they are', async (t) => {
  const samples = process.env.IOTSTREAM_SAMPLES;
  if (!samples) {
    t.skip('IOTSTREAM_SAMPLES names no folder of real recordings');
    return;
  }
  const folder = temporaryFolder();
  const data = [
    '--config',
    CONFIG,
    '--set',
    `data_dir="${folder}/data"`,
    '--set',
    'prototype=[]',
    '--set',
    'simulation=[]',
  ];
  const sum = (files, name) => files.reduce((total, file) => total + file[name], 0);
  const load = async (code, sub) => {
    const files = readdirSync(join(samples, sub))
      .filter((name) => name.endsWith('.csv'))
      .map((name) => join(samples, sub, name));
    const done = await run(['import', ...data, '--prototype', code, '--json', ...files]);
    assert.equal(done.status, 0, done.stderr);
    return JSON.parse(done.stdout).files;
  };
  const machine = await load('X46789', 'x46789_2023');
  assert.equal(machine.length, 14);
  assert.equal(sum(machine, 'rows'), 14 * 90);
  assert.equal(sum(machine, 'rejected'), 0);
  const [torque] = await load('TORQUE', 'torque_2022');
  assert.equal(torque.rows + torque.rejected, 1200);
  assert.ok(torque.rows >= 1199, JSON.stringify(torque));
  assert.match(torque.time_column, /Device Time/);
  const etios = await load('ETIOS', 'carobd_etios');
  assert.equal(etios.length, 2);
  assert.ok(sum(etios, 'rows') > 3000, JSON.stringify(etios));
  const again = await load('X46789', 'x46789_2023');
  assert.ok(again.every((file) => file.unchanged));
});

test('a release binary needs nothing but the C library', {
  skip: process.env.IOTSTREAM_STATIC_CHECK !== '1' && 'only for the release build with simdjson linked in',
}, () => {
  const needed = spawnSync('ldd', [BINARY], { cwd: ROOT, encoding: 'utf8' }).stdout;
  const libraries = needed
    .split('\n')
    .map((line) => line.trim().split(' ')[0])
    .filter(Boolean);
  const glibc = /^(linux-vdso|libc|libm|libpthread|libdl|librt|libresolv|\/lib64\/ld-linux)/;
  assert.deepEqual(
    libraries.filter((library) => !glibc.test(library)),
    [],
  );
});
