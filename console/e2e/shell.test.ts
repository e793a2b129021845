import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

describe('around the pages', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('an empty platform says what to do next', async () => {
    const page = await browser.signedIn('/');
    await page.getByRole('heading', { name: 'What to do next' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'home-empty');
    await page.getByRole('link', { name: 'To the buckets' }).click();
    await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'What to do next' }).waitFor();
  });

  test('the palette finds pages by the keyboard alone', async () => {
    const page = await browser.signedIn('/');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find pages and things' }).and(page.locator(':focus')).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.type('athena');
    await page.getByRole('option', { name: /SQL editor/, selected: true }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: /SQL editor/, selected: false }).waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'SQL editor', level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('zzzz');
    await page.getByText('Nothing is called that.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: 'Find pages and things' }).waitFor({ state: 'detached' });
  });

  test('what is typed right after Ctrl-K is found, however late the browser draws', async () => {
    const page = await browser.signedIn('/');
    await page.getByRole('heading', { name: 'What to do next' }).waitFor();
    await page.evaluate(() => {
      const soon = requestAnimationFrame.bind(globalThis);
      globalThis.requestAnimationFrame = (draw) => Number(setTimeout(() => soon(draw), 1_000));
    });
    await page.keyboard.press('Control+k');
    await page.keyboard.type('query history');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Query history', level: 1 }).waitFor();
    await page.close();
  });

  test('dark and light are chosen and kept', async () => {
    const page = await browser.signedIn('/');
    const dark = () => page.evaluate(() => document.body.classList.contains('awsui-dark-mode'));
    expect(await dark()).toBe(false);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find pages and things' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('dark');
    await page.keyboard.press('Enter');
    expect(await dark()).toBe(true);
    await page.reload();
    await page.getByRole('heading', { name: 'What to do next' }).waitFor();
    expect(await dark()).toBe(true);
    await page.evaluate(() => localStorage.clear());
  });

  test('an address without a page says so', async () => {
    const page = await browser.signedIn('/nowhere/at/all');
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    expect(await barriers(page)).toEqual([]);
  });

  test('the editor colours, completes and runs within the content policy', async () => {
    const page = await browser.signedIn('/query');
    const editor = page.getByLabel('Statement');
    await editor.click();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('SELECT 41 + 1 AS answer');
    const weight = await page.locator('.cm-content span', { hasText: 'SELECT' }).first().evaluate((span) => getComputedStyle(span).fontWeight);
    expect(weight).toBe('600');
    expect(await barriers(page)).toEqual([]);
  });

  test('ten thousand rows are a few in the document, filtered and sorted at once', async () => {
    const page = await browser.signedIn('/');
    const bucket = (_: unknown, at: number) => `<Bucket><Name>bucket-${String(at).padStart(5, '0')}</Name></Bucket>`;
    const body = `<ListAllMyBucketsResult><Buckets>${Array.from({ length: 10_000 }, bucket).join('')}</Buckets></ListAllMyBucketsResult>`;
    await page.route(`${server.endpoint}/`, (route) =>
      route.request().method() === 'GET' ? route.fulfill({ contentType: 'application/xml', body }) : route.continue(),
    );
    await page.getByRole('link', { name: 'Storage', exact: true }).click();
    await page.getByText('(10,000)').waitFor();
    expect(await page.locator('tbody tr').count()).toBeLessThan(80);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Name' }).click();
    await page.getByRole('button', { name: 'Name' }).click();
    await page.getByRole('link', { name: 'bucket-09999' }).waitFor();
    await page.getByRole('region', { name: 'Buckets, rows' }).evaluate((rows) => rows.scrollTo(0, rows.scrollHeight));
    await page.getByRole('link', { name: 'bucket-00000' }).waitFor();
    await page.getByPlaceholder('Find in buckets').fill('04242');
    await page.getByText('1 of 10,000').first().waitFor();
    expect(page.url()).toContain('q=04242');
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
