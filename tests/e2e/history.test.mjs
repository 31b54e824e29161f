// Questions of history through the real binary: what is acknowledged is in the answers at once, and a picture of few points is the
// picture of all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get, postReading, startServer, temporaryFolder } from './support.mjs';

const START = Date.parse('2026-01-05T10:00:00Z');
const ROWS = 3000;

/** Readings of one second each: a wave, a counter that begins anew now and then, a text that a spreadsheet would calculate. */
const readings = Array.from({ length: ROWS }, (_, i) => ({
  device: `pump ${i % 2}`,
  '@timestamp': new Date(START + i * 1000).toISOString(),
  pressure: Math.round(1000 * Math.sin(i / 50)) / 10,
  total: i % 1000,
  note: i === 5 ? '=1+1' : 'fine',
}));

async function started(t) {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]', 'prototype=[]', 'store.retention.rows="100y"']);
  const answer = await ask(server.url, {
    method: 'POST',
    path: '/api/v1/datasets/pump/events',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: readings.map((reading) => JSON.stringify(reading)).join('\n'),
  });
  assert.equal(answer.json().accepted, ROWS, answer.text);
  return server;
}

const window = `from=${START * 1000}&to=${(START + ROWS * 1000) * 1000}`;
const series = (server, rest) => get(server.url, `/api/v1/datasets/pump/series?${window}&${rest}`);

test('what is acknowledged is in the next answer', async (t) => {
  const server = await startServer(t, temporaryFolder(), ['simulation=[]', 'prototype=[]']);
  for (let i = 1; i <= 20; ++i) {
    assert.equal((await postReading(server.url, 'tank', { device: 'tank 1', level: i })).status, 200);
    const { events, behind } = (await get(server.url, '/api/v1/datasets/tank/events?limit=1')).json();
    assert.equal(behind, 0);
    assert.equal(events[0].level, i);
    const sums = (await get(server.url, '/api/v1/datasets/tank/series?fields=level&agg=sum&from=-1h&interval=1h')).json();
    assert.equal(
      sums.series[0].values.reduce((sum, value) => sum + (value ?? 0), 0),
      (i * (i + 1)) / 2,
    );
  }
});

test('series come from rollups, and say so', async (t) => {
  const server = await started(t);
  const answer = (await series(server, 'fields=pressure&interval=1min&agg=avg,min,max,count,first,last')).json();
  assert.equal(answer.tier, '1min');
  assert.ok(answer.rows_scanned < ROWS / 5 + 1, `${answer.rows_scanned}`);
  assert.equal(answer.interval_us, 60_000_000);
  const [avg, min, max, count, first, last] = answer.series.map(({ values }) => values);
  for (let i = 0; i < 50; ++i) {
    const values = readings.slice(i * 60, i * 60 + 60).map(({ pressure }) => pressure);
    assert.ok(Math.abs(avg[i] - values.reduce((a, b) => a + b) / 60) < 1e-9);
    assert.deepEqual([min[i], max[i], count[i], first[i], last[i]], [
      Math.min(...values),
      Math.max(...values),
      60,
      values[0],
      values[59],
    ]);
  }
  // With a filter the rows themselves are asked.
  const filtered = (
    await series(server, `fields=pressure&interval=1h&agg=count&where=${encodeURIComponent("device = 'pump 1' and total < 100")}`)
  ).json();
  assert.equal(filtered.tier, 'rows');
  assert.equal(filtered.series[0].values[0], 150);
});

test('the rate of a counter goes on where it begins anew', async (t) => {
  const server = await started(t);
  const answer = (await series(server, 'fields=total&interval=10min&agg=rate&device=pump%200')).json();
  let increase = 0;
  const own = readings.filter(({ device }) => device === 'pump 0').map(({ total }) => total);
  for (let i = 1; i < own.length; ++i) increase += own[i] >= own[i - 1] ? own[i] - own[i - 1] : own[i];
  const told = answer.series[0].values.reduce((sum, rate) => sum + rate * 600, 0);
  assert.ok(Math.abs(told - increase) < 1e-6 * increase, `${told} instead of ${increase}`);
});

test('m4 gives first, least, greatest and last of each column, with their times', async (t) => {
  const server = await started(t);
  const answer = (await series(server, 'fields=pressure&agg=m4&points=100')).json();
  assert.equal(answer.columns, 100);
  const { time, values } = answer.series[0];
  assert.equal(time.length, values.length);
  const told = new Map(time.map((at, i) => [at, values[i]]));
  for (let k = 0; k < 100; ++k) {
    const inside = readings.slice(k * 30, k * 30 + 30);
    for (const one of [inside[0], inside[29]]) assert.equal(told.get(Date.parse(one['@timestamp']) * 1000), one.pressure);
    const range = time.flatMap((at, i) =>
      at >= (START + k * 30_000) * 1000 && at < (START + (k + 1) * 30_000) * 1000 ? [values[i]] : [],
    );
    assert.equal(Math.min(...range), Math.min(...inside.map(({ pressure }) => pressure)));
    assert.equal(Math.max(...range), Math.max(...inside.map(({ pressure }) => pressure)));
    assert.ok(range.length <= 4);
  }
});

test('events come in three forms, and as many as are said', async (t) => {
  const server = await started(t);
  const base = `/api/v1/datasets/pump/events?limit=100000&order=asc`;
  const json = (await get(server.url, base)).json();
  assert.equal(json.count, ROWS);
  assert.equal(json.events.length, ROWS);
  const lines = (await get(server.url, `${base}&format=ndjson`)).text.trim().split('\n');
  assert.equal(lines.length, ROWS);
  assert.deepEqual(JSON.parse(lines[7]), json.events[7]);
  const csv = (await get(server.url, `${base}&format=csv&fields=note,pressure`)).text.trim().split('\r\n');
  assert.equal(csv.length, ROWS + 1);
  assert.ok(csv[6].includes(`"'=1+1"`), csv[6]);
  assert.ok(csv[200].endsWith(`,${readings[199].pressure}`), csv[200]);
});

test('what cannot be asked is refused with one sentence', async (t) => {
  const server = await started(t);
  for (const [rest, sentence] of [
    ['fields=pressure&agg=m4,avg', 'm4 stands alone'],
    ['fields=pressure&agg=m4&interval=1s', 'leave interval out'],
    ['fields=pressure&agg=m4&points=1000000', 'points'],
    ['fields=pressure&agg=median', "'median' is none of"],
    ['fields=pressure&interval=1us', 'are more than 100000'],
    ['fields=pressure&where=total%20%3E', 'at character'],
  ]) {
    const answer = await series(server, rest);
    assert.equal(answer.status, 400, answer.text);
    assert.ok(answer.json().detail.includes(sentence), answer.text);
  }
});
