// The data engineer: what is in it, can I trust it? Step by step, at a desk and on a phone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { eventually, inkOf, openBrowser, openPage, openServer } from './support.mjs';

/** A stop of the server makes the browser itself write these; they are what is being tested. */
const EXPECTED_WHILE_AWAY =
  /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE|WebSocket connection/;

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

const HOW = [
  { name: 'desk', width: 1440, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

for (const { name, width, height } of HOW) {
  describe(`the data engineer, ${name}`, { timeout: 260_000 }, () => {
    const dataset = `walk_${name}`;
    let page;
    let context;
    let troubles;

    before(async () => {
      ({ context, page, troubles } = await openPage(browser, { width, height }));
      await page.goto(`${server.url}/#/explore?window=5m`);
      await page.locator('[data-testid=dataset-choice]').waitFor({ timeout: 15_000 });
    });

    after(async () => {
      await context?.close();
    });

    it('D1: posts rows of an unknown type; the dataset is there without a reload', async () => {
      const outcome = await post(dataset, readings(40));
      assert.deepEqual(outcome, { accepted: 40, rejected: 0, duplicates: 0, errors: [] });
      const began = performance.now();
      const option = page.locator('[data-testid=dataset-choice] option', { hasText: new RegExp(`^${dataset}$`) });
      await option.waitFor({ state: 'attached', timeout: 15_000 });
      console.log(`D1 (${name}): in the list after ${Math.round(performance.now() - began)} ms`);
    });

    it('D2: finds its fields with type and what is missing', async () => {
      await page.locator('[data-testid=dataset-choice]').selectOption(dataset);
      const list = page.locator('[data-testid=field-list]');
      const field = list.locator('.field-item', { hasText: 'oil_temperature' });
      await field.waitFor({ timeout: 20_000 });
      await field.locator('.field-name').click();
      // Either the server's profile, or the plain sentence that there is none; never an empty box.
      await eventually('details of the field', async () => (await field.textContent()).length > 40, 15_000);
      await field.locator('.field-name').click();
    });

    it('D3: filters with completion; rows, counts over time and their number agree', async () => {
      await eventually('all 40 rows are counted', async () => (await matches(page)) === 40, 15_000);
      const query = page.locator('[data-testid=query]');
      await query.click();
      await query.pressSequentially('oil_');
      const first = page.locator('#query-option-0');
      await first.waitFor();
      assert.match(await first.textContent(), /oil_temperature/);
      await query.press('Enter');
      await query.pressSequentially('>= 110 and gear = 3');
      await query.press('Enter');
      assert.equal(await query.inputValue(), 'oil_temperature >= 110 and gear = 3');
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
      await page.locator('[data-choice=rejected]').click();
      const letter = page.locator('.letter').first();
      await letter.waitFor({ timeout: 10_000 });
      await letter.locator('summary').click();
      assert.match(await letter.locator('[data-testid=raw]').textContent(), /"gea/);
      assert.match(await letter.textContent(), /line 2/);
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
      await versions.locator('select').first().selectOption('1');
      const difference = page.locator('[data-testid=difference]');
      await difference.waitFor();
      const text = await difference.textContent();
      assert.match(text, /extra/);
      assert.match(text, /gear/);
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
      assert.match(await detail.textContent(), /"device": "pump-/);
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
      await page.keyboard.press('End');
      await eventually(
        'the oldest row is in sight',
        async () => {
          const total = Number(await rows.getAttribute('aria-rowcount'));
          const last = await rows
            .locator('.grid-row:not([hidden])')
            .evaluateAll((all) => Math.max(...all.map((r) => Number(r.getAttribute('aria-rowindex')))));
          return last >= total - 2 && /\d/.test(await rows.locator('.grid-row.active').textContent());
        },
        15_000,
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
      const [png] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('[data-testid=export-png]').click(),
      ]);
      const picture = readFileSync(await png.path());
      assert.equal(picture.subarray(1, 4).toString(), 'PNG');
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

    it('nothing went wrong meanwhile', () => {
      assert.deepEqual(troubles, []);
    });
  });
}

describe('the data engineer and a restart', { timeout: 120_000 }, () => {
  it('D8: sees the ingest, stops and starts the server; the page comes back by itself and nothing is lost', async (t) => {
    if (!server.own) return t.skip('the server is not ours to restart');
    const { context, page, troubles } = await openPage(browser);
    await page.goto(`${server.url}/#/self`);
    const events = page.locator('[data-testid=self-events]');
    await eventually('a rate', async () => /\d/.test(await events.textContent()), 15_000);
    for (const word of ['Accepted', 'Rejected', 'Duplicates', 'Rows written'])
      await page.getByText(word).first().waitFor();
    const before = (await get('/datasets/walk_desk/events?limit=1000')).events.length;
    assert.ok(before > 0 && before < 1000, `${before} events`);
    await server.restart(async () => undefined);
    await page.locator('.connection.open').waitFor({ timeout: 15_000 });
    await eventually('a rate again', async () => /[1-9]/.test(await events.textContent()), 20_000);
    assert.equal((await get('/datasets/walk_desk/events?limit=1000')).events.length, before);
    assert.deepEqual(
      troubles.filter((line) => !EXPECTED_WHILE_AWAY.test(line)),
      [],
    );
    await context.close();
  });
});

describe('a recording', { timeout: 120_000 }, () => {
  it('is sent, seen before it is loaded, loaded, and streamed as a device', async () => {
    const { context, page, troubles } = await openPage(browser);
    await page.goto(`${server.url}/#/files`);
    const rows = ['time;speed (km/h);mode;level'];
    for (let i = 0; i < 400; i++) {
      const at = new Date(Date.UTC(2024, 2, 5, 6, 0, i)).toISOString().replace('T', ' ').slice(0, 19);
      rows.push(`${at};${(50 + 30 * Math.sin(i / 20)).toFixed(2)};${i % 50 < 25 ? 'eco' : 'sport'};${i}`);
    }
    rows.splice(101, 0, 'not a row;1;2;3;4;5;6');
    await page.locator('[data-testid=csv-file]').setInputFiles({
      name: 'drive one.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(`${rows.join('\n')}\n`),
    });
    const preview = page.getByRole('region', { name: 'drive one.csv' }).locator('[data-testid=preview]').first();
    await preview.waitFor({ timeout: 20_000 });
    assert.equal(await preview.locator('[data-testid=separator]').inputValue(), ';');
    assert.equal(await preview.locator('[data-testid=time-column]').inputValue(), 'time');
    assert.equal(await preview.locator('[data-testid=preview-rows]').textContent(), '400');
    assert.equal(await preview.locator('[data-testid=preview-bad]').textContent(), '1');
    await preview.locator('[data-testid=preview-errors] summary').click();
    assert.match(await preview.locator('[data-testid=preview-errors]').textContent(), /Line 102/);
    assert.equal(await preview.locator('[data-testid=accept-code]').inputValue(), 'drive_one');
    await preview.locator('[data-testid=accept]').click();
    const { paths } = await get('/openapi.json');
    if (paths['/api/v1/files'] !== undefined) {
      const stream = page.locator('[data-testid=stream-it]');
      await stream.waitFor({ timeout: 30_000 });
      await stream.click();
      await page.locator('[data-testid=streaming]').waitFor({ timeout: 10_000 });
    } else {
      await eventually(
        'it is loaded',
        async () => {
          const { imports } = await get('/imports');
          return imports.some((i) => i.name === 'drive one.csv' && i.state === 'done');
        },
        30_000,
      );
      const answer = await fetch(`${server.url}/api/v1/simulations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"prototype":"drive_one"}',
      });
      assert.equal(answer.status, 201);
    }
    await page.goto(`${server.url}/#/devices`);
    await eventually(
      'the file is a device',
      async () => /drive_one/.test(await page.locator('[data-testid=device-list]').textContent()),
      20_000,
    );
    assert.deepEqual(troubles, []);
    await context.close();
  });
});

describe('a drop', { timeout: 60_000 }, () => {
  it('anywhere on the page shows what the file holds', async () => {
    const { context, page, troubles } = await openPage(browser);
    await page.goto(`${server.url}/#/self`);
    await page.locator('main[data-screen=self]').waitFor({ timeout: 15_000 });
    await page.evaluate(() => {
      const dropped = new DataTransfer();
      dropped.items.add(new File(['time,a\n2024-01-01 00:00:00,1\n2024-01-01 00:00:01,2\n'], 'dropped.csv'));
      document
        .querySelector('main')
        .dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }));
    });
    const card = page.getByRole('region', { name: 'dropped.csv' });
    await card.locator('[data-testid=preview]').waitFor({ timeout: 20_000 });
    assert.equal(await card.locator('[data-testid=preview-rows]').textContent(), '2');
    await card.getByRole('button', { name: 'Discard' }).click();
    await eventually('it is gone', async () => (await card.count()) === 0);
    assert.deepEqual(troubles, []);
    await context.close();
  });
});

for (const { name, width, height } of HOW) {
  describe(`a file, ${name}`, { timeout: 120_000 }, () => {
    it('is profiled, drawn, related, marked and compared', async () => {
      const { context, page, troubles } = await openPage(browser, { width, height });
      await page.goto(`${server.url}/#/files`);
      await page.locator('[data-file="WT200_2024-03-05T06-00-00Z.csv"]').click({ timeout: 20_000 });
      const profile = page.locator('[data-testid=profile]');
      await profile.waitFor({ timeout: 20_000 });
      assert.match(await profile.textContent(), /wind_speed_80m/);
      const chart = page.locator('[data-testid=file-chart]', { hasText: 'wind_speed_80m' }).locator('canvas');
      const drawn = await eventually('a line is drawn', async () => {
        const ink = await inkOf(chart);
        return ink.colored > 50 ? ink : null;
      });

      const scatter = page.locator('.scatter-box');
      await scatter.scrollIntoViewIfNeeded();
      await eventually('dots are drawn', async () => (await inkOf(scatter.locator('canvas'))).colored > 50);
      const box = await scatter.boundingBox();
      await page.mouse.move(box.x + box.width * 0.3, box.y + 12);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width - 12, box.y + box.height * 0.8, { steps: 4 });
      await page.mouse.up();
      await page.locator('[data-testid=marked]').waitFor({ timeout: 5_000 });
      await eventually('the marked rows are seen on a chart', async () => (await inkOf(chart)).sum !== drawn.sum);

      const matrix = page.locator('.matrix-box');
      await matrix.focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      await eventually('the pair is in the address', async () => /[?&]x=.+&y=/.test(page.url()));

      await page.locator('[data-testid=compare]').selectOption({ label: 'WT200_2024-03-05T06-30-00Z.csv' });
      await page.getByText('Both files begin at 0:00').waitFor({ timeout: 20_000 });
      await eventually('both lines are drawn', async () => {
        const ink = await inkOf(chart);
        return ink.colored > 50 && ink.sum !== drawn.sum;
      });
      assert.match(page.url(), /versus=/);
      assert.deepEqual(troubles, []);
      await context.close();
    });
  });
}
