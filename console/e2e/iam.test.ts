import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Credentials } from '../src/aws/sigv4';
import { Browser, barriers, screenshot, signIn } from './browser';
import { Server } from './server';

const run = promisify(execFile);

const ACCOUNT = '000000000000';
const BUCKET = 'anns-results';
const LISTING = { Version: '2012-10-17', Statement: [{ Sid: 'Databases', Effect: 'Allow', Action: 'glue:GetDatabases', Resource: '*' }] };

describe('identity and audit', () => {
  let server: Server;
  let browser: Browser;
  let key: Credentials;

  const iam = (action: string, parameters: Record<string, string> = {}) => server.query('iam', '2010-05-08', action, parameters);

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    await server.put('flights-raw');
    const sales = {
      Version: '2012-10-17',
      Statement: [
        { Sid: 'List', Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: 'arn:aws:s3:::flights-raw', Condition: { StringLike: { 's3:prefix': 'sales/*' } } },
        { Sid: 'Objects', Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:PutObjectTagging'], Resource: 'arn:aws:s3:::flights-raw/sales/*' },
        { Sid: 'Catalogue', Effect: 'Allow', Action: ['glue:GetTable', 'glue:GetTables', 'glue:GetPartitions'], Resource: '*' },
        { Sid: 'NoDeletion', Effect: 'Deny', Action: ['s3:DeleteObject', 's3:DeleteBucket'], Resource: '*' },
      ],
    };
    await iam('CreatePolicy', { PolicyName: 'sales-data', PolicyDocument: JSON.stringify(sales), Description: 'What the sales team reads and writes' });
    await iam('CreateGroup', { GroupName: 'analysts' });
    await iam('AttachGroupPolicy', { GroupName: 'analysts', PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/sales-data` });
    await iam('CreateGroup', { GroupName: 'operators' });
    for (const name of ['bert', 'carla', 'dora']) {
      await iam('CreateUser', { UserName: name });
      await iam('AddUserToGroup', { UserName: name, GroupName: name === 'dora' ? 'operators' : 'analysts' });
    }
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Makes a call as a user: with boto3 where there is one, else signed here. Answers the error's words; none if it passes. */
  async function call(operation: 'create_bucket' | 'get_databases', credentials: Credentials): Promise<string | undefined> {
    const isBucket = operation === 'create_bucket';
    try {
      const python = process.env.BOATHOUSE_PYTHON;
      if (python) {
        const script =
          'import boto3, json, sys\n' +
          'endpoint, key, secret, service, operation, parameters = sys.argv[1:]\n' +
          "client = boto3.client(service, endpoint_url=endpoint, region_name='us-east-1', aws_access_key_id=key, aws_secret_access_key=secret)\n" +
          'getattr(client, operation)(**json.loads(parameters))\n';
        const parameters = JSON.stringify(isBucket ? { Bucket: BUCKET } : {});
        await run(python, ['-c', script, server.endpoint, credentials.accessKeyId, credentials.secretAccessKey, isBucket ? 's3' : 'glue', operation, parameters]);
      } else if (isBucket) {
        await server.call('s3', { method: 'PUT', path: `/${BUCKET}`, body: '' }, credentials);
      } else {
        const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSGlue.GetDatabases' };
        await server.call('glue', { method: 'POST', path: '/', headers, body: '{}' }, credentials);
      }
      return undefined;
    } catch (error) {
      return String((error as { stderr?: string }).stderr || error);
    }
  }

  const tab = (page: Page, name: string | RegExp) => page.getByRole('tab', { name }).click();
  const write = async (page: Page, label: string, text: string) => {
    const editor = page.getByLabel(label, { exact: true });
    await editor.click();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.insertText(text);
  };

  test('a user is made with a policy and a key whose secret is shown once', async () => {
    const page = await browser.signedIn('/operations/iam/users');
    await page.getByRole('link', { name: 'bert' }).waitFor();
    await page.getByRole('button', { name: 'Create user' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Create user' });
    await dialog.getByLabel('User name').fill('ann smith');
    await dialog.getByText(/Up to 64 letters/).waitFor();
    await dialog.getByLabel('User name').fill('ann');
    await dialog.getByRole('button', { name: /Groups/ }).click();
    await page.getByRole('option', { name: 'operators' }).click();
    await page.keyboard.press('Escape');
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create user' }).click();
    const secret = page.getByRole('dialog', { name: 'Access key of ann' });
    await secret.getByRole('button', { name: 'Show' }).click();
    const shown = (await secret.getByLabel('Secret access key', { exact: true }).textContent()) ?? '';
    const id = (await secret.locator('code').first().textContent()) ?? '';
    expect([shown.length, id.slice(0, 4)]).toEqual([40, 'AKIA']);
    expect(await barriers(page)).toEqual([]);
    await secret.getByRole('button', { name: 'Hide' }).click();
    await screenshot(page, 'iam-key');
    await secret.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('heading', { name: 'ann', level: 1 }).waitFor();
    // Neither the page, nor what the browser keeps, nor the server's log or history knows it any more.
    expect(await page.content()).not.toContain(shown);
    expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }))).not.toContain(shown);
    expect(server.log).not.toContain(shown);
    const history = await server.json<object>('cloudtrail', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents', {});
    expect(JSON.stringify(history)).not.toContain(shown);
    key = { accessKeyId: id, secretAccessKey: shown };

    await page.getByRole('button', { name: 'Write inline policy' }).click();
    const policy = page.getByRole('dialog', { name: 'New inline policy of ann' });
    await policy.getByLabel('Policy name').fill('listing');
    await write(page, 'Document', '{\n  "Version": "2012-10-17",\n  "Statement": [\n}');
    await policy.getByText(/^Line 4: /).waitFor();
    await write(page, 'Document', JSON.stringify(LISTING, null, 2));
    await policy.getByRole('table', { name: 'What it would allow' }).getByText('GetDatabases').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-inline');
    await policy.getByRole('button', { name: 'Save policy' }).click();
    await page.getByText('Inline policy listing of ann: saved').waitFor();
    await page.getByRole('button', { name: 'listing', exact: true }).click();
    await page.getByRole('table', { name: 'What listing allows' }).getByText('GetDatabases').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-user');
    expect(await call('get_databases', key)).toBeUndefined();
    await page.close();
  }, 120_000);

  test('a denied call is found in the audit log, explained, and allowed', async () => {
    expect(await call('create_bucket', key)).toContain('is not authorized to perform: s3:CreateBucket');
    const others: [string, string][] = [['athena', 'AmazonAthena.ListWorkGroups'], ['states', 'AWSStepFunctions.ListStateMachines'], ['glue', 'AWSGlue.GetCrawlers'], ['glue', 'AWSGlue.GetJobs']];
    for (const [service, target] of others) {
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
      await expect(server.call(service, { method: 'POST', path: '/', headers, body: '{}' }, key)).rejects.toThrow('AccessDenied');
    }
    const page = await browser.signedIn('/operations/audit?kind=denied');
    await page.getByRole('button', { name: 'CreateBucket by ann' }).click();
    const event = page.getByRole('region', { name: 'Event', exact: true });
    await event.getByText('AccessDenied').first().waitFor();
    await event.getByText(key.accessKeyId).first().waitFor();
    await event.getByText('"eventVersion"').first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'audit-event', 1000);
    await page.getByRole('link', { name: 'Why was CreateBucket by ann denied?' }).click();
    await page.getByText('s3:CreateBucket is denied').waitFor();
    // S3's words name the resource, and so does the question.
    expect(new URL(page.url()).searchParams.get('resource')).toBe(`arn:aws:s3:::${BUCKET}`);
    await page.getByText('No policy that has a say allows it.').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('With it, the call is allowed').waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await screenshot(page, 'iam-explain', 1000);
    await page.getByRole('button', { name: 'Add it to ann' }).click();
    await page.getByText('s3:CreateBucket is allowed').waitFor();
    await page.getByText('Allows it').first().waitFor();
    expect((await page.locator('.bh-mark-good').allTextContents()).join('')).toContain('AllowCreateBucket');
    expect(await barriers(page)).toEqual([]);
    await page.evaluate(() => scrollTo(0, 0));
    await screenshot(page, 'iam-explain-allowed', 1000);
    expect(await call('create_bucket', key)).toBeUndefined();
    await page.close();
  }, 120_000);

  test('a pasted message is read; what denies, what comes near, and what is not known are shown', async () => {
    const page = await browser.signedIn('/operations/iam/explain');
    await page.getByText('Nothing asked yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('textbox', { name: 'Error message' }).fill('The table is full');
    await page.getByText(/so it is not from a policy/).waitFor();
    await page.getByRole('textbox', { name: 'Error message' }).fill(`An error occurred (AccessDenied) when calling the DeleteObject operation: User: arn:aws:iam::${ACCOUNT}:user/bert is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::flights-raw/sales/a.csv" with an explicit deny in an identity-based policy`);
    await page.getByText('s3:DeleteObject is denied').waitFor();
    await page.getByText('A statement denies it.').waitFor();
    // The statement that denies is marked in the document.
    const marked = await page.locator('.bh-mark-bad').allTextContents();
    expect(marked.join('\n')).toContain('NoDeletion');
    expect(marked.join('\n')).not.toContain('Catalogue');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-explain-deny', 1000);
    const bert = encodeURIComponent(`arn:aws:iam::${ACCOUNT}:user/bert`);
    await page.goto(browser.url(`/operations/iam/explain?principal=${bert}&action=s3:GetObject&resource=${encodeURIComponent('arn:aws:s3:::flights-raw/hr/a.csv')}`));
    await page.getByText(/Statement Objects allows the action, but on arn:aws:s3:::flights-raw\/sales\/\* only/).waitFor();
    await page.goto(browser.url(`/operations/iam/explain?principal=${bert}&action=s3:ListBucket&resource=${encodeURIComponent('arn:aws:s3:::flights-raw')}`));
    await page.getByLabel('s3:prefix').fill('sales/2026/');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByText('s3:ListBucket is allowed').waitFor();
    await page.close();
  });

  test('a boundary holds back what policies allow', async () => {
    await iam('CreateUser', { UserName: 'emil' });
    await iam('AttachUserPolicy', { UserName: 'emil', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' });
    const page = await browser.signedIn('/operations/iam/users/emil');
    await page.getByRole('button', { name: 'Set boundary' }).click();
    const dialog = page.getByRole('dialog', { name: 'Permissions boundary of emil' });
    await dialog.getByPlaceholder('Find in policies to choose from').fill('S3ReadOnly');
    await dialog.getByLabel(/^Choose .*AmazonS3ReadOnlyAccess$/).check();
    await dialog.getByRole('button', { name: 'Set boundary' }).click();
    await page.getByText('emil is bounded by AmazonS3ReadOnlyAccess').waitFor();
    await page.goto(browser.url(`/operations/iam/explain?principal=${encodeURIComponent(`arn:aws:iam::${ACCOUNT}:user/emil`)}&action=glue:GetTable`));
    await page.getByText('Policies allow it, but it is beyond the permissions boundary.').waitFor();
    await page.getByText('Does not let it through').waitFor();
    await page.close();
  });

  test('keys are rotated: a second one, the first out of use, then gone', async () => {
    const page = await browser.signedIn('/operations/iam/users/ann?tab=keys');
    await page.getByText(/ in (s3|glue)$/).waitFor();
    await page.getByRole('button', { name: 'Rotate: create the second key' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('button', { name: `Deactivate ${key.accessKeyId}` }).click();
    await page.getByText('Inactive').waitFor();
    expect(await call('get_databases', key)).toMatch(/Unrecognized|InvalidClientTokenId|security token/);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-keys');
    await page.getByRole('button', { name: `Activate ${key.accessKeyId}` }).click();
    await page.getByText(`${key.accessKeyId} is in use again`).waitFor();
    await page.close();
  });

  test('a role is made for a service, and its trust is told in words', async () => {
    const page = await browser.signedIn('/operations/iam/roles');
    await page.getByText('No roles yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create role' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Create role' });
    await dialog.getByLabel('Role name').fill('crawler');
    await dialog.getByRole('button', { name: /Service/ }).click();
    await page.getByRole('option', { name: /Glue: jobs and crawlers/ }).click();
    await dialog.getByText('the service glue.amazonaws.com').waitFor();
    await dialog.getByText('AWSGlueServiceRole').first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create role' }).click();
    await page.getByRole('heading', { name: 'crawler', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'AWSGlueServiceRole', exact: true }).waitFor();
    await tab(page, 'Trust');
    await page.getByRole('button', { name: 'Edit trust policy' }).click();
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: ['glue.amazonaws.com', 'lambda.amazonaws.com'] }, Action: 'sts:AssumeRole' }] };
    await write(page, 'Document', JSON.stringify(trust, null, 2));
    await page.getByRole('button', { name: 'Save trust policy' }).click();
    await page.getByText('Trust policy of crawler: saved').waitFor();
    await page.getByText('the service glue.amazonaws.com, the service lambda.amazonaws.com').waitFor();
    expect(await iam('GetRole', { RoleName: 'crawler' })).toContain('lambda.amazonaws.com');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-role');
    await page.goto(browser.url('/operations/iam/roles'));
    await page.getByText('glue, lambda').waitFor();
    await page.close();
  });

  test('a policy has versions, is tried, and says who holds it', async () => {
    const page = await browser.signedIn('/operations/iam/policies');
    await page.getByRole('link', { name: 'sales-data' }).click();
    const summary = page.getByRole('table', { name: 'What sales-data allows' });
    await summary.getByText('s3:prefix is like sales/*').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-policy');
    await tab(page, 'Try it');
    await page.getByLabel('Action').fill('s3:DeleteObject');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('s3:DeleteObject is denied').waitFor();
    expect((await page.locator('.bh-mark-bad').allTextContents()).join('')).toContain('NoDeletion');
    await tab(page, 'Document');
    await page.getByRole('button', { name: 'Edit document' }).click();
    await write(page, 'Document', JSON.stringify(LISTING));
    await page.getByRole('button', { name: 'Save as new version' }).click();
    await page.getByText('sales-data: saved as a new version').waitFor();
    await tab(page, 'Versions');
    await page.getByRole('button', { name: 'Let v1 count' }).click();
    await page.getByText('v1 of sales-data counts now').waitFor();
    await page.getByRole('button', { name: 'Delete v2' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('v2 of sales-data is deleted').waitFor();
    await tab(page, 'Attached to');
    await page.getByRole('link', { name: 'analysts' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.goto(browser.url(`/operations/iam/policies/${encodeURIComponent('arn:aws:iam::aws:policy/AmazonAthenaFullAccess')}?tab=document`));
    await page.getByText(/own policies can.t be changed/).waitFor();
    expect(await page.getByRole('button', { name: 'Edit document' }).count()).toBe(0);
    await page.close();
  });

  test('groups have members, and deleting says what hangs on it', async () => {
    const page = await browser.signedIn('/operations/iam/groups');
    await page.getByRole('link', { name: 'analysts' }).click();
    await tab(page, /Members/);
    await page.getByRole('link', { name: 'carla' }).waitFor();
    await page.getByRole('button', { name: 'Add members' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add members to analysts' });
    await dialog.getByRole('button', { name: /Users/ }).click();
    await page.getByRole('option', { name: 'dora' }).click();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('link', { name: 'dora' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-group');
    await page.goto(browser.url('/operations/iam/users/carla'));
    await page.getByText('Customer managed, through group analysts').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const removal = page.getByRole('dialog', { name: /Delete user carla/ });
    await removal.getByText('Membership of analysts').waitFor();
    await removal.getByLabel('To confirm, type carla').fill('carla');
    await removal.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('User carla is deleted').waitFor();
    await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'carla' }).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-users');
    await page.close();
  });

  test('the audit log is filtered, reads on, and follows', async () => {
    const page = await browser.signedIn('/operations/audit');
    const rows = page.getByRole('region', { name: 'Events, rows' });
    await rows.getByRole('button', { name: 'CreateBucket by ann' }).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'audit-log');
    for (let number = 0; number < 240; number += 1) await iam('TagUser', { UserName: 'bert', 'Tags.member.1.Key': 'n', 'Tags.member.1.Value': `${number}` });
    await page.getByRole('button', { name: 'Read again' }).click();
    await rows.getByRole('button', { name: 'TagUser by root' }).first().waitFor();
    // What is older is read when the end comes in sight.
    for (let times = 0; times < 3; times += 1) {
      await rows.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await page.waitForTimeout(300);
    }
    await page.getByText(/that is all of this time/).waitFor();
    await page.getByRole('searchbox', { name: 'Event name' }).fill('CreateUser');
    await page.keyboard.press('Enter');
    await rows.getByRole('button', { name: 'CreateUser by root' }).first().waitFor();
    await expect.poll(() => rows.getByRole('button', { name: 'TagUser by root' }).count()).toBe(0);
    await page.getByRole('searchbox', { name: 'Resource' }).fill('emil');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: /^1 shown of/ }).waitFor();
    expect(new URL(page.url()).searchParams.get('resource')).toBe('emil');
    await page.goto(browser.url('/operations/audit?name=CreateGroup&follow=1'));
    await rows.getByRole('button', { name: 'CreateGroup by root' }).first().waitFor();
    await page.getByText(/^2 shown/).waitFor();
    await iam('CreateGroup', { GroupName: 'late' });
    await page.getByText(/^3 shown/).waitFor();
    await page.goto(browser.url('/operations/audit?range=1577836800000~1577923200000'));
    await page.getByText('No such calls').waitFor();
    await page.close();
  });

  test('who may not read is told so', async () => {
    const page = await browser.context.newPage();
    await page.goto(browser.url('/login?return=/operations/iam/users'));
    await signIn(page, key.accessKeyId, key.secretAccessKey);
    await page.getByText("Users can't be read").waitFor();
    await page.getByText(/is not authorized to perform: iam:ListUsers/).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'iam-denied');
    for (const [path, words] of [
      ['/operations/iam/users/bert', /iam:GetUser/],
      ['/operations/iam/roles', /iam:ListRoles/],
      ['/operations/iam/groups/analysts', /iam:GetGroup/],
      ['/operations/iam/policies', /iam:ListPolicies/],
      ['/operations/audit', /cloudtrail:LookupEvents/],
      [`/operations/iam/explain?principal=arn:aws:iam::${ACCOUNT}:user/ann&action=glue:GetTable`, /iam:SimulatePrincipalPolicy/],
    ] as const) {
      await page.goto(browser.url(path));
      await page.getByText(words).first().waitFor();
      expect(await barriers(page), path).toEqual([]);
    }
    await page.close();
  });

  test('the palette finds users, roles, groups and policies', async () => {
    const page = await browser.signedIn('/');
    await page.keyboard.press('Control+k');
    const input = page.getByRole('combobox');
    for (const name of ['dora', 'crawler', 'analysts', 'sales-data']) {
      await input.fill(name);
      await page.getByRole('option', { name: new RegExp(`^${name}`) }).first().waitFor();
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'sales-data', level: 1 }).waitFor();
    await page.close();
  });

  test('nothing came from elsewhere, and nothing complained', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
