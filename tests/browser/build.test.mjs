// Build in a real browser, against the real server: a dashboard is made from a dataset, edited by hand and by keys, undone, saved,
// opened by its link, duplicated and deleted; every kind of panel draws. No accessibility violation in either language and theme.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  accessibilityViolations,
  eventually,
  inkOf,
  openBrowser,
  openPage,
  openServer,
  reads,
  screenshotPath,
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

const part = (page, name) => page.locator(`[data-testid="${name}"]`);
const panels = (page) => part(page, 'board-panel');

async function openBuild(options = {}, address = '#/build') {
  const opened = await openPage(browser, options);
  opened.page.setDefaultTimeout(15_000);
  await opened.page.goto(`${server.url}/${address}`);
  return opened;
}

async function fromDataset(page) {
  await page.locator('.starts button').first().click();
  await panels(page).first().waitFor();
}

async function add(page, kind, fill) {
  await part(page, 'add-panel').click();
  await page.locator(`.kinds [data-kind="${kind}"]`).click();
  await part(page, 'editor').waitFor();
  await fill(page.locator('.drawer'));
  await page.locator('.drawer .primary').click();
  await eventually('the editor is closed', async () => (await part(page, 'editor').count()) === 0);
}

const oneField = (drawer) => drawer.locator('label select').nth(2).selectOption({ index: 1 });
const listedField = (drawer) => drawer.locator('.field-list input').first().check();
const FILLS = {
  area: listedField,
  bar: listedField,
  histogram: oneField,
  heatmap: oneField,
  gauge: oneField,
  scatter: async (drawer) => {
    await drawer.locator('label select').nth(2).selectOption({ index: 1 });
    await drawer.locator('label select').nth(3).selectOption({ index: 2 });
  },
};

const placeOf = async (panel) => {
  const { gridColumn, gridRow } = await panel.evaluate((e) => ({
    gridColumn: e.style.gridColumn,
    gridRow: e.style.gridRow,
  }));
  return `${gridColumn} ${gridRow}`;
};

describe('Build', { timeout: 240_000 }, () => {
  it('draws every kind of panel', async () => {
    const { context, page, troubles } = await openBuild();
    await fromDataset(page);
    for (const [kind, fill] of Object.entries(FILLS)) await add(page, kind, fill);
    await add(page, 'table', listedField);
    await add(page, 'text', (drawer) => drawer.locator('textarea').fill('<b>not bold</b>\nsecond line'));
    for (const kind of ['line', ...Object.keys(FILLS)]) {
      // A panel far from the screen has no canvas.
      const panel = page.locator(`[data-testid="board-panel"][data-kind="${kind}"]`).first();
      await panel.scrollIntoViewIfNeeded();
      const canvas = panel.locator('canvas').first();
      await canvas.waitFor({ state: 'attached' });
      await eventually(`a picture: ${kind}`, async () => (await inkOf(canvas)).colored > 20);
    }
    await page.locator('[data-testid="board-panel"][data-kind="table"]').scrollIntoViewIfNeeded();
    await eventually('rows', async () => (await page.locator('.rows tbody tr').count()) > 1);
    await reads(() => page.locator('.words').textContent(), '<b>not bold</b>\nsecond line');
    const path = screenshotPath('build-dark-1440');
    if (path !== null) await page.screenshot({ path, fullPage: true });
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('moves and resizes by hand and by keys, and undoes each as one step', async () => {
    const { context, page, troubles } = await openBuild();
    await fromDataset(page);
    const panel = page.locator('[data-panel="1"]');
    const begun = await placeOf(panel);
    const grip = await panel.locator('[data-testid="grip"]').boundingBox();
    await page.mouse.move(grip.x + 6, grip.y + 6);
    await page.mouse.down();
    await page.mouse.move(grip.x + 520, grip.y + 6, { steps: 5 });
    await page.mouse.up();
    const moved = await eventually('it is elsewhere', async () => {
      const place = await placeOf(panel);
      return place !== begun && place;
    });
    await part(page, 'undo').click();
    await reads(() => placeOf(panel), begun);
    await part(page, 'redo').click();
    await reads(() => placeOf(panel), moved);
    const corner = await panel.locator('[data-testid="corner"]').boundingBox();
    await page.mouse.move(corner.x + 9, corner.y + 9);
    await page.mouse.down();
    await page.mouse.move(corner.x + 9, corner.y + 109, { steps: 4 });
    await page.mouse.up();
    await eventually('it is higher', async () => (await placeOf(panel)) !== moved);
    await page.keyboard.press('Control+z');
    await reads(() => placeOf(panel), moved);
    await panel.locator('[data-testid="grip"]').focus();
    await page.keyboard.press('Shift+ArrowDown');
    await reads(() => part(page, 'board-message').textContent(), /column \d+, row \d+, \d+ wide, \d+ high/);
    await eventually('it is higher', async () => (await placeOf(panel)) !== moved);
    await page.keyboard.press('Shift+ArrowUp');
    await reads(() => placeOf(panel), moved);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('is saved, opened by its link and by the whole view in the address, duplicated and deleted', async () => {
    const { context, page, troubles } = await openBuild();
    await fromDataset(page);
    const count = await panels(page).count();
    await eventually('the view is in the address', () => /edit=[\w-]+/.test(page.url()));
    const unsaved = page.url();
    await part(page, 'board-name').fill('Tracteur "été"');
    await part(page, 'save').click();
    await eventually('it is saved', () => /board=[0-9a-f]{16}/.test(page.url()) && !/edit=/.test(page.url()));
    const link = page.url();
    const second = await openPage(browser);
    await second.page.goto(link);
    await eventually('the same panels by the link', async () => (await panels(second.page).count()) === count);
    await second.page.getByRole('heading', { name: 'Tracteur "été"' }).waitFor();
    await second.page.goto('about:blank');
    await second.page.goto(unsaved);
    await eventually('the same panels by the address alone', async () => (await panels(second.page).count()) === count);
    assert.deepEqual(second.troubles, []);
    await second.context.close();

    await part(page, 'duplicate').click();
    await eventually('a copy', async () => (await part(page, 'board-name').inputValue()) === 'Tracteur "été" (copy)');
    const saved = async () =>
      (await (await page.request.get(`${server.url}/api/v1/dashboards`)).json()).dashboards.length;
    assert.equal(await saved(), 2);
    for (const left of [1, 0]) {
      await part(page, 'delete').click();
      await part(page, 'delete-sure').click();
      await eventually(`${left} left`, async () => (await saved()) === left);
      if (left === 1) await page.locator('.board-start .link').first().click();
    }
    await page.goto('about:blank');
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('says that an address holds no dashboard', async () => {
    const { context, page, troubles } = await openBuild({}, '#/build?edit=AAAA');
    await page.getByText('This address holds no dashboard that can be read.').waitFor();
    await page.getByText('Nothing built yet').waitFor();
    assert.deepEqual(troubles, []);
    await context.close();
  });

  for (const language of ['en', 'fr']) {
    for (const scheme of ['dark', 'light']) {
      for (const width of [1440, 360]) {
        it(`has no accessibility violation: ${language}, ${scheme}, ${width} px`, async () => {
          const options = { width, scheme, ratio: width > 500 ? 1 : 2 };
          const { context, page } = await openBuild(options, `#/build?lang=${language}`);
          await page.locator('.starts button').first().waitFor();
          assert.deepEqual(await accessibilityViolations(page), [], 'the start');
          await fromDataset(page);
          assert.deepEqual(await accessibilityViolations(page), [], 'in edit');
          await page.locator('[data-testid="panel.edit"]').first().click();
          await part(page, 'editor').waitFor();
          assert.deepEqual(await accessibilityViolations(page), [], 'the editor');
          await page.keyboard.press('Escape');
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${overflow} px too wide`);
          const path = screenshotPath(`build-${language}-${scheme}-${width}`);
          if (path !== null) await page.screenshot({ path });
          await context.close();
        });
      }
    }
  }
});
