// The dashboard in a real browser, against the real server: every dataset's line moves, Space pauses and resumes, a lost server
// is shown and survived, and nothing goes wrong in the console, the network or the policy. What people do with it, step by step,
// is in newcomer, data_engineer, test_engineer and operator.
//
//   node --test tests/browser/          IOTSTREAM_URL tests a running server, IOTSTREAM_SCREENSHOTS keeps pictures.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import {
  eventually,
  inkOf,
  openBrowser,
  openPage,
  openServer,
  reads,
  screenshotPath,
  seesMovingLine,
  WHILE_AWAY,
} from './support.mjs';

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([openServer(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function openDashboard(hash = '', options = {}) {
  const opened = await openPage(browser, options);
  await opened.page.goto(`${server.url}/${hash}`);
  await opened.page.locator('[data-dataset]').first().waitFor({ timeout: 10_000 });
  return opened;
}

function modeOf(page) {
  return page.locator('[data-testid="mode"]').textContent();
}

describe('the dashboard', { timeout: 180_000 }, () => {
  it('shows a moving line of every dataset, without configuration', async () => {
    const { context, page, troubles } = await openDashboard();
    const answer = await (await page.request.get(`${server.url}/api/v1/datasets`)).json();
    const names = answer.datasets.map((d) => d.name);
    assert.ok(names.length >= 3, `three datasets are expected, there are: ${names.join(', ')}`);
    for (const name of names) {
      const section = page.locator(`[data-dataset="${name}"]`);
      await section.scrollIntoViewIfNeeded();
      await seesMovingLine(section);
    }
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('says rate, latency and connection in its head', async () => {
    const { context, page, troubles } = await openDashboard();
    await eventually('a rate', async () =>
      /^[\d.,]+\/s$/.test(await page.locator('[data-testid="rate"]').textContent()),
    );
    await eventually('a latency', async () =>
      /^\d.* (ms|s)$/.test(await page.locator('[data-testid="latency"]').textContent()),
    );
    await reads(() => page.locator('[data-testid="connection"]').textContent(), /Connected/);
    console.log(`latency shown, event time to pixel: ${await page.locator('[data-testid="latency"]').textContent()}`);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('stands still while paused and moves again when resumed', async () => {
    const { context, page, troubles } = await openDashboard();
    const section = page.locator('[data-dataset]').first();
    await seesMovingLine(section);
    await page.keyboard.press(' ');
    await eventually('the mode is Paused', async () => (await modeOf(page)).includes('Paused'));
    const canvas = section.locator('[data-testid="line-panel"] canvas').first();
    // The picture comes to rest once the last rows of the window, and at most one answer from the history, are drawn.
    let last = null;
    await eventually('the picture rests', async () => {
      const { sum } = await inkOf(canvas);
      await page.waitForTimeout(700);
      const rests = last === sum;
      last = sum;
      return rests;
    });
    await page.keyboard.press(' ');
    await eventually('the mode is Live', async () => (await modeOf(page)).includes('Live'));
    await seesMovingLine(section);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('shows a new dataset without a reload', async () => {
    const { context, page, troubles } = await openDashboard();
    const name = `greenhouse-${Date.now()}`;
    const began = performance.now();
    const answer = await page.request.post(`${server.url}/api/v1/datasets/${name}/events`, {
      data: { device: 'bed 1', moisture: 41.5, pump: false },
    });
    assert.equal(answer.status(), 200);
    const section = page.locator(`[data-dataset="${name}"]`);
    await section.waitFor({ state: 'attached', timeout: 5_000 });
    console.log(`first event → its dashboard: ${Math.round(performance.now() - began)} ms`);
    await section.scrollIntoViewIfNeeded();
    await section.locator('[data-field="moisture"]').first().waitFor({ timeout: 5_000 });
    await section.locator('[data-field="pump"]').first().waitFor({ timeout: 5_000 });
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('fits a phone without scrolling sideways', async () => {
    for (const width of [360, 390]) {
      const { context, page, troubles } = await openDashboard('', { width, height: 780, ratio: 2 });
      await seesMovingLine(page.locator('[data-dataset]').first());
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(overflow, 0, `${overflow} px too wide at ${width}`);
      assert.deepEqual(troubles, []);
      await context.close();
    }
  });

  it('changes its language without a reload, and remembers it', async () => {
    const { context, page, troubles } = await openDashboard();
    await page.evaluate(() => {
      window.unloaded = false;
    });
    await page.locator('[data-testid="language"]').click();
    await eventually('the mode is in French', async () => (await modeOf(page)).includes('Direct'), 2_000);
    await reads(() => page.evaluate(() => document.documentElement.lang), 'fr');
    assert.equal(await page.evaluate(() => window.unloaded), false, 'nothing was loaded again');
    await reads(() => page.url(), /lang=fr/);
    await page.goto('about:blank');
    await page.goto(`${server.url}/`);
    await eventually('a new visit is in French', async () => (await modeOf(page)).includes('Direct'), 5_000);
    await page.locator('[data-testid="language"]').click();
    await eventually('back to English', async () => (await modeOf(page)).includes('Live'), 2_000);
    await reads(() => page.url(), /^(?!.*lang=)/);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('says that a screen does not exist, and leads home with the focus on the heading', async () => {
    const { context, page, troubles } = await openPage(browser);
    await page.goto(`${server.url}/#/nowhere?window=5m`);
    await page.getByText('There is no screen named nowhere.').waitFor({ timeout: 5_000 });
    await page.locator('main a').click();
    await page.locator('[data-dataset]').first().waitFor({ timeout: 5_000 });
    await reads(() => page.url(), /#window=5m$/);
    await eventually(
      'the heading has the focus',
      async () => (await page.evaluate(() => document.activeElement?.tagName)) === 'H1',
    );
    await page.goBack();
    await page.getByText('There is no screen named nowhere.').waitFor({ timeout: 5_000 });
    assert.deepEqual(troubles, []);
    await context.close();
  });

  for (const scheme of ['dark', 'light']) {
    for (const width of [1440, 390]) {
      it(`looks as it should: ${scheme}, ${width} px`, async () => {
        const { context, page, troubles } = await openDashboard('', {
          width,
          height: width > 500 ? 900 : 844,
          scheme,
          ratio: width > 500 ? 1 : 2,
        });
        await seesMovingLine(page.locator('[data-dataset]').first());
        const path = screenshotPath(`dashboard-${scheme}-${width}`);
        if (path !== null) await page.screenshot({ path });
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const light = Number(/\d+/.exec(background)[0]) > 128;
        assert.equal(light, scheme === 'light');
        assert.deepEqual(troubles, []);
        await context.close();
      });
    }
  }

  it('shows the loss of the server within two seconds, and survives it', async (t) => {
    if (server.restart === null) {
      t.skip('the server was given by IOTSTREAM_URL and is not this test’s to stop');
      return;
    }
    const { context, page, troubles } = await openDashboard();
    const section = page.locator('[data-dataset]').first();
    await seesMovingLine(section);
    let noticed = 0;
    const startedAt = await server.restart(async () => {
      const gone = performance.now();
      await page.locator('[data-testid="stale"]').waitFor({ timeout: 5_000 });
      noticed = performance.now() - gone;
    });
    assert.ok(noticed < 2_000, `noticed after ${Math.round(noticed)} ms`);
    await eventually('connected again', async () => (await page.locator('[data-testid="stale"]').count()) === 0);
    await seesMovingLine(section);
    console.log(`start of the process → moving line in an open page: ${Math.round(performance.now() - startedAt)} ms`);
    assert.deepEqual(
      troubles.filter((trouble) => !WHILE_AWAY.test(trouble)),
      [],
    );
    await context.close();
  });
});
