import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot, signIn } from './browser';
import { Server } from './server';

const FLIGHTS = [
  'flight,carrier,origin,destination,distance,delay',
  ...Array.from({ length: 4000 }, (_, at) => `${1000 + at},${['UA', 'AA', 'DL', 'B6'][at % 4]},JFK,"Paris, ${['CDG', 'ORY'][at % 2]}",${5000 + (at % 700)},${(at % 45) - 10}`),
].join('\n');

/** A picture of one pixel. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

describe('storage', () => {
  let server: Server;
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    folder = mkdtempSync(join(tmpdir(), 'boathouse-files-'));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const file = (name: string, body: string | Buffer) => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, body);
    return path;
  };
  const status = (page: Page, text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).first().waitFor();

  test('a bucket is made, with a name that may be one', async () => {
    const page = await browser.signedIn('/storage');
    await page.getByText('No buckets yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create bucket' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Create bucket' });
    await dialog.getByLabel('Bucket name').fill('No Bucket');
    await dialog.getByRole('button', { name: 'Create bucket' }).click();
    await dialog.getByText('Lower-case letters, digits, dots and hyphens only.').waitFor();
    await dialog.getByLabel('Bucket name').fill('flights-raw');
    await dialog.getByLabel('Versioning').check();
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create bucket' }).click();
    await page.getByRole('heading', { name: 'flights-raw', level: 1 }).waitFor();
    await page.getByText('No objects yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('files and a folder are uploaded, large ones in parts', async () => {
    const page = await browser.signedIn('/storage/buckets/flights-raw');
    await page.getByText('No objects yet').waitFor();
    const large = Buffer.alloc(20 * 1024 * 1024, 'boathouse');
    const files = [file('flights.csv', FLIGHTS), file('large.bin', large), file('pixel.png', PNG)];
    await page.getByLabel('Files to upload').first().setInputFiles(files);
    await page.getByRole('link', { name: 'large.bin' }).waitFor();
    await page.getByText('3 files uploaded').waitFor();
    file('tree/2026/01/a.json', '{"a":1}\n{"a":2,"b":"x"}\n');
    file('tree/notes.txt', 'hello');
    await page.getByLabel('Folder to upload').first().setInputFiles(join(folder, 'tree'));
    await page.getByRole('link', { name: 'tree/' }).click();
    await page.getByRole('link', { name: '2026/' }).waitFor();
    await page.getByRole('link', { name: 'notes.txt' }).waitFor();
    await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: 'flights-raw' }).click();
    await page.getByRole('link', { name: 'large.bin' }).waitFor();
    const back = await server.call('s3', { method: 'GET', path: '/flights-raw/large.bin' });
    expect(back.length).toBe(large.length);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-objects');
    await page.close();
  });

  test('dropped files are uploaded, and a cancelled upload leaves no parts', async () => {
    const page = await browser.signedIn('/storage/buckets/flights-raw?prefix=dropped/');
    await page.getByText('Nothing in this folder').waitFor();
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(['a,b\n1,2\n'], 'small.csv'));
      return data;
    });
    await page.getByRole('region', { name: 'Objects in flights-raw/dropped/' }).dispatchEvent('drop', { dataTransfer: transfer });
    await page.getByRole('link', { name: 'small.csv' }).waitFor();
    // The second part never arrives, so that the upload is still there to be cancelled.
    let reached: () => void = () => undefined;
    const second = new Promise<void>((done) => (reached = done));
    await page.route(/partNumber=2/, () => reached());
    await page.getByLabel('Files to upload').first().setInputFiles(file('big.bin', Buffer.alloc(30 * 1024 * 1024, 1)));
    await second;
    await page.getByRole('progressbar').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-upload');
    const gone = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await page.getByRole('button', { name: 'Cancel all' }).click();
    expect((await gone).status()).toBe(204);
    await status(page, '1 cancelled');
    const uploads = await server.call('s3', { method: 'GET', path: '/flights-raw', query: [['uploads', '']] });
    expect(uploads).not.toContain('<Upload>');
    await page.close();
  });

  test('a CSV file is shown as rows, by ranges', async () => {
    await server.put('flights-raw/year.csv', `${FLIGHTS}\n${FLIGHTS.slice(FLIGHTS.indexOf('\n') + 1)}\n`.repeat(4));
    const page = await browser.signedIn('/storage/buckets/flights-raw');
    const ranges: string[] = [];
    page.on('request', (request) => ranges.push(request.headers().range ?? ''));
    await page.getByRole('link', { name: 'year.csv' }).click();
    await page.getByRole('columnheader', { name: 'destination' }).waitFor();
    await page.getByRole('cell', { name: 'Paris, CDG' }).first().waitFor();
    await status(page, /^256 KB of .* read/);
    await page.getByRole('button', { name: 'Read more' }).click();
    await status(page, /^512 KB of .* read/);
    expect(ranges.filter(Boolean)).toEqual(['bytes=0-4095', 'bytes=0-262143', 'bytes=262144-524287']);
    await page.getByPlaceholder('Find in rows').fill('1042');
    await page.getByText(/ of [\d,]+$/).first().waitFor();
    await page.getByPlaceholder('Find in rows').fill('');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-preview-csv');
    await page.close();
  });

  test('JSON, compressed files, text and pictures are shown', async () => {
    await server.call('s3', { method: 'PUT', path: '/flights-raw/days.json.gz', body: gzipSync('[{"day":"2026-01-01","flights":12},{"day":"2026-01-02","flights":9}]') });
    await server.put('flights-raw/document.json', '{"name":"x","list":[1,2]}');
    const page = await browser.signedIn('/storage/buckets/flights-raw/object?key=days.json.gz');
    await page.getByRole('columnheader', { name: 'flights' }).waitFor();
    await page.getByRole('cell', { name: '2026-01-02' }).waitFor();
    await page.goto(browser.url('/storage/buckets/flights-raw/object?key=document.json'));
    await page.getByLabel('Document').getByText('"name"').waitFor();
    await page.goto(browser.url('/storage/buckets/flights-raw/object?key=tree%2Fnotes.txt'));
    await page.getByLabel('Text', { exact: true }).getByText('hello').waitFor();
    await page.goto(browser.url('/storage/buckets/flights-raw/object?key=pixel.png'));
    await page.getByRole('img', { name: 'pixel.png' }).waitFor();
    await page.goto(browser.url('/storage/buckets/flights-raw/object?key=large.bin'));
    await page.getByLabel('Text', { exact: true }).waitFor();
    await page.goto(browser.url('/storage/buckets/flights-raw/object?key=no.such'));
    await page.getByText('There is no such object now').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('tags, metadata and a presigned link', async () => {
    const page = await browser.signedIn('/storage/buckets/flights-raw/object?key=flights.csv&tab=properties');
    await page.getByRole('button', { name: 'Edit tags' }).click();
    await page.getByLabel('Key 1').fill('owner');
    await page.getByLabel('Value 1').fill('data team');
    await page.getByRole('button', { name: 'Save tags' }).click();
    await page.getByRole('listitem').filter({ hasText: 'data team' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-properties');
    await page.getByRole('button', { name: 'Share' }).click();
    const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
    expect(await barriers(page)).toEqual([]);
    const response = await fetch(link);
    expect([response.status, (await response.text()).startsWith('flight,carrier')]).toEqual([200, true]);
    await page.close();
  });

  test('an overwritten version is restored, a deleted object too', async () => {
    await server.put('flights-raw/note.txt', 'first');
    await server.put('flights-raw/note.txt', 'second');
    const read = () => server.call('s3', { method: 'GET', path: '/flights-raw/note.txt' });
    const page = await browser.signedIn('/storage/buckets/flights-raw/object?key=note.txt&tab=versions');
    const rows = page.getByRole('table', { name: 'Versions' }).locator('tbody tr');
    await rows.nth(1).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Restore' }).click();
    await rows.nth(2).waitFor();
    expect(await read()).toBe('first');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-versions');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'flights-raw', level: 1 }).waitFor();
    await expect(read()).rejects.toThrow('NoSuchKey');
    await page.goto(browser.url('/storage/buckets/flights-raw/object?key=note.txt&tab=versions'));
    await page.getByText('Delete marker').waitFor();
    await rows.nth(0).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByText('Delete marker', { exact: true }).waitFor({ state: 'detached' });
    expect(await read()).toBe('first');
    await page.close();
  });

  test('a bucket is configured', async () => {
    const page = await browser.signedIn('/storage/buckets/flights-raw?tab=properties');
    await page.getByRole('button', { name: 'Calculate size' }).click();
    await status(page, /^\d+ objects, \d+(\.\d+)? MB$/);
    await page.getByRole('button', { name: 'Edit encryption' }).click();
    await page.getByRole('radio', { name: 'SSE-S3' }).check();
    await page.getByRole('button', { name: 'Save encryption' }).click();
    await page.getByText('SSE-S3 (AES256): with a key of the server.').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Management' }).click();
    await page.getByRole('button', { name: 'Add: Lifecycle rules' }).click();
    await page.getByLabel('Lifecycle rules').getByText('expire-temporary').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('expire after 7 days').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-management');
    await page.getByRole('tab', { name: 'Permissions' }).click();
    await page.getByLabel('BlockPublicPolicy').waitFor();
    await page.getByRole('button', { name: 'Add: Cross-origin resource sharing (CORS)' }).click();
    await page.getByLabel('Cross-origin resource sharing (CORS)').getByText('https://example.com').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Cross-origin resource sharing (CORS): saved').waitFor();
    await page.getByRole('button', { name: 'Add: Bucket policy' }).click();
    await page.getByLabel('Bucket policy').getByText('2012-10-17').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Bucket policy: saved').waitFor();
    await page.getByRole('button', { name: 'Edit: Bucket policy' }).click();
    await page.getByRole('textbox', { name: 'Bucket policy' }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText('{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('MalformedPolicy').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-permissions');
    await page.close();
  });

  test('folders are made and deleted, objects downloaded', async () => {
    const page = await browser.signedIn('/storage/buckets/flights-raw');
    await page.getByRole('button', { name: 'Create folder' }).click();
    await page.getByLabel('Folder name').fill('empty/inner');
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Create folder' }).click();
    await page.getByRole('link', { name: 'empty/' }).click();
    await page.getByRole('link', { name: 'inner/' }).click();
    await page.getByText('Nothing in this folder').waitFor();
    await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: 'flights-raw' }).click();
    await page.getByRole('checkbox', { name: 'Choose flights.csv' }).check();
    const arrives = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    expect((await arrives).suggestedFilename()).toBe('flights.csv');
    await page.getByRole('checkbox', { name: 'Choose flights.csv' }).uncheck();
    await page.getByRole('checkbox', { name: 'Choose empty/' }).check();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('Everything below a folder goes with it').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('link', { name: 'empty/' }).waitFor({ state: 'detached' });
    await page.close();
  });

  test('who may only look is told why an upload fails', async () => {
    await server.query('iam', '2010-05-08', 'CreateUser', { UserName: 'ann' });
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['s3:List*', 's3:GetBucket*'], Resource: '*' }] };
    await server.query('iam', '2010-05-08', 'PutUserPolicy', { UserName: 'ann', PolicyName: 'look', PolicyDocument: JSON.stringify(policy) });
    const key = await server.query('iam', '2010-05-08', 'CreateAccessKey', { UserName: 'ann' });
    const part = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(key)?.[1] ?? '';
    const page = await browser.context.newPage();
    await page.goto(browser.url('/login?return=/storage/buckets/flights-raw'));
    await signIn(page, part('AccessKeyId'), part('SecretAccessKey'));
    await page.getByRole('link', { name: 'flights.csv' }).waitFor();
    await page.getByLabel('Files to upload').first().setInputFiles(file('refused.csv', 'a,b\n'));
    await page.getByText('AccessDenied').first().waitFor();
    await page.getByRole('button', { name: 'Try again: refused.csv' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('link', { name: 'flights.csv' }).click();
    await page.getByText("The object can't be read").waitFor();
    await page.close();
  });

  test('thousands of keys are listed as somebody scrolls, chosen and deleted', async () => {
    await server.put('many');
    const names = Array.from({ length: 2300 }, (_, at) => `many/part-${String(at).padStart(5, '0')}.json`);
    for (let at = 0; at < names.length; at += 100) await Promise.all(names.slice(at, at + 100).map((name) => server.put(name, '{}')));
    const page = await browser.signedIn('/storage/buckets/many');
    await status(page, '1,000 entries so far');
    const rows = page.getByRole('region', { name: 'Objects, rows' });
    await rows.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await status(page, '2,000 entries so far');
    await rows.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await status(page, '2,300 entries');
    expect(await page.locator('tbody tr').count()).toBeLessThan(80);
    await page.getByLabel('Find keys by prefix').fill('part-0001');
    await status(page, '10 entries');
    await page.getByLabel('Choose all objects').check();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No key begins so').waitFor();
    await page.getByRole('button', { name: 'Delete bucket' }).click();
    await page.getByRole('dialog').getByText('more than 1,000 objects and versions').waitFor();
    await page.getByRole('dialog').getByLabel('To confirm, type many').fill('many');
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'flights-raw' }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'many' }).count()).toBe(0);
    await screenshot(page, 'storage-buckets');
    await page.close();
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
