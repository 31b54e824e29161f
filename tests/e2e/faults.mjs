// Faults let into the running server: strace answers its system calls in the kernel's place; a small file system of its own fills up.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './support.mjs';

/** Why strace cannot be used here, or false: for node:test's `skip`. */
export const noStrace = (() => {
  const tried = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', 'inject=getppid:error=EPERM', 'true'], {
    encoding: 'utf8',
  });
  if (tried.error) return 'strace is not installed (tools/setup --tests does it)';
  return tried.status === 0 ? false : `strace may not trace here: ${tried.stderr.trim()}`;
})();

/**
 * From now on the calls of `server` that touch one of `paths` (any path, when there are none) end as `faults` say, for example
 * `pwrite64:error=ENOSPC`; the answer's `end()` lets the kernel answer again and says how
 * many calls were hit. A path need not exist yet.
 */
export async function inject(t, server, faults, paths = []) {
  const trace = join(temporaryFolder(), 'trace');
  const options = ['-f', '-qq', '-o', trace, '-p', String(server.pid)];
  const calls = faults.map((fault) => fault.split(':')[0]).join(',');
  options.push('-e', `trace=${calls}`, ...paths.flatMap((path) => ['-P', path]));
  for (const fault of faults) options.push('-e', `inject=${fault}`);
  const tracer = spawn('strace', options, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  tracer.stderr.on('data', (data) => {
    said += data;
  });
  const ended = new Promise((resolve) => tracer.once('close', resolve));
  const end = async () => {
    if (tracer.exitCode === null) tracer.kill('SIGINT'); // it lets go of the server
    await ended;
    return (readFileSync(trace, 'utf8').match(/\((INJECTED|DELAYED)\)/g) ?? []).length;
  };
  t.after(end);
  await attached(server.pid, tracer, () => said);
  return { end };
}

/** Waits until every thread has its tracer. */
async function attached(pid, tracer, said) {
  const traced = (thread) => {
    try {
      return /TracerPid:\t[1-9]/.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'));
    } catch {
      return true; // a thread that has just ended
    }
  };
  const limit = performance.now() + 20_000;
  while (!readdirSync(`/proc/${pid}/task`).every(traced)) {
    if (tracer.exitCode !== null || performance.now() > limit) throw new Error(`strace did not attach: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A folder on a file system of its own of `size` (for example 64m), or null where mounting is not allowed. */
export function smallDisk(t, size) {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder]);
  if (mounted.error || mounted.status !== 0) return null;
  t.after(() => spawnSync('umount', ['-l', folder]));
  return folder;
}

export const segmentPath = (folder, topic, partition, base = 0) =>
  join(folder, 'log', topic, String(partition), `${String(base).padStart(20, '0')}.segment`);

/** Two devices of the dataset that live in different partitions, with their first readings acknowledged. */
export async function devicesApart(post) {
  const places = new Map();
  for (let i = 0; places.size < 2; ++i) {
    const answer = await post(`device ${i}`, { number: -1 - i });
    if (answer.status !== 200) throw new Error(answer.text);
    const { partition } = answer.json();
    if (!places.has(partition)) places.set(partition, `device ${i}`);
    if (i > 100) throw new Error('all devices are in one partition');
  }
  const [first, second] = [...places];
  return [
    { partition: first[0], device: first[1] },
    { partition: second[0], device: second[1] },
  ];
}

/** One figure of /metrics. */
export function metric(text, name) {
  const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(text);
  if (found === null) throw new Error(`there is no metric ${name}`);
  return Number(found[1]);
}
