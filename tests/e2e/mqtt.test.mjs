// MQTT through the real binary, with the clients that Debian ships (mosquitto_pub, mosquitto_sub, python3-paho-mqtt), unmodified, and by bytes
// where a client behaves as none of them would.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, eventually, get, readTopic, run, startServer, temporaryFolder } from './support.mjs';

const PYTHON = '/usr/bin/python3';

/** A server with MQTT and nothing else going on. */
async function startMqtt(t, folder, settings = []) {
  const config = join(folder, 'mqtt.toml');
  writeFileSync(config, '[mqtt]\nlisten = ["127.0.0.1:0"]\n');
  const server = await startServer(t, join(folder, 'data'), settings, config);
  const told = /MQTT 3\.1\.1 and 5 on 127\.0\.0\.1:(\d+)/;
  const [, port] = await eventually('the server tells its port', () => told.exec(server.diagnostics()));
  return { ...server, port: Number(port) };
}

/** Runs a client to its end. */
function client(program, args, limit = 20_000) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), limit);
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, output, errors });
    });
  });
  return { child, ended, output: () => output };
}

const place = (server) => ['-h', '127.0.0.1', '-p', String(server.port)];
const publish = async (server, ...args) => client('mosquitto_pub', [...place(server), ...args]).ended;

/** mosquitto_sub, once its subscription is granted. */
async function subscribe(server, ...args) {
  // Line by line, or a pipe would see nothing before the end.
  const subscriber = client('stdbuf', ['-oL', 'mosquitto_sub', ...place(server), '-d', ...args]);
  await eventually('the subscription is granted', () => subscriber.output().includes('Subscribed'));
  return subscriber;
}

/** The messages that mosquitto_sub -v printed among its -d lines. */
const messages = (output) => output.split('\n').filter((line) => line !== '' && !/^(Client |Subscribed )/.test(line));

async function metric(server, name) {
  const { text } = await get(server.url, '/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

// Packets by hand.
const two = (number) => Buffer.from([number >> 8, number & 255]);
const text = (value) => Buffer.concat([two(Buffer.byteLength(value)), Buffer.from(value)]);
function packet(head, ...parts) {
  const body = Buffer.concat(parts);
  const length = [];
  let left = body.length;
  do {
    length.push(left > 127 ? (left & 127) | 128 : left);
    left >>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([head, ...length]), body]);
}
const connectPacket = (id, clean) => packet(0x10, text('MQTT'), Buffer.from([4, clean ? 2 : 0]), two(0), text(id));
const publishPacket = (topic, payload, qos, id, duplicate = false) =>
  packet(0x30 | (qos << 1) | (duplicate ? 8 : 0), text(topic), ...(qos > 0 ? [two(id)] : []), Buffer.from(payload));

/** A connection by bytes; `next()` gives the next short packet. */
async function open(t, port) {
  const socket = connectSocket(port, '127.0.0.1');
  let input = Buffer.alloc(0);
  let ended = false;
  socket.on('data', (data) => {
    input = Buffer.concat([input, data]);
  });
  socket.on('close', () => {
    ended = true;
  });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await new Promise((resolve) => {
    socket.once('connect', resolve);
  });
  return {
    send: (...packets) => socket.write(Buffer.concat(packets)),
    end: () => socket.destroy(),
    closed: () => eventually('the server closes the connection', () => ended),
    received: () => input.length,
    async next() {
      return eventually('a packet comes', () => {
        if (input.length < 2 || input.length < 2 + input[1]) return null;
        const one = input.subarray(0, 2 + input[1]);
        input = input.subarray(2 + input[1]);
        return one;
      });
    },
  };
}

test('mosquitto_pub and mosquitto_sub: both versions, every QoS, wildcards', async (t) => {
  const server = await startMqtt(t, temporaryFolder());
  for (const version of ['mqttv311', 'mqttv5']) {
    const dataset = `boiler_${version}`;
    const all = await subscribe(server, '-V', version, '-t', `${dataset}/#`, '-q', '2', '-v', '-C', '6');
    const one = await subscribe(server, '-V', version, '-t', '+/b2', '-q', '0', '-v', '-C', '1');
    for (const qos of ['0', '1', '2']) {
      for (const device of ['b1', 'b2']) {
        const sent = await publish(
          server,
          ...['-V', version, '-q', qos, '-t', `${dataset}/${device}`, '-m', `{"qos":${qos},"t":61.5}`],
        );
        assert.equal(sent.status, 0, sent.errors);
      }
    }
    const got = await all.ended;
    assert.deepEqual(
      messages(got.output).sort(),
      ['b1', 'b2'].flatMap((device) => [0, 1, 2].map((qos) => `${dataset}/${device} {"qos":${qos},"t":61.5}`)),
    );
    assert.deepEqual(messages((await one.ended).output), [`${dataset}/b2 {"qos":0,"t":61.5}`]);
    const stored = await readTopic(server.url, dataset);
    assert.equal(stored.length, 6);
    assert.deepEqual(new Set(stored.map((event) => event.device)), new Set(['b1', 'b2']));
  }
  assert.equal(await metric(server, 'iotstream_mqtt_published_total{qos="2"}'), 4);
});

test('topics and payloads: three shapes of topic, values, lines, envelopes, and what is none', async (t) => {
  const server = await startMqtt(t, temporaryFolder());
  const send = async (topic, payload) => {
    const sent = await publish(server, '-q', '1', '-t', topic, '-m', payload);
    assert.equal(sent.status, 0, sent.errors);
  };
  await send('plant/hall 2/pump 1/pressure', '2.5');
  await send('note', 'on');
  await send('note', '{"device":"n1","text":"a"}');
  await send('lines/l1', '{"n":1}\n{"n":2}');
  await send('array/l1', '[{"n":1},{"n":2},{"n":3}]');
  await send('whatever/x', '{"DatasetType":"enveloped","data":{"device":"e1","n":1}}');
  await send('broken/b', '{"n":');
  const events = async (topic) => (await readTopic(server.url, topic)).map(({ device, value }) => ({ device, value }));
  assert.deepEqual(await events('pressure'), [{ device: 'pump 1', value: { value: 2.5 } }]);
  const notes = await events('note');
  assert.equal(notes.length, 2);
  assert.ok(notes.some((note) => note.device === 'note' && note.value.value === 'on'));
  assert.ok(notes.some((note) => note.device === 'n1' && note.value.text === 'a'));
  assert.equal((await events('lines')).length, 2);
  assert.equal((await events('array')).length, 3);
  assert.deepEqual(await events('enveloped'), [{ device: 'e1', value: { device: 'e1', n: 1 } }]);
  const told = await publish(server, '-V', 'mqttv5', '-q', '1', '-t', 'broken/b', '-m', '{"n":');
  assert.match(told.errors, /Payload format invalid/);
  const counted = async (what) => metric(server, `iotstream_ingest_${what}_total{source="mqtt"}`);
  assert.equal(await counted('accepted'), 9);
  assert.equal(await counted('rejected'), 2);
  assert.equal(await counted('received'), 11);
  // What is posted by HTTP is told to MQTT subscribers, too.
  const reader = await subscribe(server, '-t', 'posted/#', '-v', '-C', '1');
  await ask(server.url, {
    method: 'POST',
    path: '/api/v1/datasets/posted/events',
    headers: { 'Content-Type': 'application/json' },
    body: '{"device":"h1","n":1}',
  });
  assert.deepEqual(messages((await reader.ended).output), ['posted/h1 {"device":"h1","n":1}']);
});

test('a patterned topic, a token, TLS; the configuration is checked', async (t) => {
  const folder = temporaryFolder();
  const token = join(folder, 'token');
  writeFileSync(token, 'secret-1\n');
  const server = await startMqtt(t, folder, [
    `server.token_file="${token}"`,
    'mqtt.topics=["v1/+/{device}/{dataset}"]',
  ]);
  const wrong = await publish(server, '-t', 'v1/t/d1/engine', '-m', '1', '-u', 'x', '-P', 'secret-2');
  assert.notEqual(wrong.status, 0);
  assert.match(wrong.errors, /user name or password|not authorised/i);
  const good = await publish(server, '-q', '1', '-t', 'v1/t/d1/engine', '-m', '1', '-u', 'x', '-P', 'secret-1');
  assert.equal(good.status, 0, good.errors);
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  const made = await client('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
  ]).ended;
  assert.equal(made.status, 0, made.errors);
  const tlsFolder = temporaryFolder();
  const secure = await startMqtt(t, tlsFolder, [
    `server.tls_certificate="${certificate}"`,
    `server.tls_key="${key}"`,
    'mqtt.tls=true',
  ]);
  const over = await publish(secure, '--cafile', certificate, '-q', '1', '-t', 'engine/d1', '-m', '1');
  assert.equal(over.status, 0, over.errors);
  assert.notEqual((await publish(secure, '-q', '1', '-t', 'engine/d1', '-m', '1')).status, 0, 'in the clear');
  const check = (...sets) =>
    run(['check', '--config', 'config/iotstream.toml', ...sets.flatMap((set) => ['--set', set])]);
  for (const [set, said] of [
    ['mqtt.listen=["0.0.0.0:1883"]', /needs server\.token_file/],
    ['mqtt.listen=["127.0.0.1:8080"]', /is an address of server\.listen already/],
    ['mqtt.tls=true', /needs server\.tls_certificate/],
    ['mqtt.topics=["{device}"]', /must have \{dataset\} once/],
    ['mqtt.max_packet="300MiB"', /max_packet/],
    ['mqtt.topic=1', /did you mean 'topics'|topics/],
  ]) {
    const checked = await check(set);
    assert.equal(checked.status, 2, set);
    assert.match(checked.stderr + checked.stdout, said);
  }
});

test('killed between PUBREC and PUBREL: the message is there once', async (t) => {
  const folder = temporaryFolder();
  let server = await startMqtt(t, folder);
  for (let round = 1; round <= 4; round += 1) {
    const first = await open(t, server.port);
    first.send(connectPacket('meter', false));
    assert.equal((await first.next())[3], 0);
    first.send(publishPacket('exact/m1', `{"n":${round}}`, 2, round));
    // Odd rounds wait for PUBREC, even ones are killed in the middle, wherever that is.
    if (round % 2 === 1) assert.deepEqual([...(await first.next())], [0x50, 2, 0, round]);
    await server.stop('SIGKILL');
    server = await startMqtt(t, folder);
    const again = await open(t, server.port);
    again.send(connectPacket('meter', false));
    assert.equal((await again.next())[2], 1, 'the session is there');
    again.send(publishPacket('exact/m1', `{"n":${round}}`, 2, round, true));
    assert.deepEqual([...(await again.next())], [0x50, 2, 0, round]);
    again.send(packet(0x62, two(round)));
    assert.deepEqual([...(await again.next())], [0x70, 2, 0, round]);
    again.end();
    const numbers = (await readTopic(server.url, 'exact')).map((event) => event.value.n);
    assert.deepEqual(
      numbers.sort(),
      Array.from({ length: round }, (_, i) => i + 1),
    );
    if (round === 3) {
      // Released, then killed: the identifier is free again.
      await server.stop('SIGKILL');
      server = await startMqtt(t, folder);
    }
  }
});

test('everything acknowledged is there after kill -9, under load', async (t) => {
  const folder = temporaryFolder();
  let server = await startMqtt(t, folder);
  const sender = await open(t, server.port);
  sender.send(connectPacket('load', true));
  await sender.next();
  for (let id = 1; id <= 20_000; id += 1) sender.send(publishPacket(`load/d${id % 7}`, `{"n":${id}}`, 1, id));
  const acknowledged = [];
  while (acknowledged.length < 3_000) acknowledged.push((await sender.next()).readUInt16BE(2));
  await server.stop('SIGKILL');
  server = await startMqtt(t, folder);
  const stored = (await readTopic(server.url, 'load')).map((event) => event.value.n);
  const there = new Set(stored);
  assert.equal(there.size, stored.length, 'none twice');
  for (const id of acknowledged) assert.ok(there.has(id), `acknowledged reading ${id} is gone`);
  assert.deepEqual(
    acknowledged,
    acknowledged.map((_, i) => i + 1),
    'acknowledged in order',
  );
});

test('a session waits for its client: mosquitto_sub gets what came while it, and the server, were away', async (t) => {
  const folder = temporaryFolder();
  let server = await startMqtt(t, folder);
  const args = ['-i', 'keeper', '-c', '-q', '1', '-t', 'kept/#', '-v'];
  const before = await subscribe(server, ...args, '-C', '1');
  await publish(server, '-q', '1', '-t', 'kept/k', '-m', '{"n":1}');
  assert.deepEqual(messages((await before.ended).output), ['kept/k {"n":1}']);
  await publish(server, '-q', '1', '-t', 'kept/k', '-m', '{"n":2}');
  assert.equal((await server.stop()).status, 0);
  server = await startMqtt(t, folder);
  await publish(server, '-q', '1', '-t', 'kept/k', '-m', '{"n":3}');
  // What waits comes before the answer to the subscription.
  const after = client('mosquitto_sub', [...place(server), ...args, '-C', '2']);
  assert.deepEqual(messages((await after.ended).output), ['kept/k {"n":2}', 'kept/k {"n":3}']);
});

test('a will is published when its client is killed; who comes again takes over', async (t) => {
  const server = await startMqtt(t, temporaryFolder());
  const watcher = await subscribe(server, '-t', 'state/#', '-v', '-C', '1');
  const dying = await subscribe(
    server,
    ...['-i', 'pump', '-t', 'x/#', '--will-topic', 'state/pump', '--will-payload', 'gone', '--will-qos', '1'],
  );
  const rival = await subscribe(server, '-i', 'other', '-t', 'x/#', '-V', 'mqttv5');
  const { mqtt } = (await get(server.url, '/api/v1/status')).json();
  assert.deepEqual(mqtt.map((one) => [one.client, one.version, one.subscriptions]).slice(0, 2), [
    [mqtt[0].client, '3.1.1', 1],
    ['other', '5', 1],
  ]);
  await subscribe(server, '-i', 'other', '-t', 'x/#', '-V', 'mqttv5');
  await eventually('the first is told', () => rival.output().includes('DISCONNECT'));
  rival.child.kill('SIGKILL');
  dying.child.kill('SIGKILL');
  assert.deepEqual(messages((await watcher.ended).output), ['state/pump {"value":"gone"}']);
  assert.ok((await metric(server, 'iotstream_mqtt_taken_over_total')) >= 1);
});

test('paho: 2,000 messages of each QoS and version, in order, none lost, none of QoS 2 twice', async (t) => {
  const server = await startMqtt(t, temporaryFolder());
  const script = `
import sys, threading
import paho.mqtt.client as mqtt
port, protocol, qos, dataset = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
count = 2000
got, ready, done = [], threading.Event(), threading.Event()
def on_message(client, userdata, message):
    got.append(message.payload.decode())
    if len(got) >= count: done.set()
reader = mqtt.Client(client_id='r' + dataset, protocol=protocol)
reader.on_message = on_message
reader.on_subscribe = lambda *a: ready.set()
reader.connect('127.0.0.1', port)
reader.loop_start()
reader.subscribe(dataset + '/#', qos=2)
assert ready.wait(10)
writer = mqtt.Client(client_id='w' + dataset, protocol=protocol)
writer.max_inflight_messages_set(200)
writer.connect('127.0.0.1', port)
writer.loop_start()
last = None
for n in range(count):
    last = writer.publish(dataset + '/d', '{"n":%d}' % n, qos=qos)
last.wait_for_publish()
assert done.wait(30), len(got)
writer.disconnect(); reader.disconnect()
assert got == ['{"n":%d}' % n for n in range(count)], got[:5]
`;
  for (const protocol of ['4', '5']) {
    for (const qos of ['0', '1', '2']) {
      const dataset = `paho_${protocol}_${qos}`;
      const ran = await client(PYTHON, ['-c', script, String(server.port), protocol, qos, dataset], 60_000).ended;
      assert.equal(ran.status, 0, ran.errors);
      assert.equal((await readTopic(server.url, dataset)).length, 2000);
    }
  }
});

test('hostile bytes end their own connection and nobody else is disturbed', async (t) => {
  const server = await startMqtt(t, temporaryFolder());
  const good = await subscribe(server, '-t', 'calm/#', '-v', '-C', '1');
  const hello = connectPacket('h', true);
  const bad = [
    [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    [Buffer.from([0x00, 0x00])],
    [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff])],
    [packet(0x10, text('MQTT'), Buffer.from([4, 3]), two(0), text('h'))],
    [hello, hello],
    [hello, publishPacket('a/+', '1', 0, 0)],
    [hello, publishPacket('a', '1', 1, 0)],
    [hello, Buffer.from([0x36, 2, 0, 0])],
    [hello, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])],
    [hello, Buffer.from([0xf0, 0])],
    [hello, packet(0x82, two(1))],
    [hello, packet(0x30, Buffer.from([0, 2, 0xc3, 0x28]))],
  ];
  for (const packets of bad) {
    const client_ = await open(t, server.port);
    client_.send(...packets);
    await client_.closed();
    assert.ok(client_.received() <= 4, 'nothing but a CONNACK');
  }
  // A thousand connections that say half a CONNECT hold no more than their sockets.
  const halves = await Promise.all(Array.from({ length: 1000 }, () => open(t, server.port)));
  for (const half of halves) half.send(hello.subarray(0, 7));
  // 60,000 messages with QoS 2, none of them released.
  const flood = await open(t, server.port);
  flood.send(connectPacket('flood', true));
  await flood.next();
  for (let id = 1; id <= 60_000; id += 1) flood.send(publishPacket('flood/f', '1', 2, id));
  await eventually('all of them are received', () => flood.received() === 60_000 * 4, 60_000);
  assert.equal((await publish(server, '-q', '1', '-t', 'calm/c', '-m', '{"n":1}')).status, 0);
  assert.deepEqual(messages((await good.ended).output), ['calm/c {"n":1}']);
  assert.equal((await server.stop()).status, 0);
});
