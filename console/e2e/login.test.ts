import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot, signIn } from './browser';
import { Server } from './server';

describe('signing in', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start({ clock: true });
    browser = await Browser.open(server);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const signedInAs = (page: Awaited<ReturnType<Browser['signedIn']>>, name: string) =>
    page.getByRole('button', { name }).first().waitFor();

  test('a deep link leads to the login page and, after a wrong and the right key, on', async () => {
    const page = await browser.context.newPage();
    await page.goto(browser.url('/storage?q=flights'));
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'login');
    await signIn(page, 'AKIANOBODY', 'x'.repeat(40));
    await page.getByText('These credentials are not right').waitFor();
    await signIn(page, 'test', 'wrong');
    await page.getByText('These credentials are not right').waitFor();
    await signIn(page, 'test', 'test');
    await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
    expect(page.url()).toBe(browser.url('/storage?q=flights'));
    await signedInAs(page, 'root');
    const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }));
    expect(kept).toContain('ASIA');
    expect(JSON.parse(await page.evaluate(() => sessionStorage.getItem('boathouse.session') ?? '{}')).secretAccessKey).not.toBe('test');
    expect(await page.evaluate(() => document.cookie)).toBe('');
    // The session of this tab is not that of another one.
    const other = await browser.context.newPage();
    await other.goto(browser.url('/storage'));
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  test('a link signs in once, leaves the address, and reaches no log', async () => {
    const page = await browser.context.newPage();
    await page.goto(server.link);
    await signedInAs(page, 'root');
    expect(page.url()).not.toContain('link=');
    const token = server.link.split('link=')[1] ?? '';
    expect(server.log).toContain('"operation":"CreateSession"');
    expect(server.log).not.toContain(token);

    const again = await browser.context.newPage();
    await again.goto(server.link);
    await again.getByText('This link does not work any more').waitFor();
    expect(again.url()).not.toContain('link=');
  });

  test('signing out ends the session in this tab', async () => {
    const page = await browser.signedIn('/catalogue');
    await page.getByRole('button', { name: 'root' }).first().click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByText('You have signed out.').waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await page.goto(browser.url('/catalogue'));
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  test('half an hour without anybody signs out, and work does not', async () => {
    const page = await browser.context.newPage();
    await page.clock.install();
    await page.goto(browser.url('/login?return=/storage'));
    await signIn(page, 'test', 'test');
    await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
    const key = () => page.evaluate(() => (JSON.parse(sessionStorage.getItem('boathouse.session') ?? '{}') as { accessKeyId?: string }).accessKeyId);
    const first = await key();
    const work = async () => {
      await page.clock.fastForward('20:00');
      await page.keyboard.press('Shift');
      await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
    };
    await work();
    await work();
    // Another key takes the place of the first one before that ends; the answer does not go by the page's clock.
    await expect.poll(key, { timeout: 20_000 }).not.toBe(first);
    expect(await key()).toMatch(/^ASIA/);
    await work();
    await page.clock.fastForward('31:00');
    await page.getByText('You were signed out after half an hour').waitFor();
    expect(new URL(page.url()).searchParams.get('return')).toBe('/storage');
  });

  test('an IAM user is who it is, and can do what it may', async () => {
    await server.query('iam', '2010-05-08', 'CreateUser', { UserName: 'ann' });
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }] };
    await server.query('iam', '2010-05-08', 'PutUserPolicy', { UserName: 'ann', PolicyName: 'p', PolicyDocument: JSON.stringify(policy) });
    const key = await server.query('iam', '2010-05-08', 'CreateAccessKey', { UserName: 'ann' });
    const part = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(key)?.[1] ?? '';
    const page = await browser.context.newPage();
    await page.goto(browser.url('/storage'));
    await signIn(page, part('AccessKeyId'), part('SecretAccessKey'));
    await signedInAs(page, 'ann');
    await page.getByText('No buckets yet').waitFor();
    // Refused is not signed out.
    await page.getByRole('link', { name: 'Databases', exact: true }).click();
    await page.getByText('AccessDeniedException').waitFor();
    await signedInAs(page, 'ann');
  });

  test('a session that the server no longer takes leads to the login page and back', async () => {
    const page = await browser.signedIn('/storage');
    await server.advance(13 * 3600);
    // The page asks for its buckets again every few seconds, and hears of it.
    await page.getByText('Your session has ended').waitFor();
    await signIn(page, 'test', 'test');
    await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
  });

  test('a link older than a quarter of an hour is none', async () => {
    const late = await Server.start({ clock: true });
    try {
      await late.advance(901);
      const page = await browser.context.newPage();
      await page.goto(late.link);
      await page.getByText('This link does not work any more').waitFor();
    } finally {
      await late.stop();
    }
    browser.strangers.length = 0;
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
