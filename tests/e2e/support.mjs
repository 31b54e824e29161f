// What the end-to-end tests share: the real binary on a temporary directory, requests with full control of the headers, a WebSocket.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const BINARY = process.env.IOTSTREAM_BINARY ?? join(ROOT, 'iotstream');
export const CONFIG = join(ROOT, 'config', 'iotstream.toml');
const require = createRequire(join(ROOT, 'web', 'package.json'));
const { WebSocket } = require('ws');

const READY = /^ready (https?:\/\/\S+) in (\d+) ms$/m;

const folders = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed when the whole file has run: by then no server writes there any more. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'iotstream-e2e-'));
  folders.push(folder);
  return folder;
}

/** Runs the binary to its end: exit status and both outputs. */
export function run(args, { input = '', cwd = ROOT, limit = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(BINARY, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), limit);
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Starts the server with the shipped configuration on `folder`; `settings` are further `--set` values. Ended by the test's end at the latest. */
export async function startServer(t, folder, settings = [], config = CONFIG) {
  const sets = [`data_dir="${folder}"`, 'server.listen=["127.0.0.1:0"]', ...settings].flatMap((value) => [
    '--set',
    value,
  ]);
  const began = performance.now();
  const child = spawn(BINARY, ['--config', config, ...sets], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr = (stderr + data).slice(-20_000);
  });
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal })));
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ready line within 60 s\n${stderr}`)), 60_000);
    child.stdout.on('data', (data) => {
      stdout += data;
      const match = READY.exec(stdout);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match[1]);
    });
    ended.then(({ status, signal }) => {
      clearTimeout(timer);
      reject(new Error(`the server ended (${status ?? signal}) before it was ready\n${stderr}`));
    });
  });
  return {
    url,
    pid: child.pid,
    startMs: performance.now() - began,
    output: () => stdout,
    diagnostics: () => stderr,
    /** Sends the signal and waits: exit status or signal, and the milliseconds it took. */
    async stop(signal = 'SIGTERM') {
      const asked = performance.now();
      child.kill(signal);
      const end = await ended;
      return { ...end, ms: performance.now() - asked };
    },
  };
}

/** One request with full control of the headers. */
export function ask(url, { method = 'GET', path = '/', headers = {}, body = null, agent = undefined } = {}) {
  return new Promise((resolve, reject) => {
    const target = new URL(path, url);
    const request = httpRequest(
      { host: target.hostname, port: target.port, method, path, headers, agent, timeout: 30_000 },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text,
            bytes,
            json: () => JSON.parse(text),
          });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')));
    if (body !== null) request.write(body);
    request.end();
  });
}

export const get = (url, path) => ask(url, { path });

export function postReading(url, dataset, data, options = {}) {
  const body = JSON.stringify({ DatasetType: dataset, data });
  return ask(url, {
    method: 'POST',
    path: '/search/results',
    headers: { 'Content-Type': 'application/json' },
    body,
    ...options,
  });
}

/** A viewer with JSON frames: every message is kept; `next(test)` waits for the first one that was not taken yet and passes. */
export async function openViewer(t, url, path = '/api/v1/live?wire=json', options = {}) {
  const socket = new WebSocket(url.replace('http', 'ws') + path, options);
  const messages = [];
  let wake = () => {};
  socket.on('message', (data, binary) => {
    messages.push(binary ? data : JSON.parse(data.toString()));
    wake();
  });
  t.after(() => socket.terminate());
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    send: (message) => socket.send(JSON.stringify(message)),
    async next(test, limit = 10_000) {
      const end = performance.now() + limit;
      for (;;) {
        const index = messages.findIndex(test);
        if (index >= 0) return messages.splice(index, 1)[0];
        const left = end - performance.now();
        if (left <= 0)
          throw new Error(`no such message within ${limit} ms; there are ${JSON.stringify(messages).slice(0, 2000)}`);
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
  };
}

/** Asks `question` every 20 ms until it answers something true. */
export async function eventually(what, question, limit = 10_000) {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** All messages of a topic, over all partitions. */
export async function readTopic(url, topic) {
  const { partitions } = (await get(url, `/api/v1/topics/${encodeURIComponent(topic)}`)).json();
  const all = [];
  for (const { partition } of partitions) {
    for (let offset = 0; ; ) {
      const path = `/api/v1/topics/${encodeURIComponent(topic)}/partitions/${partition}/messages?offset=${offset}&limit=1000`;
      const answer = (await get(url, path)).json();
      all.push(...answer.messages.map((message) => ({ ...message, partition })));
      if (answer.messages.length === 0) break;
      offset = answer.next_offset;
    }
  }
  return all;
}
