// CSV files into the running server and by the command line: every odd file, uploads in pieces with a preview, watched folders, models.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, CONFIG, eventually, get, openViewer, ROOT, run, startServer, temporaryFolder } from './support.mjs';

const CORPUS = join(ROOT, 'tests', 'corpus', 'csv');
const expectations = readFileSync(join(CORPUS, 'expected.ndjson'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const CSV = 'time;speed (km/h);a\n2022-01-01 00:00:01;1,5;x\n2022-01-01 00:00:02;2,5;y\nnever;1;z\n';

const json = (url, method, path, value) =>
  ask(url, { method, path, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

async function upload(url, content, about = {}) {
  const bytes = Buffer.from(content);
  const created = await json(url, 'POST', '/api/v1/imports', { name: 'a.csv', size: bytes.length, ...about });
  assert.equal(created.status, 201, created.text);
  const { id } = created.json();
  assert.equal(created.headers.location, `/api/v1/imports/${id}`);
  const half = bytes.length >> 1;
  for (const [begin, end] of [
    [0, half],
    [half, bytes.length],
  ]) {
    const put = await ask(url, {
      method: 'PUT',
      path: `/api/v1/imports/${id}?offset=${begin}`,
      body: bytes.subarray(begin, end),
    });
    assert.equal(put.status, 200, put.text);
    assert.equal(put.json().bytes_received, end);
  }
  return id;
}

const settled = (url, id) =>
  eventually(`import ${id} is settled`, async () => {
    const status = (await get(url, `/api/v1/imports/${id}`)).json();
    return ['preview', 'done', 'failed', 'cancelled'].includes(status.state) ? status : null;
  });

test('import: every odd file comes to what is written beside it', async () => {
  const folder = temporaryFolder();
  const data = ['--config', CONFIG, '--set', `data_dir="${folder}"`];
  for (const expected of expectations) {
    // Copies of their own: the same file under a second name would change nothing.
    const done = await run(['import', ...data, '--prototype', expected.file, '--json', join(CORPUS, expected.file)]);
    if (expected.error !== undefined) {
      assert.equal(done.status, 2, `${expected.file}: ${done.stderr}`);
      assert.ok(done.stderr.includes(expected.error), `${expected.file}: ${done.stderr}`);
      continue;
    }
    assert.equal(done.status, 0, `${expected.file}: ${done.stderr}`);
    const [report] = JSON.parse(done.stdout).files;
    assert.equal(report.rows, expected.rows.length, expected.file);
    assert.deepEqual(
      report.errors.map(({ line, reason }) => `line ${line}: ${reason}`),
      expected.rejected,
      expected.file,
    );
    for (const [mine, theirs] of [
      ['separator', 'separator'],
      ['encoding', 'encoding'],
      ['time', 'time_column'],
      ['pace', 'pace_column'],
      ['left_out', 'left_out'],
    ])
      assert.equal(report[theirs], expected[mine], `${expected.file}: ${mine}`);
  }
});

test('import: what somebody says stands in for what would be found', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.csv');
  writeFileSync(file, 'made;at;a\n2020-01-01 00:00:00;3/4/2022 00:00:01;1\n2020-01-02 00:00:00;3/4/2022 00:00:02;2\n');
  const args = ['import', '--config', CONFIG, '--set', `data_dir="${folder}/data"`, '--prototype', 'P', '--json', file];
  const said = await run([...args, '--time-column', 'at', '--date-order', 'month', '--separator', ';']);
  assert.equal(said.status, 0, said.stderr);
  const [report] = JSON.parse(said.stdout).files;
  assert.equal(report.time_column, 'at');
  assert.equal(report.first_time, '2022-03-04T00:00:01.000000Z');
  const none = JSON.parse((await run([...args, '--time-column', '-'])).stdout).files[0];
  assert.equal(none.time_column, '');
  const missing = await run([...args, '--time-column', 'when']);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /no column 'when'/);
  assert.equal((await run([...args, '--separator', 'ab'])).status, 2);
});

test('uploads: every fourth odd file through its preview', async (t) => {
  const server = await startServer(t, temporaryFolder());
  for (const expected of expectations.filter((_, index) => index % 4 === 0)) {
    const content = readFileSync(join(CORPUS, expected.file));
    if (content.length < 2) continue;
    const id = await upload(server.url, content, { name: expected.file });
    const looked = await settled(server.url, id);
    if (expected.error !== undefined) {
      assert.equal(looked.state, 'failed');
      assert.equal(looked.problem, `${expected.file}: ${expected.error}`);
      continue;
    }
    assert.equal(looked.state, 'preview', `${expected.file}: ${looked.problem}`);
    assert.equal(looked.preview.rows, expected.rows.length);
    assert.equal(looked.preview.rejected, expected.rejected.length);
    const accepted = await json(server.url, 'POST', `/api/v1/imports/${id}/accept?wait=true`, {
      prototype: expected.file,
    });
    assert.equal(accepted.status, 200, accepted.text);
    assert.equal(accepted.json().rows, expected.rows.length);
  }
});

test('upload: pieces, preview, choices, accept; the dataset is there at once for whoever watches', async (t) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'quiet.toml'), '# no device that would change anything meanwhile\n');
  const { url } = await startServer(t, join(folder, 'data'), [], join(folder, 'quiet.toml'));
  const viewer = await openViewer(t, url);
  await viewer.next((message) => message.op === 'hello');
  const id = await upload(url, CSV, { prototype: 'PUMP', label: 'Pump', dataset: 'pumps' });
  const looked = await settled(url, id);
  assert.equal(looked.state, 'preview');
  const preview = (await get(url, `/api/v1/imports/${id}/preview`)).json();
  assert.equal(preview.separator, ';');
  assert.equal(preview.encoding, 'utf-8');
  assert.equal(preview.time_column, 'time');
  assert.deepEqual(preview.time_candidates, ['time']);
  assert.equal(preview.first_time, '2022-01-01T00:00:01.000000Z');
  assert.deepEqual(preview.errors, [{ line: 4, reason: "the time in 'time' cannot be read: 'never'" }]);
  assert.deepEqual(preview.first_rows[0], ['2022-01-01 00:00:01', '1,5', 'x']);
  assert.deepEqual(preview.columns[1], {
    name: 'speed (km/h)',
    unit: 'km/h',
    type: 'float',
    values: 3,
    time: false,
    samples: ['1,5', '2,5'],
  });

  const again = await json(url, 'POST', `/api/v1/imports/${id}/preview?wait=true`, {
    columns: [{ column: 'a', name: 'mode', unit: 'letters' }],
  });
  assert.equal(again.status, 200, again.text);
  assert.equal(again.json().preview.columns[2].name, 'mode');
  assert.equal((await json(url, 'POST', `/api/v1/imports/${id}/preview`, { separator: 'ab' })).status, 422);
  assert.equal((await json(url, 'POST', `/api/v1/imports/${id}/preview`, { columns: [7] })).status, 400);

  const began = performance.now();
  const accepted = await json(url, 'POST', `/api/v1/imports/${id}/accept?wait=true`, {});
  assert.equal(accepted.status, 200, accepted.text);
  assert.equal(accepted.json().state, 'done');
  assert.equal(accepted.json().rows, 2);
  await viewer.next((message) => message.op === 'changed');
  const { datasets } = (await get(url, '/api/v1/datasets')).json();
  const pumps = datasets.find(({ name }) => name === 'pumps');
  assert.ok(pumps, 'the dataset is listed');
  assert.ok(performance.now() - began < 10_000);
  const { fields } = (await get(url, '/api/v1/datasets/pumps/schema')).json();
  assert.equal(fields.find(({ name }) => name === 'mode').unit, 'letters');

  const listed = (await get(url, '/api/v1/imports')).json().imports;
  assert.equal(listed[0].id, id);
  assert.equal((await ask(url, { method: 'DELETE', path: `/api/v1/imports/${id}` })).status, 204);
  assert.equal((await get(url, `/api/v1/imports/${id}`)).status, 404);
});

test('upload: what cannot be is one clear sentence, and goes on over a restart', async (t) => {
  const folder = temporaryFolder();
  const first = await startServer(t, folder, ['imports.max_upload="1MiB"']);
  const { url } = first;
  const refused = async (status, answer, sentence) => {
    const response = await answer;
    assert.equal(response.status, status, response.text);
    assert.match(response.json().detail, sentence);
  };
  await refused(413, json(url, 'POST', '/api/v1/imports', { size: 2 << 20 }), /1048576 are allowed/);
  await refused(422, json(url, 'POST', '/api/v1/imports', {}), /size/);
  await refused(400, json(url, 'POST', '/api/v1/imports', { size: 'x' }), /size/);
  await refused(404, get(url, '/api/v1/imports/77'), /no import 77/);
  await refused(404, get(url, '/api/v1/imports/x'), /no import 'x'/);
  const { id } = (await json(url, 'POST', '/api/v1/imports', { name: 'a.csv', size: CSV.length })).json();
  const path = `/api/v1/imports/${id}`;
  await refused(400, ask(url, { method: 'PUT', path, body: 'x' }), /offset/);
  await refused(409, ask(url, { method: 'PUT', path: `${path}?offset=5`, body: 'x' }), /go on at offset 0, not 5/);
  await refused(413, ask(url, { method: 'PUT', path: `${path}?offset=0`, body: `${CSV}more` }), /were announced/);
  await refused(409, get(url, `${path}/preview`), /no preview yet/);
  await refused(409, json(url, 'POST', `${path}/accept`, {}), /receiving/);
  const range = { 'Content-Range': `bytes 0-29/${CSV.length}` };
  assert.equal((await ask(url, { method: 'PUT', path, headers: range, body: CSV.slice(0, 30) })).status, 200);
  await first.stop('SIGKILL');

  const second = await startServer(t, folder);
  const status = (await get(second.url, path)).json();
  assert.equal(status.state, 'receiving');
  assert.equal(status.bytes_received, 30);
  await ask(second.url, { method: 'PUT', path: `${path}?offset=30`, body: CSV.slice(30) });
  assert.equal((await settled(second.url, id)).state, 'preview');
  await refused(422, json(second.url, 'POST', `${path}/accept`, {}), /which prototype/);
  const done = await json(second.url, 'POST', `${path}/accept?wait=true`, { prototype: 'P' });
  assert.equal(done.json().rows, 2);
});

test('one body: CSV as it is, and as a form sends it', async (t) => {
  const { url } = await startServer(t, temporaryFolder());
  const plain = await ask(url, { method: 'POST', path: '/api/v1/imports?prototype=A&wait=true', body: CSV });
  assert.equal(plain.status, 200, plain.text);
  assert.equal(plain.json().rows, 2);
  assert.equal(plain.json().rejected, 1);
  const form = [
    '--xYz',
    'Content-Disposition: form-data; name="note"',
    '',
    'hello',
    '--xYz',
    'Content-Disposition: form-data; name="file"; filename="drive.csv"',
    'Content-Type: text/csv',
    '',
    CSV,
    '--xYz--',
    '',
  ].join('\r\n');
  const multipart = (body) =>
    ask(url, {
      method: 'POST',
      path: '/api/v1/imports?prototype=B&wait=true',
      headers: { 'Content-Type': 'multipart/form-data; boundary=xYz' },
      body,
    });
  const sent = await multipart(form);
  assert.equal(sent.status, 200, sent.text);
  assert.equal(sent.json().rows, 2);
  assert.equal(sent.json().file, 'drive.csv');
  assert.equal((await multipart(form.slice(0, 200))).status, 400);
  const accepted = await ask(url, { method: 'POST', path: '/api/v1/imports?prototype=C', body: CSV });
  assert.equal(accepted.status, 202);
  assert.equal((await settled(url, accepted.json().id)).state, 'done');
  assert.equal((await ask(url, { method: 'POST', path: '/api/v1/imports', body: CSV })).status, 422);
  assert.equal((await ask(url, { method: 'POST', path: '/api/v1/imports?prototype=A' })).status, 400);
  const bad = await ask(url, { method: 'POST', path: '/api/v1/imports?prototype=D&wait=true', body: '{"a":1}' });
  assert.equal(bad.status, 422);
  assert.match(bad.json().problem, /JSON/);
  const metrics = (await get(url, '/metrics')).text;
  assert.match(metrics, /iotstream_catalog_imports_failed_total 1/);
});

test('a watched folder takes new files by itself, once, and replays them', async (t) => {
  const folder = temporaryFolder();
  const incoming = join(folder, 'in');
  mkdirSync(incoming);
  const config = join(folder, 'watch.toml');
  writeFileSync(
    config,
    `[[watch]]\nfolder = "${incoming}"\nby_name = true\nsettle = "100ms"\ninterval = "50ms"\nstream = true\n`,
  );
  const settings = join(folder, 'data');
  const first = await startServer(t, settings, [], config);
  const imports = async (url) => (await get(url, '/api/v1/imports')).json().imports;
  // As recorders do: written under another name, then renamed; and written straight into the folder.
  writeFileSync(join(folder, 'half.part'), CSV);
  renameSync(join(folder, 'half.part'), join(incoming, 'PUMP_1.csv'));
  writeFileSync(join(incoming, 'broken.csv'), '{"a":1}\n');
  copyFileSync(join(CORPUS, 'like-x46789.csv'), join(incoming, 'X1.csv'));
  const all = await eventually('three imports have ended', async () => {
    const list = await imports(first.url);
    return list.length === 3 && list.every(({ state }) => ['done', 'failed'].includes(state)) ? list : null;
  });
  const of = (name) => all.find((one) => one.name.endsWith(name));
  assert.equal(of('PUMP_1.csv').rows, 2);
  assert.equal(of('PUMP_1.csv').prototype, 'PUMP');
  assert.equal(of('PUMP_1.csv').source, 'folder');
  assert.equal(of('broken.csv').state, 'failed');
  assert.match(first.diagnostics(), /broken\.csv failed/);
  assert.deepEqual(readdirSync(incoming).sort(), ['PUMP_1.csv', 'X1.csv', 'broken.csv']);
  await eventually('the pump is replayed', async () => {
    const { devices } = (await get(first.url, '/api/v1/devices')).json();
    return devices.some(({ device }) => device === 'PUMP');
  });
  await first.stop();

  const second = await startServer(t, settings, [], config);
  writeFileSync(join(incoming, 'PUMP_2.csv'), CSV.replaceAll('2022', '2023'));
  const later = await eventually('the new file has come in', async () => {
    const list = await imports(second.url);
    return list.some(({ state }) => state === 'done') ? list : null;
  });
  assert.deepEqual(
    later.filter(({ state }) => state === 'done').map(({ rows }) => rows),
    [2],
  );
  const check = await run(['check', '--config', config, '--set', 'watch.0.prototype="X"']);
  assert.equal(check.status, 2);
  assert.match(check.stderr, /either prototype.*or by_name/);
});

test('XML models by command line and API; no DTD, no entities', async (t) => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const model = (rows, head = '') => `<?xml version="1.0"?>\n${head}<resultset>\n${rows}\n</resultset>\n`;
  const row = (name, type, more = '') =>
    `<row><field name="Field">${name}</field><field name="Type">${type}</field>${more}</row>`;
  const good = model(
    [
      row('dateHour', 'datetime(6)'),
      row('gpsSpeed', 'decimal(18,15)', '<field name="Null">YES</field><field name="Key" /><field name="Default" />'),
      row('Gear', 'int(11)', '<field name="Null">NO</field><field name="Key">MUL</field>'),
      row('on', 'tinyint(1)'),
      row('code', 'varchar(10)', '<field name="Null">NO</field><field name="Default">X46789</field>'),
    ].join('\n'),
  );
  const hostile = {
    'billion laughs': model(
      row('&lol9;', 'int'),
      '<!DOCTYPE r [<!ENTITY lol "lol"><!ENTITY lol9 "&lol;&lol;&lol;">]>\n',
    ),
    'an external entity': model(row('&x;', 'int'), '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'),
    'an external DTD': model(row('a', 'int'), '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">\n'),
    'a parameter entity': model(row('a', 'int'), '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]>\n'),
  };
  const file = join(folder, 'model.xml');
  const csv = join(folder, 'a.csv');
  writeFileSync(csv, 'dateHour;Gear;on\n2022-01-01 00:00:01;5;true\n');
  const args = ['import', '--config', CONFIG, '--set', `data_dir="${data}"`, '--prototype', 'X1', '--model', file, csv];
  for (const [name, text] of Object.entries(hostile)) {
    writeFileSync(file, text);
    const refused = await run(args);
    assert.equal(refused.status, 2, `${name}: ${refused.stderr}`);
    assert.match(refused.stderr, /model\.xml:\d+:\d+: a DTD is not allowed/, name);
  }
  writeFileSync(file, model(`${row('a', 'int')}\n${row('b', 'integr(3)')}`));
  assert.match((await run(args)).stderr, /model\.xml:4:\d+: the type 'integr\(3\)' is not known/);
  writeFileSync(file, good);
  assert.equal((await run(args)).status, 0);

  const { url } = await startServer(t, data);
  const typeOf = async (dataset) =>
    Object.fromEntries(
      (await get(url, `/api/v1/datasets/${dataset}/schema`)).json().fields.map(({ name, type }) => [name, type]),
    );
  const types = { gpsSpeed: 'float', Gear: 'integer', on: 'boolean', code: 'text' };
  assert.deepEqual(await typeOf('X1'), types);
  const send = (method, path, body) => ask(url, { method, path, headers: { 'Content-Type': 'application/xml' }, body });
  assert.equal((await send('POST', '/api/v1/prototypes?code=X2', good)).status, 201);
  assert.deepEqual(await typeOf('X2'), types);
  const wider = model(`${row('Gear', 'double')}\n${row('oil', 'float')}`);
  assert.equal((await send('PUT', '/api/v1/prototypes/X2', wider)).status, 200);
  assert.deepEqual(await typeOf('X2'), { ...types, Gear: 'float', oil: 'float' });
  for (const [name, text] of Object.entries(hostile)) {
    const refused = await send('PUT', '/api/v1/prototypes/X2', text);
    assert.equal(refused.status, 400, `${name}: ${refused.text}`);
    assert.match(refused.json().detail, /a DTD is not allowed/, name);
  }
  assert.deepEqual(await typeOf('X2'), { ...types, Gear: 'float', oil: 'float' });
});
