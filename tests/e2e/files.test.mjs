// Imported files as data sets of their own, profiles of files and streams, and the report, through the real binary.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, get, postReading, run, startServer, temporaryFolder } from './support.mjs';

const EMPTY = ['simulation=[]', 'prototype=[]'];
const ROWS = 400;

/** A recording whose figures are easy to work out by hand. */
function recording() {
  const lines = ['time;speed (km/h);gear;Latitude;Longitude;note'];
  for (let i = 0; i !== ROWS; ++i) {
    const time = new Date(Date.UTC(2018, 0, 19, 5, 0, i + (i >= 300 ? 3600 : 0))).toISOString();
    const note = i === 7 ? '<script>alert(1)</script>' : i % 4 === 0 ? '=cmd' : '';
    lines.push(`${time};${i / 4};${i % 5};${(48 + i / 1000).toFixed(4)};${(2 + i / 2000).toFixed(4)};${note}`);
  }
  return `${lines.join('\n')}\n`;
}

const quantile = (numbers, rank) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = rank * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
};

test('an imported file is a data set with its recorded times', async (t) => {
  const folder = temporaryFolder();
  const csv = join(folder, 'drive "one".csv');
  writeFileSync(csv, recording());
  const data = join(folder, 'data');
  const imported = await run(['import', '--prototype', 'CAR', '--set', `data_dir="${data}"`, csv]);
  assert.equal(imported.status, 0, imported.stderr);
  const server = await startServer(t, data, EMPTY);

  const { files } = (await get(server.url, '/api/v1/files')).json();
  assert.equal(files.length, 1);
  assert.equal(files[0].name, 'drive "one".csv');
  assert.equal(files[0].rows, ROWS);
  assert.equal(files[0].columns, 5);
  assert.equal(files[0].prototype, 'CAR');
  assert.equal(files[0].from, Date.UTC(2018, 0, 19, 5) * 1000);
  const base = `/api/v1/datasets/${files[0].dataset}`;
  assert.equal((await get(server.url, base)).json().rows, ROWS);
  const schema = (await get(server.url, `${base}/schema`)).json();
  assert.deepEqual(
    schema.fields.map((field) => [field.label, field.unit]),
    [
      ['speed', 'km/h'],
      ['gear', ''],
      ['Latitude', ''],
      ['Longitude', ''],
      ['note', ''],
    ],
  );

  // Every row once, page by page, forwards and backwards.
  for (const order of ['asc', 'desc']) {
    const rows = [];
    let cursor = '';
    do {
      const page = (await get(server.url, `${base}/events?order=${order}&limit=150&cursor=${cursor}`)).json();
      rows.push(...page.events);
      cursor = page.next;
    } while (cursor !== null);
    if (order === 'desc') rows.reverse();
    assert.deepEqual(
      rows.map((row) => row._row),
      Array.from({ length: ROWS }, (_, i) => i),
    );
    assert.equal(rows[5]['speed (km/h)'], 1.25);
    assert.equal(rows[5]._line, 7);
    assert.equal(rows[0]['@timestamp'], '2018-01-19T05:00:00.000000Z');
  }
  const where = encodeURIComponent('gear = 3 and "speed (km/h)" > 90');
  const chosen = (await get(server.url, `${base}/events?where=${where}&fields=gear`)).json();
  assert.deepEqual(
    chosen.events.map((row) => row._row),
    [363, 368, 373, 378, 383, 388, 393, 398],
  );
  assert.deepEqual(Object.keys(chosen.events[0]), ['gear', '@timestamp', '_row', '_line']);
  const table = (await get(server.url, `${base}/events?format=csv&limit=1000&fields=note,gear`)).text
    .trim()
    .split('\r\n');
  assert.equal(table.length, ROWS + 1);
  assert.equal(table[0], '@timestamp,_row,_line,gear,note');
  assert.equal(table[1], `2018-01-19T05:00:00.000000Z,0,2,0,"'=cmd"`);
  const lines = (await get(server.url, `${base}/events?format=ndjson&limit=3`)).text.trim().split('\n');
  assert.equal(lines.map((line) => JSON.parse(line)).length, 3);

  // The profile against figures worked out here.
  const profile = (await get(server.url, `${base}/profile?correlations=true`)).json();
  assert.equal(profile.events, ROWS);
  assert.equal(profile.exact, true);
  const speeds = Array.from({ length: ROWS }, (_, i) => i / 4);
  const [speed, gear, , , note] = profile.fields;
  assert.equal(speed.count, ROWS);
  assert.equal(speed.min, 0);
  assert.equal(speed.max, 99.75);
  assert.ok(Math.abs(speed.mean - 49.875) < 1e-9);
  for (const [name, rank] of [
    ['p1', 0.01],
    ['p25', 0.25],
    ['p50', 0.5],
    ['p99', 0.99],
  ])
    assert.ok(Math.abs(speed.quantiles[name] - quantile(speeds, rank)) < 1e-9, name);
  assert.equal(
    speed.histogram.counts.reduce((sum, count) => sum + count, 0),
    ROWS,
  );
  assert.equal(gear.distinct, 5);
  assert.equal(gear.top[0].count, ROWS / 5);
  assert.equal(note.missing, ROWS - 101);
  assert.equal(note.top[0].value, '=cmd');
  assert.equal(profile.time.interval_us, 1_000_000);
  assert.equal(profile.time.gaps.length, 1);
  assert.equal(profile.time.gaps[0].to - profile.time.gaps[0].from, 3_601_000_000);
  const { correlations } = (await get(server.url, `${base}/correlations`)).json();
  const pair = correlations.find((one) => one.a === 'speed (km/h)' && one.b === 'Latitude');
  assert.equal(pair.n, ROWS);
  assert.ok(pair.r > 0.999999);
  assert.deepEqual(profile.correlations, correlations);

  const series = (await get(server.url, `${base}/series?fields=gear&agg=avg,count,m4&interval=100s`)).json();
  assert.equal(
    series.series[1].values.reduce((sum, count) => sum + count, 0),
    ROWS,
  );
  assert.equal(series.time[0] % 100_000_000, 0);
  assert.equal(series.series[0].values[10], null);
  assert.ok(series.series[2].time.length >= 8);
  const elapsed = (await get(server.url, `${base}/series?fields=gear&points=10&time=elapsed`)).json();
  assert.equal(elapsed.time[0], 0);
  assert.equal(elapsed.time.length, 10);

  for (const [path, status, sentence] of [
    [`${base}/events?where=gaer%20%3D%201`, 400, 'gear'],
    [`${base}/events?fields=nothing`, 404, 'nothing'],
    [`${base}/events?cursor=x`, 400, 'cursor'],
    [`${base}/series`, 400, 'fields'],
    [`${base}/series?fields=gear&agg=mean`, 400, 'mean'],
    [`${base}/series?fields=gear&interval=1us`, 400, 'too many'],
    [`${base}/series?fields=gear&time=now`, 400, 'elapsed'],
    [`${base}/profile?limit=0`, 400, 'limit'],
    ['/api/v1/datasets/file:99/profile', 404, 'file:99'],
    ['/api/v1/datasets/nothing/profile', 404, 'nothing'],
  ]) {
    const refused = await get(server.url, path);
    assert.equal(refused.status, status, `${path}: ${refused.text}`);
    assert.ok(refused.json().detail.includes(sentence), refused.text);
  }
});

test('a stream has a profile of what is in history', async (t) => {
  const server = await startServer(t, temporaryFolder(), EMPTY);
  for (let i = 0; i !== 30; ++i) {
    const reading = {
      device: `press ${i % 3}`,
      heat: i,
      ...(i % 2 === 0 ? { mode: i % 4 === 0 ? 'eco' : 'full' } : {}),
    };
    assert.equal((await postReading(server.url, 'press', reading)).status, 200);
  }
  const path = '/api/v1/datasets/press/profile';
  const until = performance.now() + 10_000;
  while ((await get(server.url, path)).json().events < 30)
    assert.ok(performance.now() < until, 'the events do not come');
  const profile = (await get(server.url, path)).json();
  const field = (name) => profile.fields.find((one) => one.name === name);
  assert.equal(field('heat').max, 29);
  assert.equal(field('mode').missing, 15);
  assert.equal(field('mode').missing_percent, 50);
  assert.deepEqual(field('mode').top, [
    { value: 'eco', count: 8 },
    { value: 'full', count: 7 },
  ]);
  assert.equal(profile.complete, true);
  assert.equal((await get(server.url, `${path}?device=press%201`)).json().events, 10);
  assert.equal((await get(server.url, `${path}?where=heat%20%3E%2019`)).json().events, 10);
  const some = (await get(server.url, `${path}?limit=7&fields=heat`)).json();
  assert.equal(some.events, 7);
  assert.equal(some.complete, false);
  assert.equal(some.fields.length, 1);
  assert.equal(some.fields[0].min, 23);
});

test('numbers too large for figures are kept as they came, and counted', async (t) => {
  const server = await startServer(t, temporaryFolder(), EMPTY);
  for (const number of ['1', '2', '1e400', '-2e999']) {
    const body = `{"DatasetType":"vast","data":{"device":"d","v":${number}}}`;
    const headers = { 'Content-Type': 'application/json' };
    assert.equal((await ask(server.url, { method: 'POST', path: '/search/results', headers, body })).status, 200);
  }
  const path = '/api/v1/datasets/vast/profile?fields=v';
  const until = performance.now() + 10_000;
  while ((await get(server.url, path)).json().events !== 4)
    assert.ok(performance.now() < until, 'the events do not come');
  const [field] = (await get(server.url, path)).json().fields;
  assert.equal(field.count, 4);
  assert.equal(field.out_of_range, 2);
  assert.equal(field.max, 2);
  const { text } = await get(server.url, '/api/v1/datasets/vast/events');
  assert.ok(text.includes('"v":1e400') && text.includes('"v":-2e999'), text);
});

test('the report is one page that needs nothing else', async () => {
  const folder = temporaryFolder();
  const first = join(folder, 'first <b>&.csv');
  writeFileSync(first, recording());
  writeFileSync(
    join(folder, 'second.csv'),
    recording().replaceAll('2018-', '2019-').split('\n').slice(0, 200).join('\n'),
  );
  const output = join(folder, 'report.html');
  const made = await run(['report', first, join(folder, 'sec*.csv'), '--output', output, '--title', 'Drives <i>']);
  assert.equal(made.status, 0, made.stderr);
  const page = readFileSync(output, 'utf8');
  assert.ok(page.startsWith('<!doctype html>'));
  assert.ok(page.includes('<h1>Drives &lt;i&gt;</h1>'));
  assert.ok(page.includes('first &lt;b&gt;&amp;.csv'));
  assert.ok(!page.includes('<script'), 'there is a script in it');
  assert.ok(!/(?:src|href)=(?!#)/.test(page), 'something would be loaded');
  assert.ok(!/url\(/.test(page));
  for (const part of ['svg class=line', 'svg class=dist', 'svg class=track', 'svg class=matrix', 'svg class=coverage'])
    assert.ok(page.includes(part), part);
  assert.ok(!page.includes('nan') && !page.includes('inf '), 'a coordinate is no number');
  assert.ok(page.length < 1_000_000);
  assert.ok(!existsSync(`${output}.tmp`));

  const missing = await run(['report', join(folder, 'none.csv'), '--output', output]);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /none\.csv/);
  const nowhere = await run(['report', first, '--output', join(folder, 'no', 'where.html')]);
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.stderr, /cannot be written/);
  assert.equal((await run(['report', first])).status, 2);
  const left = readdirSync(process.env.TMPDIR ?? '/tmp').filter((name) => name.startsWith('iotstream-report-'));
  assert.deepEqual(left, []);
});
