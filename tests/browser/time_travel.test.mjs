// Time travel in a real browser, against the real server: play, speeds, backwards, loop, drag, keys, overlay, and the way back to
// live; the address keeps all of it. Anything wrong in the console, the network or the policy fails it.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { eventually, inkOf, openBrowser, openPage, openServer, screenshotPath, seesMovingLine } from './support.mjs';

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([openServer(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function openDataset(options = {}) {
  const opened = await openPage(browser, options);
  const { datasets } = await (await opened.page.request.get(`${server.url}/api/v1/datasets`)).json();
  await opened.page.goto(`${server.url}/#dataset=${encodeURIComponent(datasets[0].name)}&window=15s`);
  await seesMovingLine(opened.page.locator('[data-dataset]').first());
  return opened;
}

const part = (page, name) => page.locator(`[data-testid="${name}"]`);

/** End of the window, seconds of the day; only to be compared within a test. */
async function head(page) {
  const [hours, minutes, seconds] = (await part(page, 'head-clock').textContent())
    .split(' ')
    .at(-1)
    .split(':')
    .map(Number);
  return hours * 3_600 + minutes * 60 + seconds;
}

/** Seconds of the window's end that pass in a second of the clock. */
async function pace(page, ms) {
  const [from, began] = [await head(page), performance.now()];
  await page.waitForTimeout(ms);
  const [to, ended] = [await head(page), performance.now()];
  return (to - from) / ((ended - began) / 1_000);
}

describe('time travel', { timeout: 180_000 }, () => {
  it('plays the past at the chosen speed, and every panel follows', async () => {
    const { context, page, troubles } = await openDataset();
    await page.waitForTimeout(16_000);
    await part(page, 'rate-select').selectOption('0.5');
    await part(page, 'play').click();
    assert.match(await part(page, 'mode').textContent(), /0\.5×/);
    const measured = await pace(page, 4_000);
    assert.ok(Math.abs(measured - 0.5) < 0.1, `0.5 was asked for, ${measured.toFixed(3)} measured`);
    await seesMovingLine(page.locator('[data-dataset]').first());
    const tile = page.locator('[data-testid="tile"] canvas').first();
    const before = await inkOf(tile);
    await eventually('the tile follows', async () => (await inkOf(tile)).sum !== before.sum);
    await eventually('the address says it', () => /play=0\.5/.test(page.url()));
    const path = screenshotPath('time-travel-dark-1440');
    if (path !== null) await page.screenshot({ path });
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('plays backwards, and stops with Space', async () => {
    const { context, page, troubles } = await openDataset();
    await part(page, 'rate-select').selectOption('1');
    await part(page, 'reverse').click();
    assert.ok((await pace(page, 2_000)) < -0.7);
    await page.locator('h1').focus();
    await page.keyboard.press(' ');
    await eventually('it stands still', async () => Math.abs(await pace(page, 400)) < 0.01);
    await page.keyboard.press(' ');
    await eventually('it goes on', async () => (await pace(page, 400)) < -0.5);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('becomes live again when it has caught up, and by the button', async () => {
    const { context, page, troubles } = await openDataset();
    await part(page, 'rate-select').selectOption('30');
    await part(page, 'play').click();
    await eventually('it is live', async () => (await part(page, 'mode').textContent()).includes('Live'), 10_000);
    await part(page, 'reverse').click();
    await part(page, 'to-live').click();
    assert.match(await part(page, 'mode').textContent(), /Live/);
    await seesMovingLine(page.locator('[data-dataset]').first());
    assert.doesNotMatch(page.url(), /play=/);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('loops, and a reload goes on with the loop', async () => {
    const { context, page, troubles } = await openDataset();
    await page.keyboard.press(' ');
    await part(page, 'loop').click();
    await eventually('the address says it', () => /loop=\d+/.test(page.url()));
    const [, from, to] = /loop=(\d+)(?:~|%7E)(\d+)/.exec(page.url());
    assert.ok(Number(to) > Number(from));
    await page.reload();
    await part(page, 'loop').waitFor();
    await eventually('it loops', async () => (await part(page, 'loop').getAttribute('aria-pressed')) === 'true');
    assert.ok(Math.abs(await pace(page, 1_000)) > 0.5);
    await part(page, 'loop').click();
    await eventually('it has ended', async () => (await part(page, 'loop').getAttribute('aria-pressed')) === 'false');
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('is dragged and moved by keys', async () => {
    const { context, page, troubles } = await openDataset();
    const track = await part(page, 'timeline').boundingBox();
    const before = await head(page);
    await page.mouse.move(track.x + track.width - 8, track.y + track.height / 2);
    await page.mouse.down();
    await page.mouse.move(track.x + track.width / 2, track.y + track.height / 2, { steps: 6 });
    await page.mouse.up();
    const dragged = await head(page);
    assert.ok(dragged < before, 'the window went back');
    assert.match(await part(page, 'mode').textContent(), /Paused/);
    await part(page, 'thumb').focus();
    await page.keyboard.press('Shift+ArrowLeft');
    await eventually('a second back', async () => Math.abs((await head(page)) - dragged + 1) < 0.11);
    await page.keyboard.press('Shift+ArrowRight');
    await eventually('and forward', async () => Math.abs((await head(page)) - dragged) < 0.11);
    const value = Number(await part(page, 'thumb').getAttribute('aria-valuenow'));
    await page.keyboard.press('Home');
    await eventually(
      'to the first event',
      async () => Number(await part(page, 'thumb').getAttribute('aria-valuenow')) <= value,
    );
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('lays another stretch over the window', async () => {
    const { context, page, troubles } = await openDataset();
    await page.waitForTimeout(10_000);
    await page.keyboard.press(' ');
    const canvas = page.locator('[data-testid="line-panel"] canvas').first();
    let last = null;
    const rests = async () => {
      const { sum } = await inkOf(canvas);
      const same = sum === last;
      last = sum;
      await page.waitForTimeout(400);
      return same;
    };
    await eventually('the picture rests', rests);
    const alone = last;
    await part(page, 'overlay').click();
    await page.locator('#overlay-choice button[type="submit"]').click();
    await eventually('a dashed line is there', async () => (await inkOf(canvas)).sum !== alone);
    await eventually('the address says it', () => /overlay=-\d+/.test(page.url()));
    await eventually('the difference is said', async () =>
      /\([+-]?[\d.,]+\)/.test(await page.locator('[data-testid="line-panel"] .values').first().textContent()),
    );
    await part(page, 'overlay').click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await eventually('it is gone', () => !/overlay=/.test(page.url()));
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('zooms with the wheel and pans with Shift', async () => {
    const { context, page, troubles } = await openDataset();
    const box = await page.locator('.plot').first().boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    await eventually('half the window', async () => /Paused · 7/.test(await part(page, 'mode').textContent()));
    await eventually('the address says it', () => /from=\d+/.test(page.url()));
    const fromOf = () => Number(/from=(\d+)/.exec(page.url())[1]);
    const before = fromOf();
    await page.keyboard.down('Shift');
    await page.mouse.wheel(0, -200);
    await page.keyboard.up('Shift');
    await eventually('it went back', () => fromOf() < before);
    assert.deepEqual(troubles, []);
    await context.close();
  });
});
