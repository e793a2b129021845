import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

const MINUTES = 170;

describe('metrics', () => {
  let server: Server;
  let browser: Browser;

  const put = (MetricData: object[]) => server.json('monitoring', 'GraniteServiceVersion20100801.PutMetricData', { Namespace: 'Shop', MetricData }, '1.0');

  /** Three hours of two shops, and of how long their checkouts took. */
  async function trade(): Promise<void> {
    const now = Math.floor(Date.now() / 60_000) * 60;
    for (const [at, shop] of ['Berlin', 'Lisbon'].entries()) {
      const Dimensions = [{ Name: 'Shop', Value: shop }];
      const times = Array.from({ length: MINUTES }, (_, n) => now - (MINUTES - n) * 60);
      const wave = (n: number, scale: number) => Math.round(scale * (2 + Math.sin(n / 14 + at) + Math.sin(n / 3) / 3));
      await put(times.map((Timestamp, n) => ({ MetricName: 'Orders', Dimensions, Timestamp, Unit: 'Count', Value: wave(n, 20 + at * 12) })));
      const durations = (n: number) => Array.from({ length: 20 }, (_, one) => wave(n, 60) + one * one);
      await put(times.map((Timestamp, n) => ({ MetricName: 'CheckoutDuration', Dimensions, Timestamp, Unit: 'Milliseconds', Values: durations(n) })));
    }
    await put(Array.from({ length: 300 }, (_, n) => ({ MetricName: `Shelf${String(n).padStart(3, '0')}`, Value: n })));
  }

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('a platform that has measured nothing says what would', async () => {
    const page = await browser.signedIn('/operations/metrics');
    await page.getByText('Nothing has been measured yet').waitFor();
    expect(await barriers(page)).toEqual([]);
  });

  test('metrics are chosen, drawn together, and the address holds the graph', async () => {
    await trade();
    const page = await browser.signedIn('/operations/metrics');
    await page.getByText('Choose metrics below').waitFor();
    await page.getByRole('button', { name: /^Shop/ }).click();
    await page.getByPlaceholder('Find in metrics').fill('Orders');
    await page.getByLabel('Choose Shop › Orders › Shop: Berlin').check();
    await page.getByLabel('Choose Shop › Orders › Shop: Lisbon').check();
    await page.getByRole('table', { name: 'Lines of the graph' }).getByText('Shop: Lisbon').waitFor();
    await page.locator('.bh-metrics-chart canvas').waitFor();
    await page.getByRole('button', { name: /^Statistic of Berlin/ }).click();
    await page.getByRole('option', { name: 'Maximum' }).click();
    const address = new URL(page.url());
    expect(JSON.parse(address.searchParams.get('graph') ?? '')).toEqual([
      ['Shop', 'Orders', 'Maximum', 'Shop', 'Berlin'],
      ['Shop', 'Orders', 'Average', 'Shop', 'Lisbon'],
    ]);
    await page.getByRole('button', { name: 'Areas', exact: true }).click();
    await page.reload();
    await page.getByRole('button', { name: /^Statistic of Berlin Maximum/ }).waitFor();
    await page.locator('.bh-metrics-chart canvas').waitFor();
    expect(new URL(page.url()).searchParams.get('kind')).toBe('area');
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Take Lisbon Average away' }).click();
    await page.getByRole('button', { name: 'Take Orders away' }).or(page.getByRole('button', { name: 'Take Berlin away' })).waitFor();
    await page.getByRole('button', { name: 'Clear the graph' }).click();
    await page.getByText('Choose metrics below').waitFor();
  });

  test('percentiles of durations, as a link', async () => {
    const lines = ['p50', 'p90', 'p99'].map((stat) => ['Shop', 'CheckoutDuration', stat, 'Shop', 'Lisbon']);
    const page = await browser.signedIn(`/operations/metrics?graph=${encodeURIComponent(JSON.stringify(lines))}`);
    const table = page.getByRole('table', { name: 'Lines of the graph' });
    await table.getByText(/\d ms/).first().waitFor();
    await page.locator('.bh-metrics-chart canvas').waitFor();
    await page.getByText('(1/304)').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-metrics', 1000);
    await page.getByRole('button', { name: /^Range/ }).click();
    await page.getByRole('option', { name: 'Last 15 days' }).click();
    await page.waitForURL(/range=15d/);
    await table.getByText(/\d ms/).first().waitFor();
    expect(browser.complaints).toEqual([]);
    expect(browser.strangers).toEqual([]);
  });
});
