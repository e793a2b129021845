import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

const trust = (service: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] });

describe('the platform as a picture', () => {
  let server: Server;
  let browser: Browser;
  let machine = '';

  const role = async (name: string, service: string) => {
    const answer = await server.query('iam', '2010-05-08', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: trust(service) });
    return /<Arn>(.*?)<\/Arn>/.exec(answer)?.[1] ?? '';
  };

  beforeAll(async () => {
    server = await Server.start();
    for (const bucket of ['landing', 'raw', 'lonely']) await server.put(bucket);
    const firehose = await role('deliver', 'firehose.amazonaws.com');
    await server.json('firehose', 'Firehose_20150804.CreateDeliveryStream', {
      DeliveryStreamName: 'departures',
      ExtendedS3DestinationConfiguration: { BucketARN: 'arn:aws:s3:::landing', RoleARN: firehose },
    });
    await server.json('glue', 'AWSGlue.CreateDatabase', { DatabaseInput: { Name: 'flights' } });
    const crawl = await role('crawl', 'glue.amazonaws.com');
    const targets = { S3Targets: [{ Path: 's3://raw/flights/' }] };
    await server.json('glue', 'AWSGlue.CreateCrawler', { Name: 'look', Role: crawl, DatabaseName: 'flights', Targets: targets });
    const definition = JSON.stringify({
      StartAt: 'Ask',
      States: {
        Ask: { Type: 'Pass', Parameters: { crawler: 'look' }, Next: 'Break' },
        Break: { Type: 'Fail', Error: 'Broken', Cause: 'the test wants it' },
      },
    });
    const roleArn = await role('run', 'states.amazonaws.com');
    const made = await server.json<{ stateMachineArn: string }>('states', 'AWSStepFunctions.CreateStateMachine', { name: 'daily', definition, roleArn }, '1.0');
    machine = made.stateMachineArn;
    browser = await Browser.open(server);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('what is deployed is drawn, counted and leads to itself', async () => {
    const page = await browser.signedIn('/');
    const flow = page.getByRole('group', { name: 'How data flows' });
    for (const name of ['Delivery stream, departures', 'Bucket, landing', 'Bucket, raw', 'Crawler, look', 'Database, flights, 0 tables', 'State machine, daily']) {
      await flow.getByRole('group', { name, exact: true }).waitFor();
    }
    await page.getByText('Not connected with anything:').getByRole('link', { name: 'lonely' }).waitFor();
    const counts = page.getByRole('region', { name: 'Responsibilities' });
    await counts.getByText('3 buckets').waitFor();
    await counts.getByText('1 state machine').waitFor();
    expect(await barriers(page)).toEqual([]);

    await flow.getByRole('group', { name: 'Bucket, landing' }).click();
    await page.waitForURL(browser.url('/storage/buckets/landing'));
    await page.goBack();
    await flow.getByRole('group', { name: 'State machine, daily' }).press('Enter');
    await page.waitForURL(browser.url('/pipelines/machines/daily'));
  });

  test('a run that fails shows without a click', async () => {
    const page = await browser.signedIn('/');
    await page.getByRole('heading', { name: 'How data flows' }).waitFor();
    await server.json('states', 'AWSStepFunctions.StartExecution', { stateMachineArn: machine, name: 'first' }, '1.0');
    const failure = page.getByRole('region', { name: 'Failures' }).getByRole('link', { name: /Execution failed/ });
    await failure.getByText('Broken: the test wants it').waitFor({ timeout: 30_000 });
    await page.getByRole('region', { name: 'Recent runs', exact: true }).getByRole('link', { name: 'daily' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'home');
    await failure.click();
    await page.waitForURL((url) => decodeURIComponent(url.pathname).endsWith(':execution:daily:first'));
  });

  test('who may read little sees that, and is told what is left out', async () => {
    await server.query('iam', '2010-05-08', 'CreateUser', { UserName: 'bob' });
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }] });
    await server.query('iam', '2010-05-08', 'PutUserPolicy', { UserName: 'bob', PolicyName: 'p', PolicyDocument: policy });
    const key = await server.query('iam', '2010-05-08', 'CreateAccessKey', { UserName: 'bob' });
    const part = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(key)?.[1] ?? '';
    const page = await browser.context.newPage();
    await page.goto(browser.url('/'));
    await page.getByLabel('Access key ID').fill(part('AccessKeyId'));
    await page.getByLabel('Secret access key').fill(part('SecretAccessKey'));
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('region', { name: 'Responsibilities' }).getByText('3 buckets').waitFor();
    await page.getByText(/You may not read .*crawlers.*state machines/).waitFor();
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
