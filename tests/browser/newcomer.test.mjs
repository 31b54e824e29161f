// The newcomer: does it work? From the start of the program to a link for somebody else, step by step with its limits, at a desk and
// on a phone; anything wrong in the console, the network or the policy fails it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  accessibilityViolations,
  dropFile,
  eventually,
  FORMS,
  inkOf,
  longestGap,
  openBrowser,
  openPage,
  openServer,
  reads,
  screenshotPath,
  seesMovingLine,
  step,
  timesOf,
} from './support.mjs';

let server;
let browser;
let opened;

const nothing = async () => undefined;

before(async () => {
  browser = await openBrowser();
  opened = await openPage(browser);
  server = await openServer();
});

/** A boat that goes on and on, with its position; the samples of the car begin before its receiver has a fix. */
let sailing;
async function sail() {
  for (let n = 0; sailing; n++) {
    const reading = { device: 'boat-1', latitude: 45.7 + n / 2_000, longitude: 4.8 + Math.sin(n / 9) / 900, knots: 5 };
    await fetch(`${server.url}/api/v1/datasets/boat/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(reading),
    }).catch(nothing);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

after(async () => {
  sailing = false;
  await browser?.close();
  await server?.stop();
});

const part = (page, name) => page.locator(`[data-testid="${name}"]`);
const modeOf = (page) => part(page, 'mode').textContent();

/** A file of 400 readings, and one line that is none. */
function recording() {
  const rows = ['time;speed (km/h);mode;level'];
  for (let i = 0; i < 400; i++) {
    const at = new Date(Date.UTC(2024, 2, 5, 6, 0, i)).toISOString().replace('T', ' ').slice(0, 19);
    rows.push(`${at};${(50 + 30 * Math.sin(i / 20)).toFixed(2)};${i % 50 < 25 ? 'eco' : 'sport'};${i}`);
  }
  rows.splice(101, 0, 'not a row;1;2;3;4;5;6');
  return `${rows.join('\n')}\n`;
}

/** All texts inside, apart from each other. */
function textsOf(element) {
  return element.evaluate((root) => {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    let all = '';
    while (texts.nextNode()) all += `${texts.currentNode.data} | `;
    return all;
  });
}

/** Of the first two datasets, which are of machines and cars. */
const MACHINE = '[data-dataset="1"]';
const CAR = '[data-dataset="2"]';

describe('the newcomer, at the start', { timeout: 60_000 }, () => {
  it('N1, N2: starts it and sees a line move', async () => {
    const { context, page, troubles } = opened;
    console.log(`N1: ready in ${server.readyMs} of 50 ms`);
    const canvas = page.locator('[data-testid="line-panel"] canvas').first();
    await page.goto(server.url);
    await eventually('a line', async () => (await canvas.count()) > 0 && (await inkOf(canvas)).colored > 20);
    const pressed = () => page.locator('.segments button[aria-pressed=true]').textContent();
    assert.equal(await pressed(), '15s', 'nothing is older');
    console.log(`N2: a line ${Math.round(performance.now() - server.started)} of 1000 ms after the start`);
    await seesMovingLine(page.locator(MACHINE));
    assert.equal(await page.title(), 'iotstream');
    await eventually('all devices are live', async () => (await page.locator('.state-word.live').count()) >= 3);
    await eventually('the usual window', async () => (await pressed()) === '1m', 20_000);
    assert.doesNotMatch(page.url(), /window=/, 'nobody chose one');
    assert.deepEqual(troubles, []);
    await context.close();
    sailing = true;
    void sail();
  });
});

for (const { name, width, height } of FORMS) {
  describe(`the newcomer, ${name}`, { timeout: 120_000 }, () => {
    let page;
    let context;
    let troubles;

    before(async () => {
      ({ context, page, troubles } = await openPage(browser, { width, height }));
      await page.goto(`${server.url}/#window=15s`);
      await seesMovingLine(page.locator(MACHINE));
    });

    after(async () => {
      await context?.close();
    });

    it('N3, N4: finds charts with units, tiles, a map that follows the crosshair, and how many fields are in use', async () => {
      const car = page.locator(CAR);
      await car.scrollIntoViewIfNeeded();
      await car.locator('[data-testid="field-count"]').waitFor();
      await reads(() => car.locator('[data-testid="field-count"]').textContent(), /\d+ of \d+ fields used, \d+ empty/);
      const machine = page.locator(MACHINE);
      await eventually('four tiles', async () => (await machine.locator('[data-testid="tile"]').count()) === 4);
      const values = machine.locator('[data-testid="tile"] .reading b');
      await eventually('with values', async () => (await values.allTextContents()).every((text) => /\d/.test(text)));
      await eventually('four charts', async () => (await car.locator('[data-testid="line-panel"]').count()) >= 4);
      assert.ok((await car.locator('[data-testid="line-panel"] .unit').count()) >= 2, 'units are said');
      const map = page.locator('[data-dataset="boat"] [data-testid="track-panel"]');
      await map.scrollIntoViewIfNeeded();
      await eventually('the track is drawn', async () => (await inkOf(map.locator('canvas'))).colored > 20);
      const place = map.locator('.values');
      const now = await place.textContent();
      const chart = page.locator('[data-dataset="boat"] .plot').first();
      await chart.scrollIntoViewIfNeeded();
      const box = await chart.boundingBox();
      await step(
        'N4: the map shows where it was',
        50,
        () => page.mouse.move(box.x + box.width - 40, box.y + box.height / 2),
        async () => (await place.textContent()) !== now,
      );
      await page.mouse.move(1, 1);
      const path = screenshotPath(`newcomer-${name}`);
      if (path !== null) await page.screenshot({ path });
    });

    it('N4: points at a chart; every chart says what it had there', async () => {
      const machine = page.locator(MACHINE);
      await machine.scrollIntoViewIfNeeded();
      const plots = machine.locator('[data-testid="line-panel"] .plot');
      await plots.first().scrollIntoViewIfNeeded();
      const box = await plots.first().boundingBox();
      await step(
        'N4: crosshairs on all charts in sight',
        50,
        () => page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2),
        async () => (await machine.locator('.plot .cross:visible').count()) >= 2,
      );
      await page.mouse.move(1, 1);
      await eventually('none without a pointer', async () => (await page.locator('.cross:visible').count()) === 0);
    });

    it('N4: scrolls a chart away that has the crosshair; it is gone with the pointer all the same', async () => {
      const plot = page.locator(`${MACHINE} [data-testid="line-panel"] .plot`).first();
      await plot.focus();
      await page.keyboard.press('End');
      await eventually('the crosshair stands', async () => (await page.locator('.cross:visible').count()) > 0);
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      // Two frames: the page learns what is on the screen.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await plot.evaluate((element) => element.blur());
      await eventually('none is left', async () => (await page.locator('.cross:visible').count()) === 0);
      await plot.scrollIntoViewIfNeeded();
      await eventually('none comes back', async () => (await page.locator('.cross:visible').count()) === 0);
    });

    it('N4: reads a chart by keys and as a table', async () => {
      const panel = page.locator(`${MACHINE} [data-testid="line-panel"]`).first();
      await panel.locator('.plot').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('ArrowLeft');
      await eventually('the value is said', async () =>
        /^\d\d:\d\d:\d\d\.\d{3}: .*\d/.test(await page.locator('#chart-said').textContent()),
      );
      await page.keyboard.press('Escape');
      await eventually('the crosshair is gone', async () => (await page.locator('.cross:visible').count()) === 0);
      await panel.locator('[data-testid="as-table"]').focus();
      await page.keyboard.press('Enter');
      await part(page, 'chart-table').waitFor();
      assert.ok((await timesOf(page)).length > 20);
      assert.deepEqual(await accessibilityViolations(page), []);
      await page.keyboard.press('Escape');
      assert.equal(
        await page.evaluate(() => document.activeElement.dataset.testid),
        'as-table',
        'the focus comes back',
      );
    });

    it('N5: drags over a stretch; every chart zooms to it, and the address says so', async () => {
      const machine = page.locator(MACHINE);
      const plot = machine.locator('.plot').first();
      await plot.scrollIntoViewIfNeeded();
      const canvases = machine.locator('[data-testid="line-panel"] canvas');
      const box = await plot.boundingBox();
      const middle = box.y + box.height / 2;
      await page.mouse.move(box.x + box.width * 0.5, middle);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.7, middle, { steps: 3 });
      await page.mouse.move(box.x + box.width * 0.9, middle, { steps: 3 });
      const other = await inkOf(canvases.nth(1));
      await step(
        'N5: the other chart follows',
        100,
        () => page.mouse.up(),
        async () => (await inkOf(canvases.nth(1))).sum !== other.sum && /Paused · \d/.test(await modeOf(page)),
      );
      await eventually('the address says it', () => /from=\d+&to=\d+/.test(page.url()));
      await page.mouse.move(1, 1);
    });

    it('N6: goes back to live; the line has no gap', async () => {
      await page.waitForTimeout(1_500);
      await step(
        'N6: live again',
        100,
        () => part(page, 'mode').click(),
        async () => (await modeOf(page)).includes('Live'),
      );
      await seesMovingLine(page.locator(MACHINE));
      // Ten readings a second; a busy machine may be late with some, but none of them is left out.
      const gap = await longestGap(page, page.locator(MACHINE));
      assert.ok(gap < 1, `${gap} s without a reading`);
    });

    it('N7: asks for more than there is; is told so, and led to what there is', async () => {
      await step(
        'N7: the notice',
        100,
        () => page.getByRole('button', { name: '15m', exact: true }).click(),
        async () => (await page.getByText(/Events begin at/).count()) > 0,
      );
      await page.getByRole('button', { name: 'Fit to the data' }).first().click();
      await eventually('a fitting window', async () => (await page.getByText(/Events begin at/).count()) === 0);
      await eventually('the address follows', () => !/window=15m/.test(page.url()));
      await seesMovingLine(page.locator(MACHINE));
    });

    it('N8: drops a recording; sees what is in it, takes it, has its charts', async () => {
      const file = `drive ${name}.csv`;
      const card = page.getByRole('region', { name: file });
      await step(
        'N8: the preview',
        1_000,
        () => dropFile(page, file, recording()),
        async () => (await card.locator('[data-testid=preview]').count()) > 0,
      );
      const read = (id) => card.locator(`[data-testid=${id}]`);
      assert.equal(await read('separator').inputValue(), ';');
      assert.equal(await read('time-column').inputValue(), 'time');
      assert.equal(await read('preview-rows').textContent(), '400');
      assert.equal(await read('preview-bad').textContent(), '1');
      await read('preview-errors').locator('summary').click();
      await reads(() => read('preview-errors').textContent(), /Line 102/);
      const chart = page.locator('[data-testid=file-chart] canvas').first();
      await step(
        'N8: its charts',
        3_000,
        () => read('accept').click(),
        async () => (await chart.count()) > 0 && (await inkOf(chart)).colored > 20,
      );
      await page.goto(`${server.url}/#window=15s`);
      await seesMovingLine(page.locator(MACHINE));
    });

    it('N9: looks at the keys, reads French, takes the light; nothing is loaded again', async () => {
      await page.evaluate(() => {
        window.unloaded = false;
      });
      await page.keyboard.press('?');
      await page.locator('#shortcuts[open]').waitFor({ timeout: 2_000 });
      assert.deepEqual(await accessibilityViolations(page), [], 'the list of keys');
      await page.keyboard.press('Escape');
      await step(
        'N9: in French',
        200,
        () => part(page, 'language').click(),
        async () => (await modeOf(page)).includes('Direct'),
      );
      await part(page, 'theme').click();
      await eventually('it is light', () => page.evaluate(() => document.documentElement.dataset.theme === 'light'));
      await reads(() => page.evaluate(() => document.documentElement.lang), 'fr');
      const words = await textsOf(page.locator('body'));
      assert.doesNotMatch(
        words,
        /\b(Live|Paused|Devices|Last seen|Connected|Show|Custom|schema v|fields used|Streams)\b/,
      );
      await eventually('a decimal comma', async () => /\d,\d/.test(await textsOf(page.locator(MACHINE))));
      await part(page, 'mode').click();
      await part(page, 'stretch').waitFor();
      await reads(() => part(page, 'stretch').textContent(), /\d\d\/\d\d/);
      assert.equal(await page.evaluate(() => window.unloaded), false);
      assert.deepEqual(await accessibilityViolations(page), []);
    });

    it('N10: gives the address away; who opens it sees the same', async () => {
      await page.locator(`${MACHINE} .device`).first().click();
      await eventually('the address has what is hidden', () => /hidden=/.test(page.url()));
      const stretch = await part(page, 'stretch').textContent();
      const second = await openPage(browser, { width, height });
      await step(
        'N10: the same stretch in a second window',
        500,
        () => second.page.goto(page.url()),
        async () =>
          (await part(second.page, 'stretch').count()) > 0 &&
          (await part(second.page, 'stretch').textContent()) === stretch,
      );
      await second.page.locator(`${MACHINE} .device[aria-pressed="false"]`).first().waitFor();
      await reads(() => second.page.evaluate(() => document.documentElement.lang), 'fr');
      await reads(() => second.page.evaluate(() => document.documentElement.dataset.theme), 'light');
      assert.deepEqual(second.troubles, []);
      await second.context.close();
    });

    it('nothing went wrong meanwhile', () => {
      assert.deepEqual(troubles, []);
    });
  });
}
