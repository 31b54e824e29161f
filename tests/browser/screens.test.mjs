// Every screen in both languages, both themes, on a wall and on a phone: nothing that axe-core finds, nothing that is cut off,
// nothing that goes wrong in the console, the network or the policy. IOTSTREAM_SCREENSHOTS keeps pictures.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { accessibilityViolations, eventually, openBrowser, openPage, openServer, screenshotPath } from './support.mjs';

/** The address of each view, and what is there when it is. */
const VIEWS = [
  ['explore', '/explore?dataset=wind_turbine', '.grid-row:not([hidden])'],
  ['files', '/files', '.file-drop'],
  ['devices', '/devices?device=1%2FX46789', '[data-testid=gaps]'],
  ['streams', '/streams?topic=1', '.grid-row:not([hidden])'],
  ['streams-partitions', '/streams?topic=1&tab=partitions', '[data-testid=partitions]'],
  ['streams-schema', '/streams?topic=2&tab=schema', '[data-testid=versions]'],
  ['streams-rejected', '/streams?topic=garden&tab=rejected', '.letter'],
  ['streams-groups', '/streams?topic=~groups', '[data-testid=groups]'],
  ['streams-prototypes', '/streams?topic=~prototypes', '.prototype'],
  ['self', '/self', '[data-testid=self-events]'],
];

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([openServer(), openBrowser()]);
  const answer = await fetch(`${server.url}/api/v1/datasets/garden/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: '{"device":"pot-1","moisture":41.5,"pump":false}\n{"device":"pot-1","moist',
  });
  assert.equal((await answer.json()).rejected, 1);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

function addressOf(path, language, theme) {
  return `#${path}${path.includes('?') ? '&' : '?'}lang=${language}&theme=${theme}`;
}

/** Elements that reach out of the page to the right without lying in something that scrolls. */
function cutOff(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

describe('the screens', { timeout: 540_000 }, () => {
  for (const width of [1440, 360]) {
    it(`are accessible and whole at ${width} px, in both languages and themes`, async () => {
      const height = width > 700 ? 900 : 780;
      const { context, page, troubles } = await openPage(browser, { width, height, bypassPolicy: true });
      await page.goto(`${server.url}/${addressOf('/self', 'en', 'dark')}`);
      for (const [name, path, ready] of VIEWS) {
        for (const language of ['en', 'fr']) {
          for (const theme of ['light', 'dark']) {
            const what = `${name} ${language} ${theme} ${width}`;
            await page.evaluate(
              (hash) => {
                location.hash = hash;
              },
              addressOf(path, language, theme),
            );
            await eventually(`${what} is in its language and theme`, () =>
              page.evaluate(
                ([lang, look]) =>
                  document.documentElement.lang === lang && document.documentElement.dataset.theme === look,
                [language, theme],
              ),
            );
            await page.locator(ready).first().waitFor({ timeout: 15_000 });
            assert.deepEqual(await accessibilityViolations(page), [], what);
            assert.equal(await cutOff(page), 0, `${what} is cut off`);
            const picture =
              language === (theme === 'dark' ? 'en' : 'fr') ? screenshotPath(what.replaceAll(' ', '-')) : null;
            if (picture !== null) await page.screenshot({ path: picture });
          }
        }
      }
      assert.deepEqual(troubles, []);
      await context.close();
    });
  }

  it('work under the strict policy, and are loaded when they are opened', async () => {
    const { context, page, troubles } = await openPage(browser);
    const loaded = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.goto(`${server.url}/`);
    await page.locator('[data-testid=screen-explore]').waitFor();
    await page.waitForTimeout(500);
    const before = loaded.filter((url) => url.endsWith('.js')).length;
    for (const name of ['explore', 'files', 'devices', 'streams', 'self']) {
      await page.locator(`[data-testid=screen-${name}]`).click();
      await page.locator(`main[data-screen=${name}]`).waitFor();
      await page.waitForTimeout(800);
    }
    assert.ok(loaded.filter((url) => url.endsWith('.js')).length >= before + 5, 'each screen brings its own code');
    assert.ok(
      loaded.every((url) => url.startsWith(server.url)),
      'nothing comes from elsewhere',
    );
    assert.deepEqual(troubles, []);
    await context.close();
  });
});
