// The operator: many devices, one that stops, what the server says of itself; by pointer and by keyboard, at a desk and on a phone.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  accessibilityViolations,
  eventually,
  FORMS,
  inkOf,
  longestGap,
  openBrowser,
  openPage,
  openServer,
  reads,
  seesMovingLine,
  step,
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

async function post(body) {
  const answer = await fetch(`${server.url}/api/v1/datasets/fleet/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  assert.equal((await answer.json()).rejected, 0);
}

for (const { name, width, height } of FORMS) {
  describe(`the operator, ${name}`, { timeout: 200_000 }, () => {
    let page;
    let context;
    let troubles;

    before(async () => {
      ({ context, page, troubles } = await openPage(browser, { width, height }));
      await page.goto(`${server.url}/#/devices`);
      await page.locator('[data-testid=device-list] .grid-row:not([hidden])').first().waitFor({ timeout: 15_000 });
    });

    after(async () => {
      await context?.close();
    });

    it('O1: sees a thousand devices as a list that stays light, worst first', async () => {
      const lines = [];
      for (let i = 0; i < 1_000; i++) lines.push(JSON.stringify({ device: `unit-${i}`, load: i }));
      await post(lines.join('\n'));
      const grid = page.locator('[data-testid=device-list] .grid');
      await eventually('a thousand rows', async () => Number(await grid.getAttribute('aria-rowcount')) > 1_000, 15_000);
      await page.goto('about:blank');
      await step(
        `O1 (${name}): the list of a thousand`,
        500,
        () => page.goto(`${server.url}/#/devices`),
        async () => (await grid.count()) > 0 && Number(await grid.getAttribute('aria-rowcount')) > 1_000,
      );
      assert.ok((await grid.locator('.grid-row').count()) < 60, 'only what is seen is laid out');
      await grid.focus();
      await step(
        `O1 (${name}): the last of a thousand`,
        100,
        () => page.keyboard.press('End'),
        async () => {
          const total = Number(await grid.getAttribute('aria-rowcount'));
          return Number(await grid.locator('.grid-row.active').getAttribute('aria-rowindex')) === total;
        },
      );
      await page.keyboard.press('Home');
      await page.locator('[data-testid=device-list] [data-choice=live]').click();
      await page.locator('[data-testid=device-list] [data-choice=all]').click();
    });

    it('O2: stops a device; it becomes late and moves up, and comes back', async () => {
      const card = page.locator('[data-testid=simulation-X46789]');
      await card.scrollIntoViewIfNeeded();
      await card.locator('[data-testid=toggle]').click();
      await eventually('it is paused', async () =>
        /paused/.test(await card.locator('[data-testid=state]').textContent()),
      );
      await page.getByRole('searchbox', { name: 'Find a device' }).fill('X46789');
      const row = page.locator('[data-testid=device-list] .grid-row:not([hidden])', { hasText: 'X46789' }).first();
      await eventually('it is late or lost', async () => /late|lost/.test(await row.textContent()), 20_000);
      await card.locator('[data-testid=toggle]').click();
      await eventually('it is live again', async () => /live/.test(await row.textContent()), 20_000);
    });

    it('O2: looks at the device’s rhythm and its gap, reached by keyboard', async () => {
      const grid = page.locator('[data-testid=device-list] .grid');
      await grid.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('Enter');
      const detail = page.locator('[data-testid=device-detail]');
      await detail.waitFor();
      await reads(() => detail.textContent(), /X46789/);
      await eventually('the gap of the pause', async () => /[1-9]\d* gaps/.test(await detail.textContent()), 20_000);
      await reads(() => page.url(), /device=1%2FX46789/);
      await detail.getByRole('button', { name: 'Close' }).click();
    });

    it('O1: changes pace and number of simulated devices; the rates follow', async () => {
      const card = page.locator('[data-testid=simulation-WT200]');
      await card.scrollIntoViewIfNeeded();
      await card.locator('[data-testid=period]').selectOption('500ms');
      await eventually('twice a second is expected', async () => /2\/s expected/.test(await card.textContent()));
      await card.locator('[data-testid=devices]').fill('3');
      await card.getByRole('button', { name: 'Apply' }).click();
      await eventually('three devices', async () => /6\/s expected/.test(await card.textContent()));
      await page.getByRole('searchbox', { name: 'Find a device' }).fill('wind_turbine');
      const grid = page.locator('[data-testid=device-list] .grid');
      await eventually('three rows', async () => Number(await grid.getAttribute('aria-rowcount')) >= 4, 15_000);
      await card.locator('[data-testid=period]').selectOption('1s');
      await card.locator('[data-testid=devices]').fill('1');
      await card.getByRole('button', { name: 'Apply' }).click();
      await eventually('as before', async () => /of 1\/s expected/.test(await card.textContent()));
    });

    it('O10: reads what the server says of itself', async () => {
      await page.locator('[data-testid=screen-self]').click();
      for (const id of ['self-events', 'self-socket', 'self-cpu', 'self-memory', 'self-viewers']) {
        await eventually(
          `a figure in ${id}`,
          async () => /\d/.test(await page.locator(`[data-testid=${id}]`).textContent()),
          15_000,
        );
      }
      const glass = page.locator('[data-testid=self-glass]');
      await eventually('glass to glass', async () => /\d.*(ms|µs)/.test(await glass.textContent()), 20_000);
      console.log(`O10 (${name}): event to pixel, p50 ${await glass.textContent()}`);
      assert.ok((await page.locator('[data-testid=viewers] tbody tr').count()) >= 1);
      await page.locator('.all-metrics summary b').click();
      await page.getByRole('searchbox', { name: 'Find a figure' }).fill('ingest_accepted');
      await eventually('a figure by its name', async () =>
        /ingest_accepted_total/.test(await page.locator('.metrics-body').textContent()),
      );
    });

    it('O9: nothing is cut off at twice the size', async () => {
      await page.setViewportSize({
        width: Math.max(Math.round(width / 2), 320),
        height: Math.round(height / 2),
      });
      for (const screen of ['devices', 'streams', 'self', 'explore', 'files']) {
        await page.goto(`${server.url}/#/${screen}`);
        await page.locator(`main[data-screen=${screen}]`).waitFor();
        await page.waitForTimeout(600);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(over, 0, `${screen} is cut off`);
      }
    });

    it('A: nothing that axe finds in the list of devices', async () => {
      await page.setViewportSize({ width, height });
      await page.goto(`${server.url}/#/devices`);
      await page.locator('[data-testid=device-list] .grid-row:not([hidden])').first().waitFor({ timeout: 15_000 });
      assert.deepEqual(await accessibilityViolations(page), []);
    });

    it('nothing went wrong meanwhile', () => {
      assert.deepEqual(troubles, []);
    });
  });
}

describe('the operator’s wall screen', { timeout: 120_000 }, () => {
  it('O8: says within two seconds that the network is gone; on return the hole is filled from the log', async (t) => {
    if (!server.own) return t.skip('the server is not ours to stop');
    const { context, page, troubles } = await openPage(browser);
    await page.goto(`${server.url}/#window=15s&dataset=1`);
    const section = page.locator('[data-dataset="1"]');
    await seesMovingLine(section);
    await step(
      'O8: stale is said',
      2_000,
      () => context.setOffline(true),
      async () => (await page.locator('[data-testid="stale"]').count()) > 0,
    );
    assert.match(await page.locator('[data-testid="stale"]').textContent(), /Stale since \d\d:\d\d:\d\d/);
    assert.equal(await page.locator('main').getAttribute('data-link'), 'stale');
    const panel = section.locator('.panel').first();
    assert.ok(Number(await panel.evaluate((e) => getComputedStyle(e).opacity)) < 1, 'panels step back');
    await step(
      'O8: connected again',
      500,
      () => context.setOffline(false),
      async () => (await page.locator('[data-testid="stale"]').count()) === 0,
    );
    await seesMovingLine(section);
    const gap = await longestGap(page, section);
    assert.ok(gap < 1, `${gap} s without a reading`);
    assert.deepEqual(
      troubles.filter((line) => !WHILE_AWAY.test(line)),
      [],
    );
    await context.close();
  });

  it('O7: shows panels only, and comes back by itself when the server was started again; it does not grow meanwhile', async (t) => {
    if (!server.own) return t.skip('the server is not ours to start again');
    const { context, page, troubles } = await openPage(browser);
    await page.goto(`${server.url}/?kiosk#window=15s&dataset=1`);
    const section = page.locator('[data-dataset="1"]');
    await seesMovingLine(section);
    for (const away of ['.rail', '.top', '.timeline']) assert.equal(await page.locator(away).count(), 0, away);
    const nodes = () => page.evaluate(() => document.querySelectorAll('*').length);
    const before = await nodes();
    await server.restart(async () => {
      await page.locator('[data-testid="stale"]').waitFor({ timeout: 5_000 });
    });
    await eventually('the banner is gone', async () => (await page.locator('[data-testid="stale"]').count()) === 0);
    const canvas = section.locator('[data-testid="line-panel"] canvas').first();
    await eventually('the line is there', async () => (await inkOf(canvas)).colored > 20);
    await seesMovingLine(section);
    assert.ok(Math.abs((await nodes()) - before) <= 4, 'as many elements as before, but for a word that comes or goes');
    assert.deepEqual(
      troubles.filter((line) => !WHILE_AWAY.test(line)),
      [],
    );
    await context.close();
  });
});
