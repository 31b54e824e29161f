// kill -9 of the real binary under load, round after round on one data directory. The clients keep a journal of what was acknowledged,
// outside of that directory. After the last round nothing of it is missing, doubled, moved or changed, and history holds what the log
// holds, each record once.
//   IOTSTREAM_KILL_ROUNDS   50 unless said
//   IOTSTREAM_SEED          repeats the moments of the kills (not what the system does in between)

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, get, postReading, readTopic, startServer, temporaryFolder } from './support.mjs';

const ROUNDS = Number(process.env.IOTSTREAM_KILL_ROUNDS ?? 50);
const SEED = Number(process.env.IOTSTREAM_SEED ?? randomInt(2 ** 31));
const CONNECTIONS = 8;
/** Ready again within a second is what the product promises; a test on a busy machine must not fail by the clock alone. */
const READY_MS_MAX = 5000;
const TOPIC = 'load';

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const textOf = (number) => `reading ${number} ${'x'.repeat((number * 37) % 400)}`;

/** Everything wrong with what the log and history hold, against the journal of acknowledgements: one sentence each. */
function complaints(journal, messages, stored) {
  const wrong = [];
  const place = (record) => `${record.partition}/${record.offset}`;
  const byPlace = new Map();
  const numbers = new Map();
  for (const message of messages) {
    if (byPlace.has(place(message))) wrong.push(`two records are at ${place(message)}`);
    byPlace.set(place(message), message);
    const { number, text } = message.value;
    if (numbers.has(number)) wrong.push(`reading ${number} is at ${numbers.get(number)} and at ${place(message)}`);
    numbers.set(number, place(message));
    if (text !== textOf(number)) wrong.push(`reading ${number} has another content`);
  }
  const ends = new Map();
  for (const message of messages) {
    const next = ends.get(message.partition) ?? 0;
    if (message.offset !== next)
      wrong.push(`offset ${message.offset} follows ${next - 1} in partition ${message.partition}`);
    ends.set(message.partition, message.offset + 1);
  }
  for (const acknowledged of journal) {
    const message = byPlace.get(place(acknowledged));
    if (message === undefined)
      wrong.push(`acknowledged reading ${acknowledged.number} is not at ${place(acknowledged)}`);
    else if (message.value.number !== acknowledged.number)
      wrong.push(
        `reading ${message.value.number} is at ${place(acknowledged)}, where ${acknowledged.number} was acknowledged`,
      );
  }
  const kept = new Map();
  for (const event of stored) {
    const at = `${event._partition}/${event._offset}`;
    if (kept.has(at)) wrong.push(`history has ${at} twice`);
    kept.set(at, event);
    const message = byPlace.get(at);
    if (message === undefined) wrong.push(`history has ${at}, the log has not`);
    else if (event.number !== message.value.number || event.text !== message.value.text)
      wrong.push(`history has another record at ${at}`);
  }
  if (kept.size !== byPlace.size) wrong.push(`history has ${kept.size} records, the log ${byPlace.size}`);
  return wrong;
}

/** Posts on several connections until the server dies; what it acknowledges goes to the journal at once. */
async function loadUntilKilled(server, counter, journal, delay) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let killed = false;
  const poster = async (device) => {
    while (!killed) {
      const number = counter.next++;
      try {
        const reading = { device, number, text: textOf(number) };
        const answer = await postReading(server.url, TOPIC, reading, { agent });
        if (answer.status !== 200) continue;
        const { partition, offset } = answer.json();
        writeSync(journal, `${JSON.stringify({ partition, offset, number })}\n`);
      } catch {
        // The connection died with the process: that reading was not acknowledged.
      }
    }
  };
  const posters = Array.from({ length: CONNECTIONS }, (_, i) => poster(`device ${i}`));
  await new Promise((resolve) => setTimeout(resolve, delay));
  const end = server.stop('SIGKILL');
  killed = true;
  assert.equal((await end).signal, 'SIGKILL', 'it did not end by itself');
  await Promise.all(posters);
  agent.destroy();
}

/** All of history, in pieces. */
async function readHistory(url, messages) {
  return eventually(
    'history has what the log has',
    async () => {
      const { events } = (await get(url, `/api/v1/datasets/${TOPIC}/events?order=asc&limit=1000000`)).json();
      return events.length >= messages.length ? events : null;
    },
    60_000,
  );
}

let last = null;

test(`kill -9 under load, ${ROUNDS} rounds: nothing acknowledged is missing, doubled, moved or changed`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = randomFrom(SEED);
  const folder = temporaryFolder();
  const journalPath = join(temporaryFolder(), 'acknowledged.ndjson');
  const journal = openSync(journalPath, 'a');
  const counter = { next: 0 };
  let slowest = 0;
  for (let round = 0; round < ROUNDS; ++round) {
    const server = await startServer(t, folder, ['simulation=[]']);
    slowest = Math.max(slowest, server.startMs);
    await loadUntilKilled(server, counter, journal, 5 + random() * 350);
  }
  closeSync(journal);
  const server = await startServer(t, folder, ['simulation=[]']);
  slowest = Math.max(slowest, server.startMs);
  const acknowledged = readFileSync(journalPath, 'utf8')
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const messages = await readTopic(server.url, TOPIC);
  const stored = await readHistory(server.url, messages);
  t.diagnostic(
    `${ROUNDS} kills, ${acknowledged.length} of ${counter.next} readings acknowledged, ${messages.length} in the log; slowest start ${slowest.toFixed(0)} ms`,
  );
  assert.ok(acknowledged.length >= ROUNDS, 'there was load');
  assert.deepEqual(complaints(acknowledged, messages, stored).slice(0, 10), []);
  assert.ok(slowest < READY_MS_MAX, `ready after ${slowest} ms`);
  last = { acknowledged, messages, stored };
});

// The alarms themselves: each mistake that a log could make, made in the answers after the last round, is noticed, by its own alarm.
const indexOf = ({ messages, acknowledged }) =>
  messages.findIndex(({ value }) => value.number === acknowledged[acknowledged.length >> 1].number);
const mistakes = {
  'an acknowledged record is lost': [/^acknowledged reading/, (all) => all.messages.splice(indexOf(all), 1)],
  'a record comes twice': [
    /^reading \d+ is at/,
    (all) => {
      const again = structuredClone(all.messages[indexOf(all)]);
      again.offset = all.messages.findLast(({ partition }) => partition === again.partition).offset + 1;
      all.messages.push(again);
    },
  ],
  'two records are in one place': [/^two records/, (all) => all.messages.push(all.messages[indexOf(all)])],
  'records have moved by one': [
    /where \d+ was acknowledged/,
    ({ messages }) => {
      for (const message of messages) message.offset += 1;
    },
  ],
  'two records have changed places': [
    /where \d+ was acknowledged/,
    (all) => {
      const i = indexOf(all);
      const j = i === 0 ? 1 : i - 1;
      [all.messages[i].value, all.messages[j].value] = [all.messages[j].value, all.messages[i].value];
    },
  ],
  'a content is another': [
    /has another content/,
    (all) => {
      all.messages[indexOf(all)].value.text += '!';
    },
  ],
  'history lacks a record': [/^history has \d+ records/, ({ stored }) => stored.pop()],
  'history has a record twice': [/^history has .* twice/, ({ stored }) => stored.push(stored[0])],
  'history has another content': [
    /^history has another record/,
    ({ stored }) => {
      stored[0].text += '!';
    },
  ],
};
for (const [name, [alarm, make]] of Object.entries(mistakes)) {
  test(`canary: ${name}`, () => {
    assert.ok(last !== null, 'the rounds went through');
    const falsified = structuredClone(last);
    make(falsified);
    const noticed = complaints(falsified.acknowledged, falsified.messages, falsified.stored);
    assert.ok(
      noticed.some((sentence) => alarm.test(sentence)),
      `nothing like ${alarm} among ${JSON.stringify(noticed.slice(0, 3))}`,
    );
  });
}
