// The budget of the first load: fails above it. Bytes after gzip -9, as the server sends them.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

// The folder to weigh: the first argument, or web/dist.
const DIST = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const LIMITS = { '.js': 80_000, '.css': 12_000, all: 150_000 };

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

const totals = { '.js': 0, '.css': 0, all: 0 };
for (const file of files(DIST)) {
  const bytes = readFileSync(file);
  // A font is compressed already and is sent as it is.
  const sent = extname(file) === '.woff2' ? bytes.length : gzipSync(bytes, { level: 9 }).length;
  if (extname(file) in totals) totals[extname(file)] += sent;
  totals.all += sent;
  console.log(`${String(bytes.length).padStart(8)} ${String(sent).padStart(8)}  ${file.slice(DIST.length + 1)}`);
}
let failed = totals['.js'] === 0;
for (const [kind, limit] of Object.entries(LIMITS)) {
  const over = totals[kind] > limit;
  failed ||= over;
  console.log(`${over ? 'OVER' : 'ok  '} ${kind.padEnd(5)} ${totals[kind]} of ${limit} bytes`);
}
process.exit(failed ? 1 : 0);
