/** Ten thousand of a thing: its list shows at once, scrolls and filters without a wait, and asks the server for no more than it shows. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser } from './browser';
import { Server } from './server';

const MANY = 10_000;
/** Rows that a table may have in the document. */
const ROWS = 90;

describe('ten thousand', () => {
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

  test('executions of a machine', { timeout: 240_000 }, async () => {
    const role = await roleOf(server, 'states');
    const definition = JSON.stringify({ StartAt: 'Only', States: { Only: { Type: 'Pass', End: true } } });
    const { stateMachineArn } = await server.json<{ stateMachineArn: string }>('states', 'AWSStepFunctions.CreateStateMachine', { name: 'busy', definition, roleArn: role }, '1.0');
    await each(MANY, (at) => server.json('states', 'AWSStepFunctions.StartExecution', { stateMachineArn, name: `run-${at}`, input: '{}' }, '1.0'));
    const page = await browser.signedIn('/');
    const calls = counted(page, 'ListExecutions');
    const took = await timed(async () => {
      await page.goto(browser.url('/pipelines/machines/busy?tab=executions'));
      await page.getByRole('row', { name: /run-\d+.*Succeeded/ }).first().waitFor();
    });
    expect(took).toBeLessThan(4_000);
    expect(calls()).toBeLessThanOrEqual(2);
    const region = page.getByRole('region', { name: 'Executions, rows' });
    await expect
      .poll(async () => {
        await region.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        return Number((await page.getByRole('table', { name: 'Executions' }).getAttribute('aria-rowcount')) ?? 0) - 1;
      }, { timeout: 60_000, interval: 100 })
      .toBe(MANY);
    expect(await page.getByRole('table', { name: 'Executions' }).getByRole('row').count()).toBeLessThan(ROWS);
    const found = await timed(async () => {
      await page.getByRole('searchbox', { name: 'Find in executions' }).fill('run-77');
      await page.getByText('111 of 10,000').first().waitFor();
      await page.getByRole('row', { name: /^run-77/ }).first().waitFor();
    });
    expect(found).toBeLessThan(1_500);
    // A look costs the same however many are known.
    const before = calls();
    await page.waitForTimeout(5_500);
    expect(calls() - before).toBeLessThanOrEqual(6);
    await page.close();
  });

  test("lines of a run's log", { timeout: 120_000 }, async () => {
    const role = await roleOf(server, 'glue');
    await server.put('scripts');
    const Command = { Name: 'pythonshell', ScriptLocation: 's3://scripts/missing.py', PythonVersion: '3.9' };
    await server.json('glue', 'AWSGlue.CreateJob', { Name: 'talks', Role: role, Command });
    const { JobRunId } = await server.json<{ JobRunId: string }>('glue', 'AWSGlue.StartJobRun', { JobName: 'talks' });
    const stream = { logGroupName: '/aws-glue/python-jobs/output', logStreamName: JobRunId };
    const logs = (operation: string, input: object) => server.json('logs', `Logs_20140328.${operation}`, input).catch((error: unknown) => expect(String(error)).toContain('ResourceAlreadyExists'));
    await logs('CreateLogGroup', { logGroupName: stream.logGroupName });
    await logs('CreateLogStream', stream);
    const now = Date.now();
    const logEvents = Array.from({ length: MANY }, (_, at) => ({ timestamp: now - MANY + at, message: `line ${at} of a long log` }));
    await logs('PutLogEvents', { ...stream, logEvents });
    const page = await browser.signedIn('/');
    const took = await timed(async () => {
      await page.goto(browser.url(`/pipelines/jobs/talks/runs/${JobRunId}`));
      await page.getByText('10,000 lines').waitFor();
    });
    expect(took).toBeLessThan(6_000);
    const lines = page.getByText(/line \d+ of a long log/);
    await lines.first().waitFor();
    expect(await lines.count()).toBeLessThan(ROWS);
    await page.close();
  });

  test('objects of a folder', { timeout: 240_000 }, async () => {
    await server.put('much');
    await each(MANY, (at) => server.put(`much/in/${String(at).padStart(5, '0')}.csv`, 'a'));
    const page = await browser.signedIn('/');
    const took = await timed(async () => {
      await page.goto(browser.url('/storage/buckets/much?prefix=in/'));
      await page.getByRole('row', { name: /00000\.csv/ }).waitFor();
    });
    expect(took).toBeLessThan(4_000);
    expect(await page.getByRole('row').count()).toBeLessThan(ROWS);
    await page.close();
  });

  test('nothing broke', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});

/** Does something so many times, some of them at the same time. */
async function each(times: number, act: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < times) {
      const at = next;
      next += 1;
      await act(at);
    }
  };
  await Promise.all(Array.from({ length: 48 }, work));
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = Date.now();
  await act();
  return Date.now() - begun;
}

/** How often the page has called an operation since. */
function counted(page: Page, operation: string): () => number {
  let calls = 0;
  page.on('request', (request) => {
    if (request.headers()['x-amz-target']?.endsWith(`.${operation}`)) calls += 1;
  });
  return () => calls;
}

/** A role that a service may take. */
async function roleOf(server: Server, service: string): Promise<string> {
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: `${service}.amazonaws.com` }, Action: 'sts:AssumeRole' }] };
  const xml = await server.query('iam', '2010-05-08', 'CreateRole', { RoleName: service, AssumeRolePolicyDocument: JSON.stringify(trust) });
  return /<Arn>(.+?)<\/Arn>/.exec(xml)?.[1] ?? '';
}
