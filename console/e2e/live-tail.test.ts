import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, signIn } from './browser';
import { Server } from './server';

const GROUP = '/shop/orders';
const HREF = `/operations/logs/group?name=${encodeURIComponent(GROUP)}`;

describe('following a log', () => {
  let server: Server;
  let browser: Browser;

  const logs = (operation: string, input: object) => server.json('logs', `Logs_20140328.${operation}`, input);
  const write = (message: string) => logs('PutLogEvents', { logGroupName: GROUP, logStreamName: 's', logEvents: [{ timestamp: Date.now(), message }] });

  /** The operations that a page calls, from now on. */
  function watched(page: Page): string[] {
    const called: string[] = [];
    page.on('request', (request) => called.push(request.headers()['x-amz-target']?.split('.').at(-1) ?? ''));
    return called;
  }

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    await logs('CreateLogGroup', { logGroupName: GROUP });
    await logs('CreateLogStream', { logGroupName: GROUP, logStreamName: 's' });
    await write('the first line');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('the server tells of new lines; nobody asks meanwhile', async () => {
    const page = await browser.signedIn('/');
    const called = watched(page);
    await page.goto(browser.url(HREF));
    await page.getByText('the first line').waitFor();
    await expect.poll(() => called.filter((name) => name === 'StartLiveTail').length, { timeout: 10_000 }).toBe(1);
    await page.waitForTimeout(1_500);
    const before = called.filter((name) => name === 'FilterLogEvents').length;
    await page.waitForTimeout(4_000);
    expect(called.filter((name) => name === 'FilterLogEvents')).toHaveLength(before);
    // Who doesn't ask can only have been told.
    await write('a line that was told');
    await page.getByText('a line that was told').waitFor();
    await page.getByText('Live tail').click();
    await page.getByText('Following').waitFor({ state: 'detached' });
    expect(browser.complaints).toEqual([]);
  });

  test('who may not listen asks again and again', async () => {
    const iam = (action: string, parameters: Record<string, string>) => server.query('iam', '2010-05-08', action, parameters);
    await iam('CreateUser', { UserName: 'reader' });
    const Statement = [{ Effect: 'Allow', Action: ['logs:Describe*', 'logs:FilterLogEvents'], Resource: '*' }];
    await iam('PutUserPolicy', { UserName: 'reader', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) });
    const key = await iam('CreateAccessKey', { UserName: 'reader' });
    const part = (name: string) => new RegExp(`<${name}>([^<]+)`).exec(key)?.[1] ?? '';
    const page = await browser.context.newPage();
    const called = watched(page);
    await page.goto(browser.url(`/login?return=${encodeURIComponent(HREF)}`));
    await signIn(page, part('AccessKeyId'), part('SecretAccessKey'));
    await page.getByText('the first line').waitFor();
    await expect.poll(() => called.filter((name) => name === 'FilterLogEvents').length, { timeout: 15_000 }).toBeGreaterThan(3);
    await write('a line that was asked for');
    await page.getByText('a line that was asked for').waitFor();
    expect(called.filter((name) => name === 'StartLiveTail').length).toBeLessThan(4);
  });
});
