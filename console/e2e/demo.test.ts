import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

/** What a newcomer sees who has only run `boathouse demo --keep`. */
describe('the demonstration', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.demo();
    browser = await Browser.open(server, { width: 1280, height: 1500 });
  }, 280_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('its link leads to the picture of what it has deployed and run', async () => {
    const page = await browser.context.newPage();
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
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
