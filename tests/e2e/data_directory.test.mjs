// The data directory when it cannot be used, is used twice, or is taken away; and a process that may open hardly any files: one clear
// sentence and exit status 1, or service goes on with what is possible.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Agent } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { metric, smallDisk } from './faults.mjs';
import {
  BINARY,
  CONFIG,
  eventually,
  get,
  postReading,
  ROOT,
  readTopic,
  run,
  startServer,
  temporaryFolder,
} from './support.mjs';

const SETTINGS = ['simulation=[]', 'log.partitions=1'];
const NOBODY = 65_534;

const argumentsFor = (folder) => [
  '--config',
  CONFIG,
  '--set',
  `data_dir="${folder}"`,
  '--set',
  'server.listen=["127.0.0.1:0"]',
];

/** The process says why it does not start, in one line that names `place`, and ends with status 1. */
function refusal(ended, place) {
  assert.equal(ended.status, 1, ended.stderr);
  assert.equal(ended.stdout, '');
  const errors = ended.stderr.split('\n').filter((line) => line !== '' && !/ (info|debug|warning) /.test(line));
  assert.equal(errors.length, 1, ended.stderr);
  assert.ok(errors[0].includes(place), errors[0]);
  return errors[0];
}

test('a data directory that is a file, a dangling link, or below a file', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const named = await run(argumentsFor(file)); // a mistake in the configuration
  assert.equal(named.status, 2);
  assert.match(named.stderr, /^--set data_dir: .*file' is a file, not a folder$/m);
  assert.match(refusal(await run(argumentsFor(join(file, 'below'))), file), /Not a directory/);
  const link = join(folder, 'link');
  symlinkSync(join(folder, 'nowhere'), link);
  assert.match(refusal(await run(argumentsFor(link)), link), /No such file or directory/);
  assert.ok(!existsSync(join(folder, 'nowhere')));
});

test("a data directory that is somebody else's, or must not be written", async (t) => {
  const folder = temporaryFolder();
  const root = process.getuid() === 0;
  // Root may write anywhere: then it is tried as nobody.
  const own = root ? { uid: NOBODY, gid: NOBODY } : {};
  chmodSync(folder, 0o755);
  const tried = (data) => {
    const { status, stdout, stderr } = spawnSync(BINARY, argumentsFor(data), {
      ...own,
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  };
  const reachable = spawnSync(BINARY, ['--version'], { ...own, encoding: 'utf8' });
  if (reachable.status !== 0) return t.skip('another user cannot run the binary where it lies');
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o555 });
  assert.match(refusal(tried(data), data), /Permission denied/);
  chmodSync(data, 0o700);
  if (root) {
    assert.match(refusal(tried(data), data), /Permission denied/);
    // One file inside that belongs to somebody else: the log does not start without it, and leaves it as it is.
    chownSync(data, NOBODY, NOBODY);
    mkdirSync(join(data, 'log'), { mode: 0o700 });
    assert.match(refusal(tried(data), join(data, 'log')), /Permission denied/);
  }
});

test('a file system that was mounted read-only', async (t) => {
  const disk = smallDisk(t, '16m');
  if (disk === null) return t.skip('mounting is not allowed here');
  const data = join(disk, 'data');
  const server = await startServer(t, data, SETTINGS);
  assert.equal((await postReading(server.url, 'd', { device: 'a', n: 1 })).status, 200);
  assert.equal((await server.stop('SIGTERM')).status, 0);
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0);
  assert.match(refusal(await run(argumentsFor(data)), data), /Read-only file system/);
  assert.equal(spawnSync('mount', ['-o', 'remount,rw', disk]).status, 0);
  const next = await startServer(t, data, SETTINGS);
  assert.equal((await readTopic(next.url, 'd')).length, 1);
});

test('a second process on the same directory is refused, by whatever name, and told who is there', async (t) => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const server = await startServer(t, data, SETTINGS);
  const link = join(folder, 'link');
  symlinkSync(data, link);
  for (const name of [data, link]) {
    const said = refusal(await run(argumentsFor(name)), name);
    assert.match(said, new RegExp(`in use by process ${server.pid}, since \\d{4}-`));
  }
  assert.equal((await postReading(server.url, 'd', { device: 'a', n: 1 })).status, 200, 'the first did not notice');
  await server.stop('SIGKILL');
  // The lock falls with its holder, not with a file: whatever process has that number by now is in nobody's way.
  writeFileSync(join(data, 'LOCK'), `process ${process.pid}, since 2000-01-01T00:00:00Z\n`);
  const next = await startServer(t, link, SETTINGS);
  assert.equal((await readTopic(next.url, 'd')).length, 1);
});

test('a data directory that is taken away from under the process: it says so, and acknowledges nothing more', async (t) => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const server = await startServer(t, data, SETTINGS);
  assert.equal((await postReading(server.url, 'd', { device: 'a', n: 1 })).status, 200);
  renameSync(data, join(folder, 'elsewhere'));
  const refused = await eventually('a reading is refused', async () => {
    const answer = await postReading(server.url, 'd', { device: 'a', n: 2 });
    return answer.status === 200 ? null : answer;
  });
  assert.equal(refused.status, 503, refused.text);
  assert.match(server.diagnostics(), /read-only until the restart: .*\.segment is gone/);
  assert.equal((await get(server.url, '/healthz')).status, 200);
});

test('no more files may be opened: connections wait, the log waits for its next segment, and goes on', async (t) => {
  const data = join(temporaryFolder(), 'data');
  const server = await startServer(t, data, [...SETTINGS, 'log.segment_size="1MiB"']);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  let posted = 0;
  const post = () => postReading(server.url, 'd', { device: 'a', n: posted++, text: 'x'.repeat(300_000) }, { agent });
  assert.equal((await post()).status, 200);
  // The next file that is opened gets the least number that is free: that one is forbidden.
  const used = new Set(readdirSync(`/proc/${server.pid}/fd`).map(Number));
  const least = Array.from({ length: used.size + 1 }, (_, n) => n).find((n) => !used.has(n));
  const limit = (count) => spawnSync('prlimit', ['--pid', String(server.pid), `--nofile=${count}:4096`]).status === 0;
  if (!limit(least)) return t.skip('prlimit is not allowed here');

  const answers = [];
  const waits = () => /d\/0: records wait until a file can be opened: .*Too many open files/.test(server.diagnostics());
  await eventually(
    'the log needs a file',
    async () => {
      if (waits()) return true;
      if (answers.length < 12) answers.push(post());
      return false;
    },
    30_000,
  );
  const stranger = get(server.url, '/healthz'); // not accepted, and not turned away
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(limit(1024));
  for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200, answer.text);
  assert.equal((await stranger).status, 200);
  assert.equal((await post()).status, 200);
  const text = (await get(server.url, '/metrics')).text;
  assert.equal(metric(text, 'iotstream_log_read_only_partitions'), 0, server.diagnostics());
  assert.deepEqual(
    (await readTopic(server.url, 'd')).map((message) => message.value.n),
    Array.from({ length: posted }, (_, n) => n),
  );
});

test('a limit of open files too low to start with is told as that', async () => {
  const data = join(temporaryFolder(), 'data');
  const child = spawn('prlimit', ['--nofile=8:8', BINARY, ...argumentsFor(data)], { cwd: ROOT });
  let stderr = '';
  let stdout = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  assert.match(refusal({ status, stdout, stderr }, dirname(data)), /Too many open files/);
});
