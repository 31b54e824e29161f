// The data engineer: what is in it, can I trust it? Step by step, at a desk and on a phone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import {
  accessibilityViolations,
  eventually,
  FORMS,
  inkOf,
  openBrowser,
  openPage,
  openServer,
  reads,
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

async function post(dataset, body) {
  const answer = await fetch(`${server.url}/api/v1/datasets/${dataset}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  assert.equal(answer.status, 200);
  return answer.json();
}

async function get(path) {
  const answer = await fetch(`${server.url}/api/v1${path}`);
  assert.equal(answer.status, 200, path);
  return answer.json();
}

/** 40 readings of the last 40 s, a second apart. */
function readings(count) {
  const now = Date.now();
  const lines = [];
  for (let i = 0; i < count; i++) {
    const at = new Date(now - (count - i) * 1_000).toISOString();
    lines.push(
      JSON.stringify({
        device: `pump-${i % 2}`,
        '@timestamp': at,
        oil_temperature: 80 + i,
        gear: i % 4,
        note: `n${i}`,
      }),
    );
  }
  return lines.join('\n');
}

function numberIn(text) {
  return Number(/[\d,. \u202f]+/.exec(text)?.[0].replaceAll(/[^\d]/g, ''));
}

async function matches(page) {
  return numberIn(await page.locator('[data-testid=matches]').textContent());
}

for (const { name, width, height } of FORMS) {
  describe(`the data engineer, ${name}`, { timeout: 260_000 }, () => {
    const dataset = `walk_${name}`;
    let page;
    let context;
    let exported;
    let troubles;

    before(async () => {
      ({ context, page, troubles } = await openPage(browser, { width, height }));
      await page.goto(`${server.url}/`);
      await page.locator('[data-dataset]').first().waitFor({ timeout: 15_000 });
    });

    after(async () => {
      await context?.close();
    });

    it('D1: posts rows of an unknown type; the dataset is there without a reload', async () => {
      const section = page.locator(`[data-dataset="${dataset}"]`);
      await step(
        `D1 (${name}): its charts`,
        300,
        async () => {
          const outcome = await post(dataset, readings(40));
          assert.deepEqual(outcome, { accepted: 40, rejected: 0, duplicates: 0, errors: [] });
        },
        async () => (await section.locator('[data-field="oil_temperature"]').count()) > 0,
      );
      const canvas = section.locator('[data-testid="line-panel"] canvas').first();
      await section.locator('[data-testid="line-panel"]').first().scrollIntoViewIfNeeded();
      await eventually('a line', async () => (await canvas.count()) > 0 && (await inkOf(canvas)).colored > 20);
    });

    it('D2: finds its fields: type, what is missing, extremes, most frequent values; sorts and searches them', async () => {
      await page.goto(`${server.url}/#/explore?dataset=${dataset}&window=5m`);
      const list = page.locator('[data-testid=field-list]');
      const field = list.locator('.field-item', { hasText: 'oil_temperature' });
      await field.waitFor({ timeout: 20_000 });
      await step(
        `D2 (${name}): what a field holds`,
        200,
        () => field.locator('.field-name').click(),
        async () => /Min.*80.*Max.*119/s.test(await field.textContent()),
      );
      assert.match(await field.textContent(), /0\s?% missing/);
      assert.match(await field.textContent(), /Distinct.*40/s);
      await field.locator('.field-name').click();
      await list.getByRole('searchbox', { name: 'Find a field' }).fill('gea');
      await eventually('one field is left', async () => (await list.locator('.field-item').count()) === 1);
      await list.getByRole('searchbox', { name: 'Find a field' }).fill('');
      await list.getByRole('combobox', { name: 'Order' }).selectOption('name');
      const texts = await list.locator('.field-item .field-name').allTextContents();
      const names = texts.map((text) => text.replace(/^.(text|integer|float|boolean)/, ''));
      assert.deepEqual(
        names,
        names.toSorted((a, b) => a.localeCompare(b)),
      );
    });

    it('D3: filters with completion; rows, counts over time and their number agree', async () => {
      await eventually('all 40 rows are counted', async () => (await matches(page)) === 40, 15_000);
      const query = page.locator('[data-testid=query]');
      await query.click();
      await query.pressSequentially('oil_');
      const first = page.locator('#query-option-0');
      await first.waitFor();
      await reads(() => first.textContent(), /oil_temperature/);
      await query.press('Enter');
      await query.pressSequentially('>= 110 and gear = 3');
      await query.press('Enter');
      await reads(() => query.inputValue(), 'oil_temperature >= 110 and gear = 3');
      const answer = await get(
        `/datasets/${dataset}/events?where=${encodeURIComponent('oil_temperature >= 110 and gear = 3')}&limit=100`,
      );
      const expected = answer.events.length;
      assert.ok(expected > 0);
      const description = await get('/openapi.json');
      const takes = description.paths['/api/v1/datasets/{dataset}/series'].get.parameters.some(
        (p) => p.name === 'where',
      );
      if (takes) {
        await eventually('the matches are counted', async () => (await matches(page)) === expected, 10_000);
        await reads(() => page.locator('[data-testid=matches]').textContent(), /(ms|µs)/);
        await eventually(
          'and listed',
          async () => (await page.locator('.rows .grid-row:not([hidden])').count()) === expected,
          10_000,
        );
        const ink = await inkOf(page.locator('.bars canvas'));
        assert.ok(ink.colored > 20, 'the histogram is drawn');
      } else {
        await page.getByText('counts without filters').waitFor();
      }
      await query.fill('oil_temperature >');
      await query.press('Enter');
      await eventually(
        'the unfinished filter is marked',
        async () =>
          (await query.getAttribute('aria-invalid')) === 'true' ||
          (await page.locator('[data-testid=query-message]').textContent()) === '',
      );
      await query.fill('');
      await query.press('Enter');
      await eventually('all rows again', async () => (await matches(page)) === 40, 10_000);
    });

    it('D4: drift and a broken line: versions, widened type, the letter with its reason and bytes; no good row lost', async () => {
      // What comes within the first seconds of a dataset is no news.
      const { fields } = await get(`/datasets/${dataset}/schema`);
      await eventually('it is no newborn', () => Date.now() * 1_000 - fields[0].first_seen > 5_500_000);
      const first = await post(dataset, '{"device":"pump-0","extra":1}');
      assert.equal(first.accepted, 1);
      const second = await post(dataset, '{"device":"pump-0","gear":"neutral"}\n{"device":"pump-0","gea');
      assert.deepEqual([second.accepted, second.rejected], [1, 1]);
      await page.locator('[data-testid=screen-streams]').click();
      await page.locator(`[data-topic=${dataset}]`).click();
      await page.locator('[data-choice=schema]').click();
      const versions = page.locator('[data-testid=versions]');
      await versions.locator('.version', { hasText: 'v3' }).first().waitFor({ timeout: 10_000 });
      const gear = page.locator('[data-testid=fields] tr', { hasText: 'gear' });
      await eventually('the widened type', async () =>
        /integer → text|float → text/.test((await gear.textContent()).replaceAll(/\s+/g, ' ')),
      );
      await reads(() => page.locator('[data-testid=fields] tr', { hasText: 'extra' }).textContent(), /extra\s*new/);
      await page.locator('[data-choice=rejected]').click();
      const letter = page.locator('.letter').first();
      await letter.waitFor({ timeout: 10_000 });
      await letter.locator('summary').click();
      await reads(() => letter.locator('[data-testid=raw]').textContent(), /"gea/);
      await reads(() => letter.textContent(), /line 2/);
      await eventually('42 good rows', async () => {
        const { datasets } = await get('/datasets');
        return datasets.find((d) => d.name === dataset).events === 42;
      });
    });

    it('D4: mends the broken line and sends it again', async () => {
      const letter = page.locator('.letter').first();
      await letter.getByRole('button', { name: 'Mend and resend' }).click();
      await letter.locator('textarea').fill('{"device":"pump-0","gear":2}');
      await letter.getByRole('button', { name: 'Send it' }).click();
      await page.getByText('1 accepted').waitFor({ timeout: 10_000 });
      await page.getByText('Nothing was rejected.').waitFor({ timeout: 10_000 });
    });

    it('D5: compares the first and the newest version', async () => {
      await page.locator('[data-choice=schema]').click();
      const versions = page.locator('[data-testid=versions]');
      await versions.waitFor({ timeout: 10_000 });
      const difference = page.locator('[data-testid=difference]');
      await step(
        `D5 (${name}): what changed since the first version`,
        200,
        () => versions.locator('select').first().selectOption('1'),
        async () => (await difference.count()) > 0 && /extra/.test(await difference.textContent()),
      );
      const changeOf = (field) => difference.locator('li', { hasText: field }).textContent();
      await reads(() => changeOf('extra'), /added.*v\d+, by pump-0, 20\d\d/s);
      await reads(() => changeOf('gear'), /→ text.*neutral.*v\d+, by pump-0, 20\d\d/s);
    });

    it('D5: edits a field’s unit; it is a new version', async () => {
      await page.getByRole('button', { name: 'Edit oil_temperature' }).click();
      const form = page.getByRole('form', { name: 'Field oil_temperature' });
      await form.getByLabel('Unit').fill('°C');
      await form.getByRole('button', { name: 'Save' }).click();
      await eventually('the unit is stored', async () => {
        const schema = await get(`/datasets/${dataset}/schema`);
        return schema.fields.find((f) => f.name === 'oil_temperature').unit === '°C';
      });
      await page.locator('[data-testid=versions]').getByText('edited').first().waitFor({ timeout: 10_000 });
    });

    it('D6: reads the log by offset and time, and one message whole', async () => {
      await page.locator('[data-choice=messages]').click();
      const grid = page.locator('[data-testid=messages] .grid');
      await eventually('messages', async () => /pump-/.test(await grid.textContent()), 10_000);
      await page.locator('[data-testid=messages] [data-testid=jump]').fill('0');
      await page.locator('[data-testid=messages]').getByRole('button', { name: 'Go' }).click();
      await grid.focus();
      await page.keyboard.press('Enter');
      const detail = page.locator('.detail');
      await detail.waitFor();
      await reads(() => detail.textContent(), /"device": "pump-/);
      await detail.getByRole('button', { name: 'Close' }).click();
    });

    it('D6: scrolls the events, chooses a column, opens a row as JSON, jumps to the oldest', async () => {
      await page.goto(`${server.url}/#/explore?dataset=1&window=5m`);
      const rows = page.locator('.rows .grid');
      await eventually(
        'rows stream',
        async () => {
          const before = await page.locator('[data-testid=matches]').textContent();
          await page.waitForTimeout(1_200);
          return (await page.locator('[data-testid=matches]').textContent()) !== before;
        },
        20_000,
      );
      await page.getByRole('button', { name: 'Show Pump_Speed as a column' }).click();
      await eventually('the column', async () => /Pump_Speed/.test(await rows.locator('.grid-head').textContent()));
      await rows.focus();
      await step(
        `D6 (${name}): the oldest row is in sight`,
        100,
        () => page.keyboard.press('End'),
        async () => {
          const total = Number(await rows.getAttribute('aria-rowcount'));
          const last = await rows
            .locator('.grid-row:not([hidden])')
            .evaluateAll((all) => Math.max(...all.map((r) => Number(r.getAttribute('aria-rowindex')))));
          return last >= total - 2 && /\d/.test(await rows.locator('.grid-row.active').textContent());
        },
      );
      await page.keyboard.press('Enter');
      await page.locator('[data-testid=row-detail]').waitFor();
      await eventually('the whole event', async () =>
        /"code_model"/.test(await page.locator('[data-testid=row-detail]').textContent()),
      );
    });

    it('D7: exports what is shown: CSV with as many rows, and a picture', async () => {
      await page.goto(`${server.url}/#/explore?dataset=${dataset}`);
      await page.locator('[data-testid=all-data]').click();
      await eventually('all is counted', async () => (await matches(page)) >= 40, 15_000);
      const shown = await matches(page);
      const [csv] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('[data-testid=export-csv]').click(),
      ]);
      const lines = readFileSync(await csv.path(), 'utf8')
        .trim()
        .split('\n');
      // The counts are those of the fullest field; the file has every row.
      assert.ok(lines.length - 1 >= shown, `${lines.length - 1} rows, ${shown} shown`);
      assert.equal(lines.length - 1, 43);
      const column = lines[0].split(',').indexOf('oil_temperature');
      const sum = lines.slice(1).reduce((total, line) => total + Number(line.split(',')[column]), 0);
      const { events } = await get(`/datasets/${dataset}/events?limit=1000`);
      assert.equal(
        sum,
        events.reduce((total, event) => total + (event.oil_temperature ?? 0), 0),
        'the same readings',
      );
      const [png] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('[data-testid=export-png]').click(),
      ]);
      const picture = readFileSync(await png.path());
      assert.equal(picture.subarray(1, 4).toString(), 'PNG');
      exported = readFileSync(await csv.path());
    });

    it('D9: the interface gives the same numbers as the screen', async () => {
      const { events } = await get(`/datasets/${dataset}/events?limit=1000`);
      assert.equal(events.length, 43);
      const { topics } = await get('/topics');
      const partitions = topics.find((t) => t.topic === dataset).partitions;
      assert.equal(
        partitions.reduce((sum, p) => sum + p.durable - p.earliest, 0),
        43,
      );
    });

    it('A: nothing that axe finds in Explore and in the schema', async () => {
      assert.deepEqual(await accessibilityViolations(page), []);
    });

    it('D7: takes its own export in again: a recording with the same readings', async () => {
      const again = { name: `again_${dataset}.csv`, mimeType: 'text/csv', buffer: exported };
      await page.goto(`${server.url}/#/files`);
      await page.locator('[data-testid=csv-file]').setInputFiles(again);
      const card = page.getByRole('region', { name: again.name });
      await reads(() => card.locator('[data-testid=preview-rows]').textContent(), '43');
      await reads(() => card.locator('[data-testid=preview-bad]').textContent(), '0');
      await card.locator('[data-testid=accept]').click();
      const { id } = await eventually('it is a file of its own', async () => {
        const { files } = await get('/files');
        return files.find((file) => file.name.endsWith(again.name));
      });
      const { events } = await get(`/datasets/${dataset}/events?limit=1000`);
      const taken = (await get(`/datasets/file:${id}/events?limit=1000`)).events;
      const textOf = (e) => ['device', 'oil_temperature', 'gear', 'note', 'extra'].map((f) => e[f] ?? '').join();
      const readingsOf = (list) => list.map(textOf).sort();
      assert.deepEqual(readingsOf(taken), readingsOf(events));
    });

    it('nothing went wrong meanwhile', () => {
      assert.deepEqual(troubles, []);
    });
  });
}

describe('the data engineer and a restart', { timeout: 120_000 }, () => {
  it('D8: sees the ingest, kills the server; the page comes back by itself and nothing is lost', async (t) => {
    if (!server.own) return t.skip('the server is not ours to kill');
    const { context, page, troubles } = await openPage(browser);
    await page.goto(`${server.url}/#/self`);
    const events = page.locator('[data-testid=self-events]');
    await eventually('a rate', async () => /\d/.test(await events.textContent()), 15_000);
    for (const word of ['Accepted', 'Rejected', 'Duplicates', 'Rows written'])
      await page.getByText(word).first().waitFor();
    const durable = async () => {
      const { topics } = await get('/topics');
      return topics.find((t) => t.topic === 'walk_desk').partitions.map(({ earliest, durable }) => [earliest, durable]);
    };
    const [before, offsets] = [(await get('/datasets/walk_desk/events?limit=1000')).events, await durable()];
    assert.ok(before.length > 0 && before.length < 1000, `${before.length} events`);
    const rate = page.locator('[data-testid=rate]');
    await server.restart(async () => {
      await page.locator('[data-testid=stale]').waitFor({ timeout: 5_000 });
      // What was true before is not said any more: a number that is seen later is a new one.
      assert.equal(await rate.textContent(), '–');
    }, 'SIGKILL');
    await page.locator('.connection.open').waitFor({ timeout: 15_000 });
    await eventually('a rate again', async () => /[1-9]/.test(await rate.textContent()), 20_000);
    assert.deepEqual((await get('/datasets/walk_desk/events?limit=1000')).events, before);
    assert.deepEqual(await durable(), offsets, 'no offset is missing');
    assert.deepEqual(
      troubles.filter((line) => !WHILE_AWAY.test(line)),
      [],
    );
    await context.close();
  });
});
