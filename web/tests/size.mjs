// The budget of the first load: fails above it. Bytes after gzip -9, as the server sends them. The first load is index.html,
// its script, and the home screen with everything that these import; other screens are loaded when they are opened.

import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

// The folder to weigh: the first argument, or web/dist.
const DIST = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const LIMITS = { '.js': 80_000, '.css': 12_000, all: 150_000 };
const ENTRIES = ['index.html', 'src/screens/live/index.tsx'];

const manifest = JSON.parse(readFileSync(join(DIST, '.vite', 'manifest.json'), 'utf8'));

/** The chunk named `key` in the manifest, and what it imports, are part of `files`. */
function addChunk(key, files) {
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`${key} is not in the build`);
  if (files.has(chunk.file)) return;
  for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file);
  for (const imported of chunk.imports ?? []) addChunk(imported, files);
}

function sizeOf(file) {
  const bytes = readFileSync(join(DIST, file));
  // A font is compressed already and is sent as it is.
  return {
    plain: bytes.length,
    sent: extname(file) === '.woff2' ? bytes.length : gzipSync(bytes, { level: 9 }).length,
  };
}

const first = new Set(['index.html', 'favicon.svg']);
for (const entry of ENTRIES) addChunk(entry, first);

const totals = { '.js': 0, '.css': 0, all: 0 };
for (const file of first) {
  const { plain, sent } = sizeOf(file);
  if (extname(file) in totals) totals[extname(file)] += sent;
  totals.all += sent;
  console.log(`${String(plain).padStart(8)} ${String(sent).padStart(8)}  ${file}`);
}
let failed = totals['.js'] === 0;
for (const [kind, limit] of Object.entries(LIMITS)) {
  const over = totals[kind] > limit;
  failed ||= over;
  console.log(`${over ? 'OVER' : 'ok  '} ${kind.padEnd(5)} ${totals[kind]} of ${limit} bytes`);
}
process.exit(failed ? 1 : 0);
