// Schemas through the real binary: drift, conflicts, compatibility, what people say about fields, export, facts; all of it also after a restart.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, CONFIG, get, openViewer, postReading, run, startServer, temporaryFolder } from './support.mjs';

const send = (server, method, path, body, type = 'application/json') =>
  ask(server.url, {
    method,
    path,
    headers: { 'Content-Type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const schemaOf = async (server, dataset) => (await get(server.url, `/api/v1/datasets/${dataset}/schema`)).json();
const fieldOf = async (server, dataset, name) =>
  (await schemaOf(server, dataset)).fields.find((field) => field.name === name);
const nothingRuns = ['simulation=[]', 'prototype=[]'];

/** The dataset's events, oldest first, once history has `count` of them. */
async function eventsOf(server, dataset, count) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = await get(server.url, `/api/v1/datasets/${dataset}/events?order=asc&limit=1000`);
    const events = answer.status === 200 ? answer.json().events : [];
    if (events.length >= count) return events;
    assert.ok(Date.now() < deadline, `${events.length} of ${count} events: ${answer.text.slice(0, 300)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('drift loses nothing, and who sent what did not fit is told, also after a restart', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder, nothingRuns);
  for (const value of ['1', '9007199254740993', '2.5', '"n/a"', '[1,{"a":2}]', 'true', 'null', '"n/a"'])
    assert.equal(
      (await send(server, 'POST', '/search/results', `{"DatasetType":"pump","data":{"device":"p1","v":${value}}}`))
        .status,
      200,
    );
  const check = async (counts) => {
    const field = await fieldOf(server, 'pump', 'v');
    assert.deepEqual([field.type, field.base_type], ['json', 'integer']);
    assert.deepEqual(field.conflicts.map((one) => [one.from, one.to, one.count, one.refused]).sort(), [
      ['integer', 'float', counts.float, 0],
      ['integer', 'json', 1, 0],
      ['integer', 'text', counts.text, 0],
    ]);
    const text = field.conflicts.find((one) => one.to === 'text');
    assert.deepEqual([text.device, text.sample], ['p1', '"n/a"']);
    assert.match(text.source, /^127\.0\.0\.1:\d+$/);
    const { versions } = (await get(server.url, '/api/v1/datasets/pump/schema/versions')).json();
    const widened = versions.flatMap((version) => version.changes).filter((change) => change.change === 'widened');
    assert.deepEqual(
      widened.map((change) => change.sample),
      ['2.5', '"n/a"', '[1,{"a":2}]'],
    );
  };
  await check({ float: 1, text: 2 });
  assert.match((await get(server.url, '/metrics')).text, /^iotstream_ingest_conflicts_total 4$/m);
  const texts = (await eventsOf(server, 'pump', 8)).map((event) => JSON.stringify(event.v));
  assert.deepEqual(texts.length, 8);
  const raw = (await get(server.url, '/api/v1/datasets/pump/events?format=ndjson&order=asc')).text;
  for (const value of [
    '"v":1,',
    '"v":9007199254740993',
    '"v":2.5',
    '"v":"n/a"',
    '"v":[1,{"a":2}]',
    '"v":true',
    '"v":null',
  ])
    assert.ok(raw.includes(value), `${value} in ${raw}`);
  assert.equal((await server.stop()).status, 0);
  server = await startServer(t, folder, nothingRuns);
  await check({ float: 1, text: 1 });
});

test('additive and strict refuse with 409, keep what they refuse, and change at run time and for good', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder, nothingRuns);
  assert.equal((await postReading(server.url, 'pump', { device: 'p1', v: 1 })).status, 200);
  const set = (compatibility) => send(server, 'PATCH', '/api/v1/datasets/pump', { compatibility });
  const changed = await set('additive');
  assert.deepEqual([changed.status, changed.json().compatibility], [200, 'additive']);
  assert.equal((await postReading(server.url, 'pump', { device: 'p1', v: 2, more: 'x' })).status, 200);
  const refused = await postReading(server.url, 'pump', { device: 'p1', v: 'n/a' });
  assert.equal(refused.status, 409);
  assert.equal(refused.json().detail, "dataset 'pump' is additive: its field 'v' is integer, and this value is text");

  await set('strict');
  assert.equal((await postReading(server.url, 'pump', { device: 'p1', unknown: 1 })).status, 409);
  const lines = '{"device":"p1","v":3}\n{"device":"p1","other":1}\n{"device":"p2","v":4}\n';
  const answer = await send(server, 'POST', '/api/v1/datasets/pump/events', lines, 'application/x-ndjson');
  assert.deepEqual(
    [answer.status, answer.json().accepted, answer.json().rejected, answer.json().errors],
    [200, 2, 1, [{ line: 2, reason: "dataset 'pump' is strict, and its model has no field 'other'" }]],
  );
  const schema = await schemaOf(server, 'pump');
  assert.equal(schema.compatibility, 'strict');
  assert.deepEqual(schema.unknown_fields.map((one) => [one.field, one.from, one.to, one.refused]).sort(), [
    ['other', null, 'integer', 1],
    ['unknown', null, 'integer', 1],
  ]);
  const { rejected } = (await get(server.url, '/api/v1/datasets/pump/rejected')).json();
  assert.deepEqual(
    rejected.map((letter) => letter.line),
    [2, 1, 1],
  );

  for (const [body, status] of [
    [{ compatibility: 'loose' }, 422],
    [{}, 422],
    [{ retention: 1 }, 422],
    ['no json', 400],
    [{ compatibility: 1 }, 400],
  ])
    assert.equal((await send(server, 'PATCH', '/api/v1/datasets/pump', body)).status, status, JSON.stringify(body));
  assert.equal((await send(server, 'PATCH', '/api/v1/datasets/none', { compatibility: 'strict' })).status, 404);

  assert.equal((await server.stop()).status, 0);
  server = await startServer(t, folder, nothingRuns);
  assert.equal((await postReading(server.url, 'pump', { device: 'p1', unknown: 1 })).status, 409);
  const url = ['--url', server.url];
  const command = await run(['datasets', 'pump', '--compatibility', 'adaptive', ...url]);
  assert.deepEqual([command.status, command.stdout], [0, 'pump is adaptive\n'], command.stderr);
  const sent = await send(server, 'POST', '/api/v1/datasets/pump/rejected/resend', '');
  assert.deepEqual([sent.json().accepted, sent.json().left], [4, 0], sent.text);
  const table = await run(['datasets', ...url]);
  assert.match(table.stdout, /^DATASET .*COMPATIBILITY +CONFLICTS/);
  const one = await run(['datasets', 'pump', ...url]);
  assert.match(one.stdout, /^pump: version \d+, adaptive, \d+ conflicts/);
  assert.match(one.stdout, /^v +integer +text +\d+ +\d+ .*"n\/a"/m);
  assert.equal((await run(['datasets', 'pump', '--compatibility', 'loose', ...url])).status, 2);
  assert.equal((await run(['datasets', '--compatibility', 'strict', ...url])).status, 2);
  assert.equal((await run(['datasets', 'none', ...url])).status, 1);
});

test('the configuration says the compatibility until somebody else does', async (t) => {
  const folder = temporaryFolder();
  const file = join(folder, 'c.toml');
  const model = '"config/models/X46789.xml"';
  const write = (compatibility, more = '') =>
    writeFileSync(
      file,
      `[[prototype]]\ncode = "X"\ndataset = "d"\nmodel = ${model}\ncompatibility = "${compatibility}"\nfacts = { site = "Lyon", floor = 3, on = true }\n${more}`,
    );
  write('strict');
  let server = await startServer(t, join(folder, 'data'), [], file);
  assert.equal((await postReading(server.url, 'd', { code: 'X', surely_unknown: 1 })).status, 409);
  await send(server, 'PATCH', '/api/v1/datasets/d', { compatibility: 'additive' });
  assert.equal((await postReading(server.url, 'd', { code: 'X', surely_unknown: 1 })).status, 200);
  const [event] = await eventsOf(server, 'd', 1);
  assert.deepEqual([event.site, event.floor, event.on, event.codep], ['Lyon', 3, true, 'X']);
  await server.stop();
  server = await startServer(t, join(folder, 'data'), [], file);
  assert.equal((await schemaOf(server, 'd')).compatibility, 'additive');
  await server.stop();
  write('adaptive');
  server = await startServer(t, join(folder, 'data'), [], file);
  assert.equal((await schemaOf(server, 'd')).compatibility, 'adaptive');
  await server.stop();

  write('loose', '[[dataset]]\nname = "d"\ncompatibility = "strict"\n[[dataset]]\nname = "_x"\n');
  const checked = await run(['check', '--config', file]);
  assert.equal(checked.status, 2);
  assert.match(checked.stderr, /c\.toml:5:\d+: .*compatibility/);
  assert.match(checked.stderr, /datasets that begin with _/);
  write('additive', '[[dataset]]\nname = "d"\ncompatibility = "strict"\n');
  assert.match((await run(['check', '--config', file])).stderr, /dataset 'd' has another compatibility already/);
});

test('what people say about a field is a new version, kept, seen by viewers, and undone by null', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder, nothingRuns);
  await postReading(server.url, 'pump', { device: 'p1', 'gear (x)': 3, name: 'a' });
  const viewer = await openViewer(t, server.url);
  await viewer.next((message) => message.op === 'hello');
  viewer.send({ op: 'subscribe', id: 1, dataset: 'pump', device: '*', fields: ['gear (x)'], window: '-5m' });
  await viewer.next((message) => message.op === 'fields' && message.fields[0].unit === 'x');
  const path = `/api/v1/datasets/pump/fields/${encodeURIComponent('gear (x)')}`;
  const said = { label: 'Gear', unit: 'step', kind: 'state', group: 'Drive', description: 'of the box', hidden: true };
  const answer = await send(server, 'PATCH', path, said);
  assert.equal(answer.status, 200, answer.text);
  const look = async () => {
    const field = await fieldOf(server, 'pump', 'gear (x)');
    return Object.fromEntries(Object.keys(said).map((name) => [name, field[name]]));
  };
  assert.deepEqual(await look(), said);
  await postReading(server.url, 'pump', { device: 'p1', 'gear (x)': 4.5 });
  await viewer.next((message) => message.op === 'fields' && message.fields[0].unit === 'step');
  assert.deepEqual(await look(), said, 'a wider type does not undo it');
  const { versions } = (await get(server.url, '/api/v1/datasets/pump/schema/versions')).json();
  assert.deepEqual(
    versions.map((version) => version.changes.map((change) => change.change)),
    [['added', 'added', 'added'], ['edited'], ['widened']],
  );

  for (const [body, status, detail] of [
    [{ colour: 'red' }, 422, /no 'colour'/],
    [{ kind: 'speed' }, 422, /none of measure/],
    [{ label: 7 }, 400, /'label' must be a text/],
    [{ hidden: 'yes' }, 400, /'hidden' must be/],
    [{ label: 'x'.repeat(1001) }, 400, /1000 are allowed/],
    ['[]', 400, /object/],
  ]) {
    const refused = await send(server, 'PATCH', path, body);
    assert.equal(refused.status, status, refused.text);
    assert.match(refused.json().detail, detail);
  }
  assert.equal((await send(server, 'PATCH', '/api/v1/datasets/pump/fields/name', { kind: 'measure' })).status, 422);
  assert.equal((await send(server, 'PATCH', '/api/v1/datasets/pump/fields/none', { label: 'x' })).status, 404);
  assert.equal((await send(server, 'PATCH', '/api/v1/datasets/none/fields/name', { label: 'x' })).status, 404);

  await send(server, 'PATCH', '/api/v1/datasets/pump', { compatibility: 'additive' });
  await server.stop('SIGKILL');
  server = await startServer(t, folder, nothingRuns);
  assert.equal((await schemaOf(server, 'pump')).compatibility, 'additive');
  assert.deepEqual(await look(), said);
  await send(server, 'PATCH', path, {
    label: null,
    unit: null,
    kind: null,
    group: null,
    description: null,
    hidden: null,
  });
  assert.deepEqual(await look(), {
    label: 'gear',
    unit: 'x',
    kind: 'measure',
    group: 'x',
    description: '',
    hidden: false,
  });
});

test('a schema goes out as a model that comes in again, and as JSON Schema', async (t) => {
  const folder = temporaryFolder();
  const server = await startServer(t, folder, nothingRuns);
  await postReading(server.url, 'pump', { device: 'p1', on: true, n: 7, 'Speed (km/h)': 2.5, list: [1] });
  const xml = await get(server.url, '/api/v1/datasets/pump/schema?format=xml');
  assert.deepEqual([xml.status, xml.headers['content-type']], [200, 'application/xml']);
  const accepted = await ask(server.url, {
    path: '/api/v1/datasets/pump/schema',
    headers: { Accept: 'application/xml' },
  });
  assert.equal(accepted.text, xml.text);
  const put = await send(server, 'PUT', '/api/v1/prototypes/COPY', xml.text, 'application/xml');
  assert.equal(put.status, 201, put.text);
  const types = (schema) => schema.fields.map((field) => [field.name, field.type]);
  assert.deepEqual(types(await schemaOf(server, 'COPY')), types(await schemaOf(server, 'pump')));
  const again = (await get(server.url, '/api/v1/datasets/COPY/schema?format=xml')).text;
  assert.equal(again.replace('desc COPY', 'desc pump'), xml.text);
  const command = await run(['datasets', 'pump', '--format', 'xml', '--url', server.url]);
  assert.equal(command.stdout, xml.text, command.stderr);

  const schema = await get(server.url, '/api/v1/datasets/pump/schema?format=jsonschema');
  assert.equal(schema.headers['content-type'], 'application/schema+json');
  const { properties, $schema } = schema.json();
  assert.equal($schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.deepEqual(properties.n.type, ['boolean', 'integer', 'null']);
  assert.equal(properties['Speed (km/h)']['x-unit'], 'km/h');
  const copy = (await get(server.url, '/api/v1/datasets/COPY/schema?format=jsonschema')).json();
  assert.equal(copy.properties.n['x-type'], 'bigint(20)');
  assert.equal(copy.properties.n['x-nullable'], true);
  assert.equal((await get(server.url, '/api/v1/datasets/pump/schema?format=yaml')).status, 400);
});

test('events carry the facts of their day', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder, nothingRuns);
  const put = (facts) => send(server, 'PUT', '/api/v1/prototypes/P7', { dataset: 'pump', label: 'Pump', facts });
  assert.equal((await put({ site: 'Lyon', floor: 3 })).status, 201);
  assert.deepEqual((await get(server.url, '/api/v1/prototypes/P7')).json().facts, { site: 'Lyon', floor: 3 });
  await postReading(server.url, 'pump', { code: 'P7', n: 1 });
  await put({ site: 'Oslo' });
  await postReading(server.url, 'pump', { code: 'P7', n: 2 });
  await postReading(server.url, 'pump', { code: 'P7', n: 3, site: 'as sent' });
  await put({});
  await postReading(server.url, 'pump', { code: 'P7', n: 4 });
  const expected = [
    [1, 'Lyon', 3, 'Pump'],
    [2, 'Oslo', undefined, 'Pump'],
    [3, 'as sent', undefined, 'Pump'],
    [4, undefined, undefined, 'Pump'],
  ];
  const look = async () =>
    (await eventsOf(server, 'pump', 4)).map((event) => [event.n, event.site, event.floor, event.libelle]);
  assert.deepEqual(await look(), expected);
  for (const [facts, detail] of [
    [{ codep: 'x' }, /would hide/],
    [{ a: [1] }, /must be a text/],
    [[1], /must be a JSON object/],
    ['x', /must be a JSON object/],
  ]) {
    const refused = await put(facts);
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.json().detail, detail);
  }
  await server.stop('SIGKILL');
  server = await startServer(t, folder, nothingRuns);
  assert.deepEqual(await look(), expected);
  await server.stop();

  const csv = join(folder, 'a.csv');
  writeFileSync(csv, 'time,v\n2020-01-01 00:00:01,1\n');
  const flags = [
    '--config',
    CONFIG,
    '--set',
    `data_dir="${folder}"`,
    '--set',
    'simulation=[]',
    '--set',
    'prototype=[]',
  ];
  const imported = await run([
    'import',
    ...flags,
    '--prototype',
    'P8',
    '--fact',
    'site=Rome',
    '--fact',
    'floor=2',
    csv,
  ]);
  assert.equal(imported.status, 0, imported.stderr);
  assert.equal((await run(['import', ...flags, '--prototype', 'P8', '--fact', 'nonsense', csv])).status, 2);
  server = await startServer(t, folder, nothingRuns);
  assert.deepEqual((await get(server.url, '/api/v1/prototypes/P8')).json().facts, { site: 'Rome', floor: 2 });
});
