import { defineConfig } from 'vitest/config';

// The server of `npm run dev` passes the interface on to a running iotstream (or the mock).
const target = process.env.IOTSTREAM_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/',
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsDir: 'assets',
    // An inlined asset would be a data: address in the style sheet, which the policy allows only for pictures.
    assetsInlineLimit: 0,
    // The polyfill is needed by no browser that the dashboard supports, and would cost bytes on every load.
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
    // tests/size.mjs reads from it what the first load consists of; it is not embedded.
    manifest: true,
    rolldownOptions: {
      output: {
        // Every screen's entry is named index.tsx: its folder says more.
        chunkFileNames: (chunk) => {
          const screen = /screens\/(\w+)\/index\.tsx$/.exec(chunk.facadeModuleId ?? '')?.[1];
          return screen === undefined ? 'assets/[name]-[hash].js' : `assets/screen-${screen}-[hash].js`;
        },
      },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': { target, ws: true }, '/metrics': { target } },
  },
  test: { include: ['tests/**/*.test.ts'] },
});
