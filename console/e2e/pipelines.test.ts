import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

/** Prepares, checks two things beside each other, works through files, waits. */
const GOOD = {
  Comment: 'The flights of a day, from landing to master',
  StartAt: 'Prepare',
  States: {
    Prepare: { Type: 'Pass', Result: { files: ['2026-01.csv', '2026-02.csv', '2026-03.csv'], rows: 4_200 }, Next: 'Any rows' },
    'Any rows': { Type: 'Choice', Choices: [{ Variable: '$.rows', NumericGreaterThan: 0, Next: 'Look around' }], Default: 'Nothing to do' },
    'Nothing to do': { Type: 'Succeed' },
    'Look around': {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'Databases', States: { Databases: { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:glue:getDatabases', End: true } } },
        { StartAt: 'Jobs', States: { Jobs: { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:glue:listJobs', End: true } } },
      ],
      ResultPath: '$.found',
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Tell somebody' }],
      Next: 'Each file',
    },
    'Each file': {
      Type: 'Map',
      ItemsPath: '$.files',
      ItemProcessor: { StartAt: 'Clean', States: { Clean: { Type: 'Pass', Next: 'Settle' }, Settle: { Type: 'Wait', Seconds: 2, End: true } } },
      Next: 'Done',
    },
    'Tell somebody': { Type: 'Pass', Next: 'Done' },
    Done: { Type: 'Succeed' },
  },
};

/** Its second step is refused: there is no such job. */
const BAD = {
  StartAt: 'Begin',
  States: {
    Begin: { Type: 'Pass', Next: 'Run the job' },
    'Run the job': { Type: 'Task', Resource: 'arn:aws:states:::glue:startJobRun.sync', Parameters: { JobName: 'no-such-job' }, Next: 'After' },
    After: { Type: 'Pass', End: true },
  },
};

describe('pipelines', () => {
  let server: Server;
  let browser: Browser;
  let role: string;

  const machine = (name: string, definition: object) =>
    server.json<{ stateMachineArn: string }>('states', 'AWSStepFunctions.CreateStateMachine', { name, definition: JSON.stringify(definition), roleArn: role }, '1.0');

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    role = await serviceRole(server, 'pipelines');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const step = (page: Page, name: string, more = '') => page.getByRole('group', { name: 'Steps of the execution' }).getByRole('group', { name: new RegExp(`(^|, )${name}, .*${more}`) });

  test('without machines the page says what they are for', async () => {
    const page = await browser.signedIn('/pipelines');
    await page.getByText('No state machines yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('a machine is started in the page, and every step turns green', async () => {
    await machine('flights-daily', GOOD);
    const page = await browser.signedIn('/pipelines');
    await page.getByRole('link', { name: 'flights-daily', exact: true }).click();
    await page.getByRole('group', { name: 'States of the machine' }).getByText('Look around').waitFor();
    await page.getByText('Valid', { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-machine');
    await page.getByRole('button', { name: 'Start execution' }).click();
    const dialog = page.getByRole('dialog', { name: 'Start flights-daily' });
    const input = dialog.getByRole('textbox', { name: 'Input of the execution' });
    await input.fill('{"day": ');
    await dialog.getByText(/JSON/).first().waitFor();
    await input.fill('{"day": "2026-03-01"}');
    await dialog.getByLabel('Name').fill('by-hand');
    await dialog.getByRole('button', { name: 'Start execution' }).click();
    await page.waitForURL(/\/pipelines\/executions\//);
    await step(page, 'Settle', 'running').waitFor();
    await page.locator('.bh-tone-busy').first().waitFor();
    await page.getByText('Succeeded', { exact: true }).first().waitFor();
    for (const name of ['Prepare', 'Any rows', 'Look around', 'Databases', 'Jobs', 'Each file', 'Clean', 'Settle', 'Done']) {
      await page.locator('.bh-node.bh-tone-good').getByText(name, { exact: true }).waitFor();
    }
    expect(await page.locator('.bh-tone-bad, .bh-tone-busy').count()).toBe(0);
    await step(page, 'Settle', '3 succeeded').click();
    await page.getByRole('region', { name: 'Details of the step' }).getByText('Item 2').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-execution');
    await page.getByRole('tab', { name: 'Events' }).click();
    await page.getByRole('button', { name: 'Event 2', exact: true }).click();
    await page.getByRole('textbox', { name: 'Event 2' }).getByText('PassStateEntered').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('one that fails shows the failed step and its cause, and can be redriven', async () => {
    await machine('broken', BAD);
    const page = await browser.signedIn('/pipelines/machines/broken?tab=executions');
    await page.getByText('Not run yet').waitFor();
    await page.getByRole('button', { name: 'Start execution' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start execution' }).click();
    await page.locator('.bh-tone-bad').getByText('Run the job', { exact: true }).waitFor();
    const details = page.getByRole('region', { name: 'Details of the step' });
    await details.getByRole('heading', { name: 'Run the job' }).waitFor();
    await details.getByText(/EntityNotFound/).first().waitFor();
    await details.getByText(/no-such-job/).first().waitFor();
    await page.locator('.bh-tone-good').getByText('Begin', { exact: true }).waitFor();
    await page.locator('.bh-tone-none').getByText('After', { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-failed');
    await page.getByRole('button', { name: 'Redrive' }).click();
    await page.getByText('redriven once').waitFor();
    await step(page, 'Run the job', '2 attempts').waitFor();
    await page.goto(browser.url('/pipelines'));
    await page.getByRole('row', { name: /broken.*Failed/ }).waitFor();
    await page.getByRole('row', { name: /flights-daily.*Succeeded/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-machines');
    await page.close();
  });

  test('an error that is caught leads on, and has a colour of its own', async () => {
    const { 'Run the job': job } = BAD.States;
    const States = { 'Run the job': { ...job, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Tell somebody' }] }, After: BAD.States.After, 'Tell somebody': { Type: 'Succeed' } };
    const { stateMachineArn } = await machine('careful', { StartAt: 'Run the job', States });
    const { executionArn } = await server.json<{ executionArn: string }>('states', 'AWSStepFunctions.StartExecution', { stateMachineArn, input: '{}' }, '1.0');
    const page = await browser.signedIn(`/pipelines/executions/${encodeURIComponent(executionArn)}`);
    await page.locator('.bh-tone-waiting').getByText('Run the job', { exact: true }).waitFor();
    await page.locator('.bh-tone-good').getByText('Tell somebody', { exact: true }).waitFor();
    await page.locator('.bh-edge-bad').getByText('any error').waitFor();
    await step(page, 'Run the job', 'caught').click();
    await page.getByLabel('Cause').getByText(/no-such-job/).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('a definition is checked while it is typed, and saved', async () => {
    await machine('edited', { StartAt: 'Only', States: { Only: { Type: 'Pass', End: true } } });
    const page = await browser.signedIn('/pipelines/machines/edited');
    const editor = page.getByRole('textbox', { name: 'Definition' });
    await page.getByText('Valid', { exact: true }).waitFor();
    await editor.fill('{"StartAt": "Only", "States": {"Only": {"Type": "Pass", "Next": "Missing"}}}');
    await page.getByRole('list', { name: 'Problems' }).getByText(/Missing/).waitFor();
    expect(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true);
    await editor.fill('{"StartAt": "Only", "States": {"Only": {"Type": "Pass", "Next": "Second"}, "Second": {"Type": "Succeed"}}}');
    await page.getByText('Valid', { exact: true }).waitFor();
    await page.getByRole('group', { name: 'States of the machine' }).getByText('Second').waitFor();
    await page.getByRole('tab', { name: 'Executions' }).click();
    await page.getByText('Not run yet').waitFor();
    await page.getByRole('tab', { name: 'Definition' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('edited is saved').first().waitFor();
    const { definition } = await server.json<{ definition: string }>('states', 'AWSStepFunctions.DescribeStateMachine', { stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:edited' }, '1.0');
    expect(definition).toContain('Second');
    await page.close();
  });

  test('an execution that runs is stopped', async () => {
    const { stateMachineArn } = await machine('slow', { StartAt: 'Sleep', States: { Sleep: { Type: 'Wait', Seconds: 3600, End: true } } });
    const { executionArn } = await server.json<{ executionArn: string }>('states', 'AWSStepFunctions.StartExecution', { stateMachineArn, input: '{}' }, '1.0');
    const page = await browser.signedIn(`/pipelines/executions/${encodeURIComponent(executionArn)}`);
    await step(page, 'Sleep', 'running').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop', exact: true }).click();
    await step(page, 'Sleep', 'aborted').waitFor();
    await page.close();
  });

  test('schedules and rules say when they fire next, and are turned off and on', async () => {
    const { stateMachineArn } = await machine('nightly', { StartAt: 'Only', States: { Only: { Type: 'Pass', End: true } } });
    const body = {
      ScheduleExpression: 'cron(30 3 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: stateMachineArn, RoleArn: role, Input: '{"day": "<aws.scheduler.scheduled-time>"}' },
    };
    await server.call('scheduler', { method: 'POST', path: '/schedules/every-night', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const pattern = { source: ['aws.glue'], 'detail-type': ['Glue Job State Change'], detail: { state: ['FAILED'] } };
    await server.json('events', 'AWSEvents.PutRule', { Name: 'failures', EventPattern: JSON.stringify(pattern) });
    await server.json('events', 'AWSEvents.PutRule', { Name: 'hourly', ScheduleExpression: 'cron(0 * * * ? *)' });
    await server.json('events', 'AWSEvents.PutTargets', { Rule: 'failures', Targets: [{ Id: 'tell', Arn: stateMachineArn, RoleArn: role }] });
    const page = await browser.signedIn('/pipelines/schedules');
    await page.getByRole('row', { name: /every-night.*Enabled.*cron\(30 3 \* \* \? \*\).* 03:30:00/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Disable every-night' }).click();
    await page.getByRole('row', { name: /every-night.*Disabled/ }).waitFor();
    await page.getByRole('link', { name: 'every-night' }).click();
    await page.getByText("While it is disabled it doesn't fire.").waitFor();
    await page.getByRole('button', { name: 'Enable every-night' }).click();
    await page.getByRole('button', { name: 'Disable every-night' }).waitFor();
    const times = page.getByRole('list', { name: 'Next times' }).getByRole('listitem');
    expect(await times.count()).toBe(10);
    expect(await times.first().innerText()).toContain(' 03:30:00');
    expect(await barriers(page)).toEqual([]);
    await page.reload();
    await times.first().waitFor();
    await screenshot(page, 'pipelines-schedule');
    const kept = JSON.parse(await server.call('scheduler', { method: 'GET', path: '/schedules/every-night', headers: {}, body: '' })) as typeof body;
    expect(kept).toMatchObject(body);
    await page.goto(browser.url('/pipelines/schedules?tab=rules'));
    await page.getByRole('row', { name: /hourly.*Enabled.*:00:00/ }).waitFor();
    await page.getByRole('link', { name: 'failures' }).click();
    await page.getByRole('textbox', { name: 'Event pattern' }).getByText('Glue Job State Change').waitFor();
    await page.getByRole('row', { name: /tell.*nightly/ }).waitFor();
    await page.getByRole('button', { name: 'Disable failures' }).click();
    await page.getByRole('button', { name: 'Enable failures' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('a visual job is drawn, run with arguments, and its log read', async () => {
    await server.put('job-data');
    await server.put('job-data/in/flights.csv', 'flight,delay\n1,5\n2,0\n3,12\n');
    const column = { Type: 'COLUMNEXTRACTED', Value: ['delay'] };
    const nodes = {
      source: { S3CsvSource: { Name: 'Flights', Paths: ['s3://job-data/in/'], Separator: 'comma', QuoteChar: 'quote', WithHeader: true, Recurse: true } },
      late: { Filter: { Name: 'Late ones', Inputs: ['source'], LogicalOperator: 'AND', Filters: [{ Operation: 'GT', Values: [column, { Type: 'CONSTANT', Value: ['0'] }] }] } },
      once: { DropDuplicates: { Name: 'Once', Inputs: ['late'], Columns: [['flight']] } },
      target: { S3GlueParquetTarget: { Name: 'Master', Inputs: ['once'], Path: 's3://job-data/out/', Compression: 'snappy' } },
    };
    const Command = { Name: 'glueetl', ScriptLocation: 's3://job-data/unused.py', PythonVersion: '3' };
    const job = { Role: role, Command, GlueVersion: '4.0', DefaultArguments: { '--job-language': 'python' } };
    await server.json('glue', 'AWSGlue.CreateJob', { ...job, Name: 'flights-clean', CodeGenConfigurationNodes: nodes });
    const page = await browser.signedIn('/pipelines/jobs');
    await page.getByRole('link', { name: 'flights-clean', exact: true }).click();
    await page.getByRole('group', { name: 'Nodes of the job' }).getByRole('group', { name: /Filter, Late ones/ }).click();
    await page.getByRole('textbox', { name: 'Options of Late ones' }).getByText('COLUMNEXTRACTED').first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-job');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Run flights-clean' });
    await dialog.getByRole('textbox', { name: 'Arguments of the run' }).fill('{"--day": "2026-03-01"}');
    await dialog.getByRole('button', { name: 'Start run' }).click();
    await page.waitForURL(/\/pipelines\/jobs\/flights-clean\/runs\//);
    await page.getByText('Succeeded', { exact: true }).first().waitFor();
    await page.getByRole('textbox', { name: 'Arguments of the run' }).getByText('2026-03-01').waitFor();
    await page.getByLabel('Log', { exact: true }).getByText(/rows|records|read|wr/i).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-run');
    await page.goto(browser.url('/pipelines/jobs/flights-clean?tab=runs'));
    await page.getByRole('row', { name: /jr_.*Succeeded/ }).waitFor();
    await page.close();
  });

  test('a run that fails says why', async () => {
    const nodes = {
      source: { S3CsvSource: { Name: 'Nothing', Paths: ['s3://no-such-bucket-here/in/'], Separator: 'comma', QuoteChar: 'quote', WithHeader: true, Recurse: true } },
      target: { S3GlueParquetTarget: { Name: 'Master', Inputs: ['source'], Path: 's3://no-such-bucket-here/out/', Compression: 'snappy' } },
    };
    const Command = { Name: 'glueetl', ScriptLocation: 's3://job-data/unused.py', PythonVersion: '3' };
    await server.json('glue', 'AWSGlue.CreateJob', { Name: 'doomed', Role: role, Command, GlueVersion: '4.0', CodeGenConfigurationNodes: nodes });
    const { JobRunId } = await server.json<{ JobRunId: string }>('glue', 'AWSGlue.StartJobRun', { JobName: 'doomed' });
    const page = await browser.signedIn(`/pipelines/jobs/doomed/runs/${JobRunId}`);
    await page.getByText('The run failed').waitFor();
    await page.getByLabel('Cause').getByText(/no-such-bucket-here|NoSuchBucket/).waitFor();
    await page.close();
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});

/** A role that the services of pipelines may take, and that may do everything. */
async function serviceRole(server: Server, name: string): Promise<string> {
  const Service = ['states', 'glue', 'scheduler', 'events'].map((service) => `${service}.amazonaws.com`);
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }] };
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const xml = await server.query('iam', '2010-05-08', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) });
  await server.query('iam', '2010-05-08', 'PutRolePolicy', { RoleName: name, PolicyName: 'all', PolicyDocument: JSON.stringify(policy) });
  return /<Arn>(.+?)<\/Arn>/.exec(xml)?.[1] ?? '';
}
