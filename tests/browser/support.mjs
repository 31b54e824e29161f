// What the browser tests share: a server (given by IOTSTREAM_URL, or the built binary on a temporary directory), Debian's
// Chromium, a page that remembers everything that went wrong in it, and questions about the pixels of a canvas.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(join(ROOT, 'web', 'package.json'));
const { chromium } = require('playwright-core');

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const READY = /^ready (http:\/\/\S+) in (\d+) ms/m;
const READY_WITHIN_MS = 20_000;
const STOPPED_WITHIN_MS = 8_000;

/** Starts the binary; `port` 0 takes a free one. The answer has the URL, and `stop()`. */
export async function startBinary(dataDirectory, port = 0) {
  const binary = process.env.IOTSTREAM_BINARY ?? join(ROOT, 'iotstream');
  const started = performance.now();
  const child = spawn(
    binary,
    [
      ...['--config', join(ROOT, 'config', 'iotstream.toml')],
      ...['--set', `data_dir=${dataDirectory}`, '--set', `server.listen=["127.0.0.1:${port}"]`],
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let diagnostics = '';
  child.stderr.on('data', (data) => {
    diagnostics = (diagnostics + data).slice(-8_000);
  });
  const [, url, readyMs] = await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no ready line in ${READY_WITHIN_MS} ms\n${diagnostics}`)),
      READY_WITHIN_MS,
    );
    child.stdout.on('data', (data) => {
      output += data;
      const match = READY.exec(output);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready\n${diagnostics}`)));
  });
  const stop = () =>
    new Promise((resolve, reject) => {
      if (child.exitCode !== null) {
        resolve(child.exitCode);
        return;
      }
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`the server did not stop within ${STOPPED_WITHIN_MS} ms of SIGTERM`));
      }, STOPPED_WITHIN_MS);
      child.once('exit', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
      child.kill('SIGTERM');
    });
  return {
    url,
    started,
    readyMs: Number(readyMs),
    stop,
    /** SIGSTOP, SIGCONT, SIGKILL: as if the network or the machine were gone. */
    signal: (name) => child.kill(name),
    ended: new Promise((resolve) => child.once('exit', resolve)),
  };
}

/** The server to test: `own` is false when it was given by IOTSTREAM_URL. */
export async function openServer() {
  const given = process.env.IOTSTREAM_URL;
  if (given) {
    const nothing = { restart: null, signal: null, directory: null, readyMs: 0, started: performance.now() };
    return { url: given.replace(/\/$/, ''), own: false, stop: async () => 0, ...nothing };
  }
  const directory = mkdtempSync(join(tmpdir(), 'iotstream-browser-'));
  let running = await startBinary(directory);
  const port = new URL(running.url).port;
  return {
    url: running.url,
    own: true,
    directory,
    started: running.started,
    readyMs: running.readyMs,
    signal: (name) => running.signal(name),

    /** Ends the server, with SIGKILL as if by kill -9, calls `meanwhile`, starts it again on the same port; gives the start's time. */
    restart: async (meanwhile, signal = 'SIGTERM') => {
      if (signal === 'SIGTERM') await running.stop();
      else {
        running.signal(signal);
        await running.ended;
      }
      await meanwhile();
      running = await startBinary(directory, port);
      return running.started;
    },
    stop: async () => {
      const code = await running.stop();
      rmSync(directory, { recursive: true, force: true });
      return code;
    },
  };
}

export function openBrowser() {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
}

/**
 * A page and the list of what went wrong in it: console errors, exceptions, failed requests, answers of 400 and above,
 * reports of the content security policy.
 */
export async function openPage(browser, { width = 1440, height = 900, scheme = 'dark', ratio = 1 } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    deviceScaleFactor: ratio,
  });
  const page = await context.newPage();
  const troubles = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      troubles.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`exception: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => {
    // A question that a newer window made pointless is given up by the page itself.
    const reason = request.failure()?.errorText ?? '';
    if (reason !== 'net::ERR_ABORTED') troubles.push(`request failed: ${request.url()} ${reason}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) troubles.push(`answer ${response.status()}: ${response.url()}`);
  });
  await page.exposeFunction('reportPolicy', (text) => troubles.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportPolicy(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  return { context, page, troubles };
}

/** How many pixels of the canvas have a colour of their own (axes and grid are grey), and a sum over all pixels. */
export function inkOf(canvas) {
  return canvas.evaluate((element) => {
    if (element.width === 0 || element.height === 0) return { colored: 0, sum: 0 };
    // Read from a copy: reading the page's own canvas would change how the browser keeps it, and warn of it.
    const copy = new OffscreenCanvas(element.width, element.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(element, 0, 0);
    const { data } = copy.getImageData(0, 0, element.width, element.height);
    let colored = 0;
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b, a] = [data[i], data[i + 1], data[i + 2], data[i + 3]];
      sum = (Math.imul(sum, 31) + r + 256 * g + 65_536 * b + a) | 0;
      if (a > 128 && Math.max(r, g, b) - Math.min(r, g, b) > 60) colored += 1;
    }
    return { colored, sum };
  });
}

/** Waits until `question` answers something true, asking again every 50 ms; fails with `what` after `limit` ms. */
export async function eventually(what, question, limit = 10_000) {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Waits until `read` answers `wanted`, a value or a pattern, for the page follows an act when it gets round to it. What was read
 * last is in the error.
 */
export async function reads(read, wanted, limit = 10_000) {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await read();
    if (wanted instanceof RegExp ? wanted.test(answer) : answer === wanted) return;
    if (performance.now() > end) throw new Error(`not ${wanted} within ${limit} ms, but ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A busy machine may take this many times as long as the journey allows before a step fails. */
const PATIENCE = Number(process.env.IOTSTREAM_PATIENCE ?? 20);

/**
 * Acts, then waits until `question` answers something true: a step of a journey with its limit in ms, from before the act. The
 * time is printed; what is late by far fails.
 */
export async function step(name, limit, act, question) {
  const began = performance.now();
  await act();
  const end = began + Math.max(limit * PATIENCE, 3_000);
  for (;;) {
    const answer = await question();
    const took = performance.now() - began;
    if (answer) {
      console.log(`${took > limit ? 'late' : 'ok  '} ${name}: ${Math.round(took)} of ${limit} ms`);
      return answer;
    }
    if (performance.now() > end) throw new Error(`${name}: not within ${Math.round(end - began)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
}

/** Drops a file on the page, as from the desktop. */
export function dropFile(page, name, text) {
  return page.evaluate(
    ([fileName, content]) => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([content], fileName));
      const init = { dataTransfer: dropped, bubbles: true, cancelable: true };
      document.querySelector('main').dispatchEvent(new DragEvent('drop', init));
    },
    [name, text],
  );
}

/** Times of a device's readings in the table behind a chart, seconds of the day, oldest first. */
export function timesOf(page) {
  return page.locator('[data-testid="chart-table"] tbody td:first-child').evaluateAll((cells) =>
    cells
      .map((cell) => cell.textContent.split(':').map(Number))
      .map(([h, m, s]) => h * 3_600 + m * 60 + s)
      .reverse(),
  );
}

/** The longest time between two readings in the table behind the first chart of `section`, seconds. */
export async function longestGap(page, section) {
  await section.locator('[data-testid="as-table"]').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('[data-testid="chart-table"]').waitFor();
  const times = await timesOf(page);
  await page.keyboard.press('Escape');
  if (times.length < 50) throw new Error(`${times.length} readings are too few`);
  return Math.max(...times.slice(1).map((time, i) => time - times[i]));
}

/** Both sizes that every walk is made in. */
export const FORMS = [
  { name: 'desk', width: 1440, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

/** A stop of the server makes the browser itself write these; they are what is being tested. */
export const WHILE_AWAY =
  /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|WebSocket connection/;

/** The line in the first chart of `section` is drawn, and another picture follows. */
export async function seesMovingLine(section, limit = 15_000) {
  const canvas = section.locator('[data-testid="line-panel"] canvas').first();
  await canvas.waitFor({ state: 'attached', timeout: limit });
  await canvas.scrollIntoViewIfNeeded();
  const first = await eventually(
    'a line is drawn',
    async () => {
      const ink = await inkOf(canvas);
      return ink.colored > 20 ? ink : null;
    },
    limit,
  );
  await eventually(
    'the line moves',
    async () => {
      const ink = await inkOf(canvas);
      return ink.sum !== first.sum && ink.colored > 20;
    },
    limit,
  );
}

/** A path in IOTSTREAM_SCREENSHOTS, or null when none are wanted. */
export function screenshotPath(name) {
  const directory = process.env.IOTSTREAM_SCREENSHOTS;
  if (!directory) return null;
  mkdirSync(directory, { recursive: true });
  return join(directory, `${name}.png`);
}

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds against WCAG 2.2 A and AA. */
export async function accessibilityViolations(page) {
  // Through the debugger: the page's own policy stays in force, and lets no script in.
  await page.evaluate(axe);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const { violations, passes } = await page.evaluate(
    (values) => globalThis.axe.run({ runOnly: { type: 'tag', values } }),
    tags,
  );
  if (passes.length === 0) throw new Error('axe checked nothing');
  return violations.map((v) => `${v.id}: ${v.nodes.length} × ${v.nodes[0].target.join(' ')}`);
}
