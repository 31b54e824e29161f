// A server that speaks the live protocol and the REST shapes with computed data: for work on the dashboard without the
// binary. Serves dist/ under the same policy. POST /mock/drop?ms=3000 cuts every socket and refuses new ones for that long;
// POST /mock/restart does the same and comes back as a new process would.
//
//   node tests/mock-server.mjs [port]

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { encodeFrame } from './encode.mjs';
import { DATASETS, rowsOf } from './mock-data.mjs';

const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const ENCODING = { float: 1, integer: 1, boolean: 4, text: 6 };
const SPANS = { s: 1e6, m: 60e6, h: 3_600e6, d: 86_400e6 };

const now = () => Date.now() * 1_000;
let started = now();
const historyBegan = started - 3 * 3_600e6;
let refuseUntil = 0;

const dataset = (name) => DATASETS.find((d) => d.name === name);
const countOf = (d) => Math.round(((now() - historyBegan) / d.period) * d.devices.length);

// --- REST --------------------------------------------------------------------------------------------------------------

function schema(d) {
  const sample = rowsOf(d, now() - 10e6, now());
  const fields = d.fields.map(({ value: _, ...f }, i) => ({
    ...f,
    first_seen: historyBegan,
    count: sample.some((row) => row.values[i] !== null) ? countOf(d) : 0,
  }));
  return { dataset: d.name, version: 3, fields };
}

function aggregate(values, agg) {
  if (values.length === 0) return null;
  // As the server: truth values are 0 and 1, a text has no number.
  if (typeof values[0] === 'boolean') return aggregate(values.map(Number), agg);
  if (typeof values[0] === 'string') return null;
  if (agg === 'last') return values[values.length - 1];
  if (agg === 'min') return Math.min(...values);
  if (agg === 'max') return Math.max(...values);
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** First, lowest, highest and last reading of each of `points` equal columns. */
function picture(d, query) {
  const [from, to, columns] = ['from', 'to', 'points'].map((name) => Number(query.get(name)));
  const device = d.devices.indexOf(query.get('device'));
  const rows = rowsOf(d, Math.max(from, historyBegan), Math.min(to, now())).filter(
    (row) => device < 0 || row.device === device,
  );
  const series = query
    .get('fields')
    .split(',')
    .map((field) => {
      const index = d.fields.findIndex((f) => f.name === field);
      const kept = new Map();
      for (const { time, values } of rows) {
        const value = values[index];
        if (typeof value !== 'number') continue;
        const column = Math.floor(((time - from) * columns) / (to - from));
        const at = { time, value };
        const seen = kept.get(column) ?? { first: at, low: at, high: at };
        const low = value < seen.low.value ? at : seen.low;
        kept.set(column, { first: seen.first, low, high: value > seen.high.value ? at : seen.high, last: at });
      }
      const points = [...kept.values()].flatMap(({ first, low, high, last }) =>
        [...new Set([first, low, high, last])].sort((a, b) => a.time - b.time),
      );
      return { field, agg: 'm4', time: points.map((p) => p.time), values: points.map((p) => p.value) };
    });
  return { from, to, columns, tier: 'rows', series };
}

function series(d, query) {
  if (query.get('agg') === 'm4') return picture(d, query);
  const from = Number(query.get('from'));
  const to = Number(query.get('to'));
  const width = (to - from) / Number(query.get('points') ?? 800);
  const device = d.devices.indexOf(query.get('device'));
  const time = Array.from({ length: Math.ceil((to - from) / width) }, (_, i) => Math.round(from + i * width));
  const buckets = time.map(() => []);
  for (const row of rowsOf(d, Math.max(from, historyBegan), Math.min(to, now()))) {
    if (device < 0 || row.device === device) buckets[Math.floor((row.time - from) / width)]?.push(row);
  }
  const out = [];
  for (const name of query.get('fields').split(',')) {
    const index = d.fields.findIndex((f) => f.name === name);
    for (const agg of query.get('agg').split(',')) {
      const values = buckets.map((rows) =>
        aggregate(
          rows.map((r) => r.values[index]).filter((v) => v !== null && v !== undefined),
          agg,
        ),
      );
      out.push({ field: name, agg, values });
    }
  }
  return { interval_us: width, time, series: out };
}

function events(d, query) {
  const index = d.fields.findIndex((f) => f.name === query.get('fields'));
  const device = d.devices.indexOf(query.get('device'));
  const rows = rowsOf(d, Math.max(Number(query.get('from')), historyBegan), Math.min(Number(query.get('to')), now()));
  const wanted = rows.filter((row) => row.device === device).toReversed();
  return {
    events: wanted.slice(0, Number(query.get('limit'))).map((row) => ({
      [d.fields[index].name]: row.values[index],
      '@timestamp': new Date(row.time / 1_000).toISOString(),
      device: d.devices[row.device],
    })),
    next: null,
  };
}

function devices() {
  return DATASETS.flatMap((d) =>
    d.devices.map((device, i) => {
      const silent = i === 1 && now() % 150e6 < 20e6;
      const last = silent ? now() - (now() % 150e6) : now() - (now() % d.period);
      return {
        device,
        dataset: d.name,
        prototype: d.prototype,
        first_seen: historyBegan,
        last_seen: last,
        rate: silent ? 0 : 1e6 / d.period,
        expected_rate: 1e6 / d.period,
        state: silent ? 'late' : 'live',
        events: countOf(d) / d.devices.length,
      };
    }),
  );
}

function rest(path, query) {
  if (path === '/api/v1/datasets') {
    return {
      datasets: DATASETS.map((d) => ({
        name: d.name,
        topic: d.topic,
        label: d.label,
        schema_version: 3,
        fields: d.fields.length,
        devices: d.devices.length,
        events: countOf(d),
        rate: (1e6 / d.period) * d.devices.length,
        first_time: historyBegan,
        last_time: now(),
      })),
    };
  }
  if (path === '/api/v1/devices') return { devices: devices() };
  const match = /^\/api\/v1\/datasets\/([^/]+)\/(schema|series|events)$/.exec(path);
  const d = match && dataset(decodeURIComponent(match[1]));
  if (!d) return null;
  return { schema, series, events }[match[2]](d, query);
}

// --- saved dashboards --------------------------------------------------------------------------------------------------

const dashboards = new Map();

/** Status and body of a request about dashboards. */
function savedDashboards(method, id, text) {
  const lines = () =>
    [...dashboards.values()].map(({ document, ...line }) => ({ ...line, bytes: JSON.stringify(document).length }));
  if (id === undefined && method === 'GET') return [200, { dashboards: lines() }];
  if (id !== undefined && !dashboards.has(id)) return [404, { detail: `there is no dashboard '${id}'` }];
  if (method === 'GET') return [200, dashboards.get(id)];
  if (method === 'DELETE') return [dashboards.delete(id) ? 204 : 404, null];
  const key = id ?? randomBytes(8).toString('hex');
  dashboards.set(key, { id: key, changed: now(), ...JSON.parse(text) });
  return [id === undefined ? 201 : 200, dashboards.get(key)];
}

function answerDashboards(request, response, id) {
  let text = '';
  request.on('data', (data) => {
    text += data;
  });
  request.on('end', () => {
    const [status, body] = savedDashboards(request.method, id, text);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === null ? undefined : JSON.stringify(body));
  });
}

function control(url) {
  refuseUntil = Date.now() + Number(url.searchParams.get('ms') ?? 3_000);
  if (url.pathname === '/mock/restart') started = now();
  for (const socket of sockets.clients) socket.terminate();
}

function staticFile(path) {
  const file = join(DIST, normalize(path === '/' ? '/index.html' : path));
  return file.startsWith(DIST) && existsSync(file) ? { body: readFileSync(file), type: TYPES[extname(file)] } : null;
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname.startsWith('/mock/')) {
    control(url);
    response.writeHead(204).end();
    return;
  }
  if (Date.now() < refuseUntil) {
    request.socket.destroy();
    return;
  }
  const saved = /^\/api\/v1\/dashboards(?:\/(\w+))?$/.exec(url.pathname);
  if (saved !== null) {
    answerDashboards(request, response, saved[1]);
    return;
  }
  if (url.pathname.startsWith('/api/')) {
    const body = rest(url.pathname, url.searchParams);
    response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { title: 'Not found', status: 404, detail: `${url.pathname} is not there` }));
    return;
  }
  const file = staticFile(url.pathname);
  response.writeHead(file === null ? 404 : 200, {
    'content-type': file?.type ?? 'text/plain',
    'content-security-policy': POLICY,
  });
  response.end(file?.body ?? 'not found');
});

// --- live ----------------------------------------------------------------------------------------------------------------

/** First, last, lowest and highest row of every field per pixel column and device. */
function merge(rows, from, width) {
  const kept = new Set();
  const columns = new Map();
  for (const row of rows) {
    const key = `${row.device}:${Math.floor((row.time - from) / width)}`;
    let column = columns.get(key);
    if (column === undefined) {
      column = { first: row, last: row, low: [], high: [] };
      columns.set(key, column);
    }
    column.last = row;
    row.values.forEach((v, i) => {
      if (typeof v !== 'number') return;
      if (column.low[i] === undefined || v < column.low[i].values[i]) column.low[i] = row;
      if (column.high[i] === undefined || v > column.high[i].values[i]) column.high[i] = row;
    });
  }
  for (const { first, last, low, high } of columns.values())
    for (const row of [first, last, ...low, ...high]) if (row) kept.add(row);
  return rows.filter((row) => kept.has(row));
}

class Subscription {
  constructor(socket, message) {
    this.socket = socket;
    this.id = message.id;
    this.dataset = dataset(message.dataset);
    this.pixels = message.pixels ?? 800;
    this.span = Number(message.window.slice(1, -1)) * SPANS[message.window.at(-1)];
    this.seq = 0;
    this.acked = 0;
    this.parked = false;
    const { name, fields, devices } = this.dataset;
    const entries = fields.map(({ name, type, unit }, index) => ({ index, name, type, unit }));
    socket.send(
      JSON.stringify({ op: 'fields', id: this.id, dataset: name, schema_version: 3, fields: entries, devices }),
    );
    this.sentUntil = now();
    this.backfill();
  }

  backfill() {
    const from = Math.max(this.sentUntil - this.span, historyBegan);
    const rows = rowsOf(this.dataset, from, this.sentUntil);
    const kept = rows.length > 4 * this.pixels ? merge(rows, from, this.span / this.pixels) : rows;
    this.send(kept, {
      backfill: true,
      last: true,
      merged: kept.length < rows.length,
      mergedRows: rows.length - kept.length,
    });
  }

  tick() {
    if (this.parked || this.seq - this.acked >= 2) return;
    const until = now();
    const rows = rowsOf(this.dataset, this.sentUntil, until);
    if (rows.length === 0) return;
    const merged = rows.length > 4 * this.pixels;
    const kept = merged ? merge(rows, this.sentUntil, this.span / this.pixels) : rows;
    this.sentUntil = until;
    this.send(kept, { merged, mergedRows: rows.length - kept.length });
  }

  send(rows, flags) {
    this.seq += 1;
    const columns = this.dataset.fields
      .map((f, i) => ({ field: i, encoding: ENCODING[f.type], values: rows.map((row) => row.values[i]) }))
      .filter((column) => column.values.some((v) => v !== null));
    const frame = {
      id: this.id,
      seq: this.seq,
      schemaVersion: 3,
      time: rows.map((r) => r.time),
      device: rows.map((r) => r.device),
      columns,
    };
    this.socket.send(encodeFrame({ ...frame, ...flags }));
  }
}

const sockets = new WebSocketServer({ noServer: true });
const live = new Map();

function take(socket, message) {
  const subscriptions = live.get(socket);
  if (message.op === 'subscribe') {
    if (!dataset(message.dataset))
      socket.send(JSON.stringify({ op: 'error', id: message.id, detail: `There is no dataset "${message.dataset}".` }));
    else subscriptions.set(message.id, new Subscription(socket, message));
    return;
  }
  const subscription = subscriptions.get(message.id);
  if (!subscription) return;
  if (message.op === 'ack') subscription.acked = Math.max(subscription.acked, message.seq);
  else if (message.op === 'unsubscribe') subscriptions.delete(message.id);
  else subscription.parked = message.op === 'park';
}

server.on('upgrade', (request, socket, head) => {
  if (Date.now() < refuseUntil) {
    socket.destroy();
    return;
  }
  sockets.handleUpgrade(request, socket, head, (opened) => {
    live.set(opened, new Map());
    opened.send(JSON.stringify({ op: 'hello', version: '0.1.0-mock', time: now(), started }));
    opened.on('message', (data) => take(opened, JSON.parse(data.toString())));
    opened.on('close', () => live.delete(opened));
  });
});

setInterval(() => {
  for (const subscriptions of live.values()) for (const subscription of subscriptions.values()) subscription.tick();
}, 25);

setInterval(() => {
  const stats = {
    op: 'stats',
    time: now(),
    datasets: DATASETS.map((d) => ({ dataset: d.name, events: countOf(d), rate: (1e6 / d.period) * d.devices.length })),
    latency_ms: { p50: 0.4, p99: 1.8 },
  };
  for (const socket of live.keys()) socket.send(JSON.stringify(stats));
}, 1_000);

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.stdout.write(
    `ready http://127.0.0.1:${server.address().port} in ${Math.round(process.uptime() * 1_000)} ms\n`,
  );
});
process.on('SIGTERM', () => process.exit(0));
