// The test engineer: recordings as if they were driven again. Files, play, drag, keys, loop, overlay, scatter, correlation, a spike
// that no zoom loses, and a recording that becomes a live device; step by step with its limits, at a desk and on a phone.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  accessibilityViolations,
  eventually,
  FORMS,
  inkOf,
  openBrowser,
  openPage,
  openServer,
  reads,
  screenshotPath,
  seesMovingLine,
  step,
} from './support.mjs';

const DATA = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'data');
const SECOND = 1_000_000;
/** Of the drive that is played: ten readings a second. */
const READINGS = 3_000;
const SPIKE = 4_321;

let server;
let browser;
/** Begin and end of the drive, µs. */
let drive;

const part = (page, name) => page.locator(`[data-testid="${name}"]`);
const address = (from, to) => `#dataset=drive&from=${from}&to=${to}`;

/** A car on a round, twice: the second begins a minute later, and a little faster. One reading of the first is a spike. */
async function postDrive() {
  const to = Date.now() - 5_000;
  const from = to - READINGS * 100;
  const lines = [];
  for (const [device, late, pace] of [
    ['car-1', 0, 1],
    ['car-2', 600, 1.1],
  ]) {
    for (let i = late; i < READINGS; i++) {
      const turn = ((i - late) / 400) * pace;
      const reading = {
        device,
        '@timestamp': new Date(from + i * 100).toISOString(),
        speed: 50 + 30 * Math.sin(turn),
        temperature: device === 'car-1' && i === 1_500 ? SPIKE : 80 + 5 * Math.sin(turn * 3),
        gear: 1 + (Math.floor(i / 150) % 5),
        mode: i % 300 < 200 ? 'eco' : 'sport',
        latitude: 45.7 + 0.02 * Math.sin(turn / 2),
        longitude: 4.8 + 0.03 * Math.cos(turn / 2),
      };
      lines.push(JSON.stringify(reading));
    }
  }
  const answer = await fetch(`${server.url}/api/v1/datasets/drive/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  assert.equal((await answer.json()).rejected, 0);
  return { from: from * 1_000, to: to * 1_000 };
}

before(async () => {
  [server, browser] = await Promise.all([openServer(), openBrowser()]);
  drive = await postDrive();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** End of the window, seconds of the day, and the page's clock at that moment. */
function head(page) {
  return page.evaluate(() => {
    const text = document.querySelector('[data-testid="head-clock"]').textContent.split(' ').at(-1);
    const [h, m, s] = text.split(':').map(Number);
    return { at: h * 3_600 + m * 60 + s, now: performance.now() };
  });
}

/** Seconds of the window's end that pass in a second of the clock. */
async function pace(page, ms) {
  const begun = await head(page);
  await page.waitForTimeout(ms);
  const ended = await head(page);
  return (ended.at - begun.at) / ((ended.now - begun.now) / 1_000);
}

/** The window moves at `rate`, within a share of `wrong`. One measurement may be spoiled by a busy machine: then two others decide. */
async function holdsPace(page, rate, wrong, who) {
  const holds = async () => {
    const measured = await pace(page, 1_600);
    console.log(`${who}: ${rate}× asked for, ${measured.toFixed(3)}× measured`);
    return Math.abs(measured / rate - 1) < wrong;
  };
  if (await holds()) return;
  assert.ok((await holds()) && (await holds()), `${who}: ${rate}× was asked for`);
}

async function rests(page) {
  const { at } = await head(page);
  await page.waitForTimeout(150);
  return (await head(page)).at === at;
}

/** A file of the samples without its last `less` lines: the server knows the whole one already. */
function sample(folder, begin, less) {
  const file = readdirSync(join(DATA, folder)).find((name) => name.startsWith(begin));
  const lines = readFileSync(join(DATA, folder, file), 'utf8')
    .trimEnd()
    .split('\n');
  return { name: file, buffer: Buffer.from(`${lines.slice(0, -less).join('\n')}\n`), mimeType: 'text/csv' };
}

async function openDrive(page, from, to) {
  await page.goto('about:blank');
  await page.goto(`${server.url}/${address(from, to)}`);
  const panel = part(page, 'line-panel').first();
  await panel.waitFor();
  const canvas = panel.locator('canvas');
  await eventually('the line', async () => {
    // What comes above it moves it away again.
    await panel.scrollIntoViewIfNeeded();
    return (await canvas.count()) > 0 && (await inkOf(canvas)).colored > 20;
  });
}

for (const { name, width, height } of FORMS) {
  describe(`the test engineer, ${name}`, { timeout: 180_000 }, () => {
    let page;
    let context;
    let troubles;

    before(async () => {
      ({ context, page, troubles } = await openPage(browser, { width, height }));
    });

    after(async () => {
      await context?.close();
    });

    it('T1: drops three recordings; each is looked at where it was recorded', async () => {
      await page.goto(`${server.url}/#/files`);
      for (const [folder, begin, date] of [
        ['corolla', 'ORNEK_200KM', '2022-03-18'],
        ['wt200', 'WT200_2024-03-05T06-00', '2024-03-05'],
        ['x46789', 'X46789_2018-01-19T05-37', '2018-01-19'],
      ]) {
        const file = sample(folder, begin, FORMS.findIndex((form) => form.name === name) + 1);
        file.name = `${name} ${file.name}`;
        await part(page, 'csv-file').setInputFiles(file);
        const card = page.getByRole('region', { name: file.name });
        await card.locator('[data-testid=preview]').waitFor({ timeout: 20_000 });
        await reads(() => card.textContent(), new RegExp(date));
        const chart = part(page, 'file-chart').locator('canvas').first();
        await step(
          `T1: ${folder} is loaded and drawn`,
          3_000,
          () => card.locator('[data-testid=accept]').click(),
          async () => (await chart.count()) > 0 && (await inkOf(chart)).colored > 50,
        );
        await page.goto(`${server.url}/#/files`);
        await part(page, 'files').waitFor();
      }
    });

    it('T1: opens a drive of an hour ago, of a car that has been silent since', async () => {
      const from = Date.now() - 3_600_000;
      const readings = Array.from({ length: 300 }, (_, i) => ({
        ...{ device: 'car-9', '@timestamp': new Date(from + i * 100).toISOString(), speed: 40 + 9 * Math.sin(i / 9) },
      }));
      const answer = await page.request.post(`${server.url}/api/v1/datasets/old_${name}/events`, {
        headers: { 'content-type': 'application/x-ndjson' },
        data: readings.map((reading) => JSON.stringify(reading)).join('\n'),
      });
      assert.equal(answer.status(), 200);
      await page.goto('about:blank');
      await page.goto(`${server.url}/#dataset=old_${name}&from=${from * 1_000}&to=${(from + 30_000) * 1_000}`);
      const canvas = part(page, 'line-panel').first().locator('canvas');
      await eventually('its line', async () => (await canvas.count()) > 0 && (await inkOf(canvas)).colored > 20);
      await reads(() => part(page, 'mode').textContent(), /Paused/);
    });

    it('T2: plays the drive at 1, 10 and 100 times its pace; map and numbers follow', async () => {
      await openDrive(page, drive.from, drive.from + 15 * SECOND);
      const place = part(page, 'track-panel').locator('.values');
      await part(page, 'track-panel').scrollIntoViewIfNeeded();
      await eventually('a place', async () => /\d°/.test(await place.textContent()));
      const begun = await place.textContent();
      await part(page, 'rate-select').selectOption('1');
      await step(
        'T2: it plays',
        100,
        () => part(page, 'play').click(),
        async () => /Playing 1×/.test(await part(page, 'mode').textContent()),
      );
      for (const [rate, wrong] of [
        [1, 0.1],
        [10, 0.03],
        [100, 0.03],
      ]) {
        if (rate > 1) await part(page, 'rate-select').selectOption(String(rate));
        await eventually('the badge says it', async () =>
          (await part(page, 'mode').textContent()).includes(`${rate}×`),
        );
        await holdsPace(page, rate, wrong, `T2 (${name})`);
      }
      await page.keyboard.press('p');
      await eventually('the car has moved', async () => (await place.textContent()) !== begun);
      await eventually('the address says no more of it', () => !/play=/.test(page.url()));
    });

    it('T3: drags the frame, moves it by keys, stops and goes on with Space', async () => {
      await openDrive(page, drive.from + 100 * SECOND, drive.from + 115 * SECOND);
      const track = await part(page, 'timeline').boundingBox();
      const thumb = await part(page, 'thumb').boundingBox();
      const canvas = part(page, 'line-panel').first().locator('canvas');
      const before = await inkOf(canvas);
      const { at } = await head(page);
      const y = track.y + track.height / 2;
      await page.mouse.move(thumb.x + thumb.width / 2, y);
      await page.mouse.down();
      await page.mouse.move(thumb.x + thumb.width / 2 - 10, y, { steps: 2 });
      await step(
        'T3: the picture follows the frame',
        50,
        () => page.mouse.move(thumb.x + thumb.width / 2 - 30, y),
        async () => (await inkOf(canvas)).sum !== before.sum,
      );
      await page.mouse.up();
      const dragged = (await head(page)).at;
      assert.ok(dragged < at, 'it went back');
      await part(page, 'thumb').focus();
      await page.keyboard.press('Shift+ArrowLeft');
      await eventually('a second back', async () => Math.abs((await head(page)).at - dragged + 1) < 0.11);
      for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
      await eventually('five readings forward', async () => Math.abs((await head(page)).at - dragged + 0.5) < 0.11);
      await page.locator('h1').focus();
      await part(page, 'rate-select').selectOption('1');
      await part(page, 'play').click();
      await page.locator('h1').focus();
      await page.keyboard.press(' ');
      await eventually('it stands still', () => rests(page));
      await page.keyboard.press(' ');
      await eventually('it goes on', async () => !(await rests(page)));
      await page.keyboard.press(' ');
    });

    it('T4: plays backwards, and round in a stretch; a reload goes on with it', async () => {
      await openDrive(page, drive.from + 100 * SECOND, drive.from + 115 * SECOND);
      await part(page, 'rate-select').selectOption('10');
      await part(page, 'reverse').click();
      await holdsPace(page, -10, 0.1, `T4 (${name})`);
      await page.keyboard.press('r');
      await part(page, 'loop').click();
      await eventually('the address says it', () => /loop=\d+/.test(page.url()));
      const canvas = part(page, 'line-panel').first().locator('canvas');
      const inks = [];
      for (let i = 0; i < 12; i++) inks.push((await inkOf(canvas)).colored);
      assert.ok(Math.min(...inks) > 20, 'never without a line');
      await page.reload();
      await part(page, 'loop').waitFor();
      await eventually('it loops', async () => (await part(page, 'loop').getAttribute('aria-pressed')) === 'true');
      await part(page, 'loop').click();
      await part(page, 'to-live').click();
      await eventually('it is live', async () => /Live/.test(await part(page, 'mode').textContent()));
    });

    it('T5: lays the second drive over the first, both from their starts, and reads the difference', async () => {
      await openDrive(page, drive.from + 10 * SECOND, drive.from + 40 * SECOND);
      const canvas = part(page, 'line-panel').first().locator('canvas');
      const alone = await inkOf(canvas);
      await part(page, 'overlay').click();
      await page.locator('#overlay-choice select').selectOption('car-2');
      await page.getByRole('button', { name: 'First event of the device' }).click();
      await step(
        'T5: a second, dashed line',
        300,
        () => page.locator('#overlay-choice button[type="submit"]').click(),
        async () => (await inkOf(canvas)).sum !== alone.sum,
      );
      await eventually('the address says it', () => /overlay=\d+/.test(page.url()));
      await eventually('the difference is said', async () =>
        /\([+-][\d.,]+\)/.test(await part(page, 'line-panel').locator('.values').first().textContent()),
      );
      const path = screenshotPath(`test-engineer-overlay-${name}`);
      if (path !== null) await page.screenshot({ path });
      await part(page, 'overlay').click();
      await page.getByRole('button', { name: 'Remove' }).click();
      await eventually('it is gone', () => !/overlay=/.test(page.url()));
    });

    it('T6, T7: relates fields of a file: matrix, scatter, marks on all charts; compares two files', async () => {
      await page.goto(`${server.url}/#/files`);
      await page.locator('[data-file="WT200_2024-03-05T06-00-00Z.csv"]').click({ timeout: 20_000 });
      const profile = page.locator('[data-testid=profile]');
      await profile.waitFor({ timeout: 20_000 });
      await reads(() => profile.textContent(), /wind_speed_80m/);
      const chart = page.locator('[data-testid=file-chart]', { hasText: 'wind_speed_80m' }).locator('canvas');
      const drawn = await eventually('a line is drawn', async () => {
        const ink = await inkOf(chart);
        return ink.colored > 50 ? ink : null;
      });

      const figure = page.locator('[data-testid=file-chart]', { hasText: 'wind_speed_80m' });
      await reads(() => figure.locator('.file-chart-box').getAttribute('aria-label'), /lowest [\d.]+, highest [\d.]+/);
      await figure.locator('[data-testid=as-table]').focus();
      await page.keyboard.press('Enter');
      await part(page, 'chart-table').waitFor();
      assert.ok((await page.locator('[data-testid=chart-table] tbody tr').count()) > 50);
      await page.keyboard.press('Escape');
      assert.deepEqual(await accessibilityViolations(page), []);

      const scatter = page.locator('.scatter-box');
      await scatter.scrollIntoViewIfNeeded();
      await eventually('dots are drawn', async () => (await inkOf(scatter.locator('canvas'))).colored > 50);
      const box = await scatter.boundingBox();
      await page.mouse.move(box.x + box.width * 0.3, box.y + 12);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width - 12, box.y + box.height * 0.8, { steps: 4 });
      await step(
        'T6: the marked rows are seen on a chart',
        100,
        () => page.mouse.up(),
        async () => (await inkOf(chart)).sum !== drawn.sum,
      );
      await page.locator('[data-testid=marked]').waitFor({ timeout: 5_000 });

      const matrix = page.locator('.matrix-box');
      await matrix.focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      const pair = await inkOf(scatter.locator('canvas'));
      await step(
        'T7: the pair of a cell is drawn',
        500,
        () => page.keyboard.press('Enter'),
        async () => (await inkOf(scatter.locator('canvas'))).sum !== pair.sum && /[?&]x=.+&y=/.test(page.url()),
      );

      const alone = await inkOf(chart);
      await page.locator('[data-testid=compare]').selectOption({ label: 'WT200_2024-03-05T06-30-00Z.csv' });
      await page.getByText('Both files begin at 0:00').waitFor({ timeout: 20_000 });
      await eventually('both lines are drawn', async () => {
        const ink = await inkOf(chart);
        return ink.colored > 50 && ink.sum !== alone.sum;
      });
      await reads(() => page.url(), /versus=/);
    });

    it('T8: zooms out to a day; a spike of one reading is there at every zoom, as high', async () => {
      const middle = drive.from + 150 * SECOND;
      await openDrive(page, middle - 10 * SECOND, middle + 10 * SECOND);
      const panel = page.locator('[data-testid="line-panel"][data-field="temperature"]');
      await panel.scrollIntoViewIfNeeded();
      const told = `highest ${SPIKE.toLocaleString('en-US')} `;
      await eventually('it is told', async () =>
        (await panel.locator('.plot').getAttribute('aria-label')).includes(told),
      );
      const span = () => {
        const [, from, to] = /from=(\d+)&to=(\d+)/.exec(page.url()).map(Number);
        return (to - from) / SECOND;
      };
      const canvas = panel.locator('canvas');
      let zooms = 0;
      for (let seconds = span(); seconds < 86_400 && zooms < 40; zooms++) {
        const before = page.url();
        const { sum } = await inkOf(canvas);
        await step(
          `T8: from ${Math.round(seconds)} s outwards`,
          100,
          () => page.keyboard.press('-'),
          async () =>
            (await inkOf(canvas)).sum !== sum &&
            (await panel.locator('.plot').getAttribute('aria-label')).includes(told),
        );
        await eventually('the address follows', () => page.url() !== before);
        // The picture of the new window has come, and the spike is in it.
        await eventually('it is drawn up to the top', () => reachesTop(canvas));
        seconds = span();
      }
      assert.ok(span() >= 86_400, `${span()} s`);
    });

    it('T10: makes a live device of a recording', async () => {
      await page.goto(`${server.url}/#/files`);
      const files = page.locator('[data-testid=files]');
      await files.locator('button', { hasText: `${name}_WT200` }).click();
      await part(page, 'stream-it').click();
      await part(page, 'streaming').waitFor({ timeout: 10_000 });
      await page.goto(`${server.url}/#/devices`);
      const list = page.locator('[data-testid=device-list]');
      await page.getByRole('searchbox', { name: 'Find a device' }).fill(name);
      await eventually('it sends', async () => /live/.test(await list.textContent()), 20_000);
      const { datasets } = await (await page.request.get(`${server.url}/api/v1/datasets`)).json();
      const { name: made } = datasets.find((d) => d.name.startsWith(`${name}_WT200`));
      await page.goto(`${server.url}/#dataset=${encodeURIComponent(made)}&window=15s`);
      await seesMovingLine(page.locator('[data-dataset]').first());
    });

    it('nothing went wrong meanwhile', () => {
      assert.deepEqual(troubles, []);
    });
  });
}

/** Whether a coloured pixel is in the upper quarter of the canvas: a curve of 80 beside a spike of 4,321 stays at its foot. */
function reachesTop(canvas) {
  return canvas.evaluate((element) => {
    const copy = new OffscreenCanvas(element.width, element.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(element, 0, 0);
    const { data } = copy.getImageData(0, 0, element.width, Math.floor(element.height / 4));
    for (let i = 0; i < data.length; i += 4) {
      if (
        data[i + 3] > 80 &&
        Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 30
      )
        return true;
    }
    return false;
  });
}
