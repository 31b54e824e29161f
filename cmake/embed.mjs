// node embed.mjs OUT [DIST]: packs every file of DIST, as it is, gzip and brotli, into OUT.bin, and writes OUT.cpp with the table of them.
// Without DIST the table is empty. Compressed once here, so that no request pays for it.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [out, dist] = process.argv.slice(2);
mkdirSync(dirname(out), { recursive: true });

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
};

const files = dist
  ? readdirSync(dist, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      // Notes of the build to itself.
      .filter((path) => !path.slice(dist.length).includes("/."))
      .sort()
  : [];

const chunks = [];
let position = 0;
function put(bytes) {
  const at = position;
  chunks.push(bytes);
  position += bytes.length;
  return `{begin() + ${at}, ${bytes.length}}`;
}

const rows = files.map((file) => {
  const type = types[extname(file)];
  if (!type) throw new Error(`${file}: no content type is known for this ending; add it in embed.mjs`);
  const plain = readFileSync(file);
  const gzip = gzipSync(plain, { level: 9 });
  const brotli = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  const path = `/${file.slice(dist.length).replace(/^\/+/, "")}`;
  const etag = createHash("sha256").update(plain).digest("base64url").slice(0, 22);
  const smaller = (bytes) => (bytes.length < plain.length ? put(bytes) : "{}");
  return `      {${JSON.stringify(path)}, ${JSON.stringify(type)}, "\\"${etag}\\"", ${put(plain)}, ${smaller(gzip)}, ${smaller(brotli)}},`;
});
chunks.push(Buffer.from([0]));
writeFileSync(`${out}.bin`, Buffer.concat(chunks));
writeFileSync(
  `${out}.cpp`,
  `// Made by cmake/embed.mjs.
#include "http/assets.hpp"

#include <vector>

asm(".pushsection .rodata\\n.balign 16\\n.global iotstream_assets\\niotstream_assets:\\n.incbin \\"${out}.bin\\"\\n.popsection\\n");
extern "C" const char iotstream_assets[];

namespace iotstream::http {

namespace {
[[maybe_unused]] const char* begin() { return iotstream_assets; }
}  // namespace

const std::vector<Asset>& embedded_assets() {
  static const std::vector<Asset> assets{
${rows.join("\n")}
  };
  return assets;
}

}  // namespace iotstream::http
`,
);
