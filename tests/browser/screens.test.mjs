// Every screen in both languages, both themes, on a wall and on a phone: nothing that axe-core finds, nothing that is cut off,
// nothing that goes wrong in the console, the network or the policy. IOTSTREAM_SCREENSHOTS keeps pictures.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eachLook, prepareViews, WIDTHS } from './looks.mjs';
import { accessibilityViolations, openBrowser, openPage, openServer, screenshotPath } from './support.mjs';

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([openServer(), openBrowser()]);
  await prepareViews(server.url);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Elements that reach out of the page to the right without lying in something that scrolls. */
function cutOff(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

describe('the screens', { timeout: 540_000 }, () => {
  for (const width of WIDTHS) {
    it(`are accessible and whole at ${width} px, in both languages and themes`, async () => {
      const { context, page, troubles } = await openPage(browser, { width, height: width > 700 ? 900 : 780 });
      await page.goto(`${server.url}/#/self`);
      await eachLook(page, width, async (what, { language, theme }) => {
        assert.deepEqual(await accessibilityViolations(page), [], what);
        assert.equal(await cutOff(page), 0, `${what} is cut off`);
        const picture =
          language === (theme === 'dark' ? 'en' : 'fr') ? screenshotPath(what.replaceAll(' ', '-')) : null;
        if (picture !== null) await page.screenshot({ path: picture });
      });
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
