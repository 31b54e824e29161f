// Every screen in both languages, both themes, on a wall and on a phone: what the accessibility walk and the benchmark go through.

import assert from 'node:assert/strict';
import { eventually } from './support.mjs';

/** The address of each view, and what is there when it is. */
export const VIEWS = [
  ['live', '/?window=15s', '[data-testid="line-panel"] canvas'],
  ['build', '/build', '.starts button'],
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

export const WIDTHS = [1440, 360];

/** What the views need to show all that they can: a dataset with a rejected line. */
export async function prepareViews(url) {
  const answer = await fetch(`${url}/api/v1/datasets/garden/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: '{"device":"pot-1","moisture":41.5,"pump":false}\n{"device":"pot-1","moist',
  });
  assert.equal((await answer.json()).rejected, 1);
}

function addressOf(path, language, theme) {
  return `#${path}${path.includes('?') ? '&' : '?'}lang=${language}&theme=${theme}`;
}

/** Shows each view in each language and theme, and calls `look` with what it is. The page has been opened. */
export async function eachLook(page, width, look) {
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
            ([lang, shade]) =>
              document.documentElement.lang === lang && document.documentElement.dataset.theme === shade,
            [language, theme],
          ),
        );
        await page.locator(ready).first().waitFor({ timeout: 15_000 });
        await look(what, { language, theme });
      }
    }
  }
}
