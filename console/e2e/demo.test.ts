import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

/** What a newcomer sees who has only run `boathouse demo --keep`. */
describe('the demonstration', () => {
  let server: Server;
  let browser: Browser;
  /** The one tab that the link has signed in. */
  let page: Page;

  beforeAll(async () => {
    server = await Server.demo();
    browser = await Browser.open(server, { width: 1280, height: 1500 });
    page = await browser.context.newPage();
  }, 280_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('its link leads to the picture of what it has deployed and run', async () => {
    await page.goto(server.link);
    const flow = page.getByRole('group', { name: 'How data flows' });
    for (const name of [
      'HTTP API, flights-uploads',
      'Delivery stream, flights-departures',
      'Bucket, flights-landing-000000000000',
      'Function, flights-ingest, python3.12',
      'Glue job, flights-clean',
      'Glue job, flights-master',
      'Crawler, flights-master',
      'Database, flights, 15 tables',
      'State machine, flights-daily',
    ]) {
      await flow.getByRole('group', { name, exact: true }).waitFor();
    }
    const runs = page.getByRole('region', { name: 'Recent runs', exact: true });
    // The demonstration has moved the platform's clock to the night; what ran there ran just now.
    const find = page.getByPlaceholder('Find in recent runs');
    await find.fill('execution flights-daily');
    await runs.getByRole('row', { name: /Execution.*flights-daily.*Succeeded.*(s ago|min ago|just now)/ }).first().waitFor();
    await find.fill('');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'home-demo', 1500);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find pages and things' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('flights landing');
    await page.getByRole('option', { name: /flights-landing-000000000000/ }).waitFor();
    await screenshot(page, 'palette');
    await page.keyboard.press('Escape');
  });

  test('one flight is followed from the stream to a chart', async () => {
    const flow = page.getByRole('group', { name: 'How data flows' });
    await page.goto(browser.url('/'));
    await flow.getByRole('group', { name: 'Delivery stream, flights-departures', exact: true }).click();
    await page.getByRole('tab', { name: 'Records' }).click();
    await page.getByText(/^[\d,]+ records were delivered, and have moved on$/).waitFor();
    await page.getByRole('link', { name: 'How data flows' }).click();

    // The first departure of the year, as it came.
    await flow.getByRole('group', { name: /^Bucket, flights-raw/ }).click();
    for (const name of [/^flights\/$/, /^arrival_date=/, /\.json\.gz$/]) await page.getByRole('table').getByRole('link', { name }).first().click();
    const record = page.getByRole('row').filter({ hasText: 'N14228' }).first();
    await record.waitFor();
    expect(await record.textContent()).toContain('IAH');
    await screenshot(page, 'walk-record');

    // Cleaned, among the accepted ones. Saved queries bring database and work group along.
    const saved = async () => {
      await page.goto(browser.url('/query/saved'));
      const row = page.getByRole('row', { name: /delays by hour/ });
      await row.getByRole('button', { name: 'Open' }).or(row.getByRole('link', { name: 'Open' })).first().click();
      await page.getByRole('textbox', { name: 'Statement' }).filter({ hasText: 'master_delays_by_hour' }).click();
    };
    await saved();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText("SELECT time_hour, carrier, flight, dest, dep_delay FROM accepted_flights WHERE tailnum = 'N14228' ORDER BY time_hour LIMIT 1");
    await page.keyboard.press('Control+Enter');
    await page.getByRole('grid', { name: 'Result' }).getByText('1545', { exact: true }).waitFor();

    // And a part of what the night has made of all of them.
    await saved();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('tab', { name: 'Chart' }).click();
    await page.getByRole('img', { name: / chart of .* by hour_of_day/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'walk-chart');
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
