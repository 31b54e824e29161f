// Events asked for in the language of filters: over HTTP, in every format, with mistakes told by their place.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, postReading, startServer, temporaryFolder } from './support.mjs';

const BASE = '/api/v1/datasets/press/events';

test('events are chosen by a filter', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]', 'prototype=[]']);
  for (let i = 0; i !== 20; ++i) {
    const reading = {
      device: `press ${i % 2}`,
      Oil_Temperature: 90 + i,
      gear: i % 3,
      'mode (state)': i < 10 ? 'Eco' : 'full',
    };
    assert.equal((await postReading(server.url, 'press', reading)).status, 200);
  }
  const ask = (where, more = '') => get(server.url, `${BASE}?order=asc&where=${encodeURIComponent(where)}${more}`);
  const chosen = async (where, more) => {
    const answer = await ask(where, more);
    assert.equal(answer.status, 200, answer.text);
    return answer.json().events.map((event) => event.Oil_Temperature);
  };
  // What is acknowledged is in history a moment later.
  const until = performance.now() + 10_000;
  while ((await chosen('')).length < 20) assert.ok(performance.now() < until, 'history does not get the events');

  assert.deepEqual(await chosen('oil_temperature > 107'), [108, 109]);
  assert.deepEqual(await chosen("Oil_Temperature between 95 and 99 and gear in (0, 1) and device = 'press 0'"), [96]);
  assert.deepEqual(await chosen('"mode (state)" contains ECO and not gear = 0 and oil_temperature >= 97'), [97, 98]);
  assert.deepEqual(await chosen('time < now and gear missing'), []);
  assert.deepEqual(await chosen('gear = 2', '&limit=2'), [92, 95]);
  const csv = await ask('oil_temperature = 100', '&format=csv&fields=gear');
  assert.equal(csv.text.trim().split('\n').length, 2);
  assert.ok(!csv.text.includes('Oil_Temperature'));

  for (const [where, sentence] of [
    ['oil_temperature >', 'at character 18: '],
    ['gaer = 1', "at character 1: dataset 'press' has no field 'gaer'; did you mean 'gear'?"],
    ["gear = 1'; drop table events; --", 'at character 9: '],
    ['gear = 1 and time > yesterday', 'at character 21: '],
  ]) {
    const answer = await ask(where);
    assert.equal(answer.status, 400, where);
    assert.ok(answer.json().detail.includes(sentence), answer.text);
  }
});
