// Saved dashboards through the real binary: made, changed, listed, deleted, kept over a restart; what cannot be one is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get, startServer, temporaryFolder } from './support.mjs';

const nothingRuns = ['simulation=[]', 'prototype=[]'];
const PATH = '/api/v1/dashboards';

const send = (server, method, path, body) =>
  ask(server.url, {
    method,
    path,
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const list = async (server) => (await get(server.url, PATH)).json().dashboards;

test('a dashboard is made, changed, listed and deleted, and outlives the process', async (t) => {
  const folder = temporaryFolder();
  let server = await startServer(t, folder, nothingRuns);
  assert.deepEqual(await list(server), []);

  const document = { panels: [{ kind: 'line', field: 'Vitesse "é" <b>', at: [0, 0, 6, 4] }], big: 9007199254740993n };
  const text = `{"name":"Tracteur","document":${JSON.stringify(document, (_, v) => (typeof v === 'bigint' ? 'BIG' : v)).replace('"BIG"', '9007199254740993')}}`;
  const made = await send(server, 'POST', PATH, text);
  assert.equal(made.status, 201);
  const { id, name, changed } = made.json();
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.equal(name, 'Tracteur');
  assert.ok(Math.abs(changed / 1_000 - Date.now()) < 60_000);
  assert.match(made.text, /"big":9007199254740993\b/, 'a whole number is kept to its last digit');

  const second = (await send(server, 'POST', PATH, { name: 'Other', document: {} })).json();
  assert.notEqual(second.id, id);
  const put = await send(server, 'PUT', `${PATH}/${id}`, { name: 'Tracteur 2', document: { panels: [] } });
  assert.equal(put.status, 200);
  assert.equal((await send(server, 'DELETE', `${PATH}/${second.id}`, '')).status, 204);
  assert.equal((await get(server.url, `${PATH}/${second.id}`)).status, 404);

  await server.stop();
  server = await startServer(t, folder, nothingRuns);
  const kept = (await get(server.url, `${PATH}/${id}`)).json();
  assert.equal(kept.name, 'Tracteur 2');
  assert.deepEqual(kept.document, { panels: [] });
  const [line, ...rest] = await list(server);
  assert.deepEqual(rest, []);
  assert.deepEqual({ id: line.id, name: line.name }, { id, name: 'Tracteur 2' });
  assert.ok(line.changed >= changed && line.bytes > 0);
});

test('what is no dashboard is refused with a sentence', async (t) => {
  const server = await startServer(t, temporaryFolder(), nothingRuns);
  const refused = async (status, sentence, body, method = 'POST', path = PATH) => {
    const answer = await send(server, method, path, body);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.headers['content-type'], /application\/problem\+json/);
    assert.match(answer.json().detail, sentence);
  };
  await refused(400, /not JSON/, '{"name":');
  await refused(400, /must be a JSON object/, '[]');
  await refused(400, /'name' must be a text/, { name: 7, document: {} });
  await refused(422, /needs a 'name'/, { document: {} });
  await refused(422, /needs a 'name'/, { name: '  ', document: {} });
  await refused(422, /at most 200 bytes/, { name: 'é'.repeat(101), document: {} });
  await refused(422, /needs a 'document'/, { name: 'a' });
  await refused(422, /needs a 'document'/, { name: 'a', document: [1] });
  await refused(413, /at most 262144/, { name: 'a', document: { text: 'x'.repeat(262_144) } });
  await refused(404, /no dashboard 'nowhere'/, { name: 'a', document: {} }, 'PUT', `${PATH}/nowhere`);
  await refused(404, /no dashboard 'nowhere'/, '', 'DELETE', `${PATH}/nowhere`);
  assert.deepEqual(await list(server), [], 'nothing of it is kept');
  const most = { name: 'a', document: { text: 'x'.repeat(262_144 - '{"text":""}'.length) } };
  assert.equal((await send(server, 'POST', PATH, most)).status, 201, 'the largest that is taken');
});

test('there is an end to how many are kept', async (t) => {
  const server = await startServer(t, temporaryFolder(), nothingRuns);
  let made = null;
  for (let i = 0; i < 500; i++) made = await send(server, 'POST', PATH, { name: `n${i}`, document: {} });
  assert.equal(made.status, 201);
  const refused = await send(server, 'POST', PATH, { name: 'one more', document: {} });
  assert.equal(refused.status, 422);
  assert.match(refused.json().detail, /500 dashboards already; delete one first/);
  assert.equal((await send(server, 'DELETE', `${PATH}/${made.json().id}`, '')).status, 204);
  assert.equal((await send(server, 'POST', PATH, { name: 'one more', document: {} })).status, 201);
});
