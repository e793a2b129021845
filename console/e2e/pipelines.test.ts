import type { Locator, Page } from 'playwright-core';
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
      ItemProcessor: { StartAt: 'Clean', States: { Clean: { Type: 'Pass', Next: 'Settle' }, Settle: { Type: 'Wait', Seconds: 5, End: true } } },
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

const FLIGHTS = `flight,carrier,origin,destination,delay
UA1545,UA,EWR,IAH,11
UA1714,UA,LGA,IAH,20
AA1141,AA,JFK,MIA,33
B6725,B6,JFK,BQN,0
DL461,DL,LGA,ATL,0
UA1696,UA,EWR,ORD,12
B6507,B6,EWR,FLL,19
EV5708,EV,LGA,IAD,0
`;

describe('pipelines', () => {
  let server: Server;
  let browser: Browser;
  let role: string;

  const machine = (name: string, definition: object) =>
    server.json<{ stateMachineArn: string }>('states', 'AWSStepFunctions.CreateStateMachine', { name, definition: JSON.stringify(definition), roleArn: role }, '1.0');

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    role = await server.serviceRole('pipelines');
    await server.serviceRole('other-pipelines');
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

  test('a machine is started in the page, and every step turns green', { timeout: 150_000 }, async () => {
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
    for (const name of ['Prepare', 'Any rows', 'Databases', 'Jobs', 'Clean', 'Settle', 'Done']) {
      await page.locator('.bh-node.bh-tone-good').getByText(name, { exact: true }).waitFor();
    }
    for (const name of ['Look around', 'Each file']) await page.locator('.bh-frame.bh-tone-good').getByText(name, { exact: true }).waitFor();
    expect(await page.locator('.bh-tone-bad, .bh-tone-busy').count()).toBe(0);
    await step(page, 'Settle', '3 succeeded').click();
    await page.getByRole('region', { name: 'Details of the step' }).getByText('Item 2').waitFor();
    await step(page, 'Each file', '3 succeeded').click({ position: { x: 30, y: 12 } });
    const items = page.getByRole('table', { name: 'Items' });
    await expect.poll(() => items.getByRole('row').count()).toBe(4);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-execution', 1000);
    await items.getByRole('button', { name: 'Item 1', exact: true }).click();
    await page.getByText('Item 1 of Each file').waitFor();
    await step(page, 'Clean').click();
    await page.getByRole('textbox', { name: 'Output' }).getByText('2026-02.csv').waitFor();
    await expect.poll(() => page.getByRole('table', { name: 'Steps' }).getByRole('row', { name: /^(Clean|Settle)/ }).count()).toBe(2);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-item', 1000);
    await page.getByRole('button', { name: 'Next item' }).click();
    await page.getByRole('textbox', { name: 'Output' }).getByText('2026-03.csv').waitFor();
    expect(await page.getByRole('button', { name: 'Next item' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'All items' }).click();
    await step(page, 'Clean', '3 succeeded').waitFor();
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
    await page.goto(browser.url('/pipelines/machines/broken?tab=executions&status=SUCCEEDED'));
    await page.getByText('There are none like this').waitFor();
    await choose(page, page.getByRole('button', { name: /Status/ }), 'Failed');
    await page.getByRole('row', { name: /Failed/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
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

  test('a state machine is made, checked while it is written, and deleted', async () => {
    const page = await browser.signedIn('/pipelines');
    await page.getByRole('link', { name: 'Create state machine' }).click();
    await page.waitForURL(/\/pipelines\/create$/);
    await page.getByLabel('Name').fill('two-at-once');
    await choose(page, page.getByRole('button', { name: /Role/ }), 'pipelines');
    await choose(page, page.getByRole('button', { name: /Begin with/ }), /Two things beside each other/);
    const picture = page.getByRole('group', { name: 'States of the machine' });
    await picture.locator('.bh-frame').getByText('Beside each other').waitFor();
    await picture.getByText('Start', { exact: true }).waitFor();
    await picture.getByText('End', { exact: true }).waitFor();
    await page.getByText('Valid', { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-create');
    const editor = page.getByRole('textbox', { name: 'Definition' });
    await editor.fill('{"StartAt": "Nowhere", "States": {"Only": {"Type": "Pass", "End": true}}}');
    await page.getByRole('list', { name: 'Problems' }).getByText(/Nowhere/).waitFor();
    expect(await page.getByRole('button', { name: 'Create state machine' }).isDisabled()).toBe(true);
    await editor.fill('{"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": true}}}');
    await page.getByText('Valid', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Create state machine' }).click();
    await page.waitForURL(/\/pipelines\/machines\/two-at-once$/);
    await page.getByRole('tab', { name: 'Details' }).click();
    await page.getByRole('button', { name: 'Change role' }).click();
    const dialog = page.getByRole('dialog', { name: 'Role of two-at-once' });
    await choose(page, dialog.getByRole('button', { name: /Role/ }), 'other-pipelines');
    await dialog.getByRole('button', { name: 'Change role' }).click();
    await page.getByRole('link', { name: /role\/other-pipelines/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByLabel('To confirm, type two-at-once').fill('two-at-once');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('heading', { name: /State machines/ }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'two-at-once', exact: true }).count()).toBe(0);
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
    await server.json('events', 'AWSEvents.PutRule', { Name: 'often', ScheduleExpression: 'rate(5 minutes)' });
    const begun = Date.now();
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
    await expect.poll(() => times.count()).toBe(10);
    expect(await times.first().innerText()).toContain(' 03:30:00');
    expect(await barriers(page)).toEqual([]);
    await page.reload();
    await times.first().waitFor();
    await screenshot(page, 'pipelines-schedule');
    const kept = JSON.parse(await server.call('scheduler', { method: 'GET', path: '/schedules/every-night', headers: {}, body: '' })) as typeof body;
    expect(kept).toMatchObject(body);
    await page.goto(browser.url('/pipelines/schedules?tab=rules'));
    await page.getByRole('row', { name: /hourly.*Enabled.*:00:00/ }).waitFor();
    await page.getByRole('row', { name: /often.*Enabled.*:\d\d:\d\d/ }).waitFor();
    await page.getByRole('link', { name: 'often' }).click();
    await times.first().waitFor();
    const first = Date.parse((await times.first().locator('time').first().getAttribute('datetime')) ?? '');
    expect(Math.abs(first - begun - 300_000)).toBeLessThan(5_000);
    await expect.poll(() => times.count()).toBe(10);
    await page.goBack();
    await page.getByRole('link', { name: 'failures' }).click();
    await page.getByRole('textbox', { name: 'Event pattern' }).getByText('Glue Job State Change').waitFor();
    await page.getByRole('row', { name: /tell.*nightly/ }).waitFor();
    await page.getByRole('button', { name: 'Disable failures' }).click();
    await page.getByRole('button', { name: 'Enable failures' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('a schedule is made with its next times, changed, and deleted', async () => {
    await server.json('glue', 'AWSGlue.CreateJob', { Name: 'nightly-job', Role: role, Command: { Name: 'pythonshell', ScriptLocation: 's3://somewhere/x.py', PythonVersion: '3.9' } });
    const page = await browser.signedIn('/pipelines/schedules');
    await page.getByRole('button', { name: 'Create schedule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Create a schedule' });
    await dialog.getByLabel('Name', { exact: true }).fill('each-morning');
    await dialog.getByLabel('When', { exact: true }).fill('cron(0 8 * * * *)');
    await dialog.getByText('This is no such expression').waitFor();
    await dialog.getByLabel('When', { exact: true }).fill('cron(15 8 ? * MON-FRI *)');
    expect(await dialog.getByRole('list', { name: 'Next times' }).getByRole('listitem').first().innerText()).toContain(' 08:15:00');
    await dialog.getByLabel('Target', { exact: true }).fill('nightly-j');
    await page.getByRole('option', { name: /nightly-job/ }).click();
    await dialog.getByRole('textbox', { name: 'Input of the target' }).getByText('nightly-job').waitFor();
    await choose(page, dialog.getByRole('button', { name: /Role/ }), 'pipelines');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-create-schedule');
    await dialog.getByRole('button', { name: 'Create schedule' }).click();
    await page.waitForURL(/\/pipelines\/schedules\/default\/each-morning$/);
    await page.getByText('Europe/Berlin').first().waitFor();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    const edit = page.getByRole('dialog', { name: 'Edit each-morning' });
    await edit.getByLabel('When', { exact: true }).fill('rate(2 hours)');
    await edit.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Every 2 hours').first().waitFor();
    const kept = JSON.parse(await server.call('scheduler', { method: 'GET', path: '/schedules/each-morning', headers: {}, body: '' })) as object;
    expect(kept).toMatchObject({ ScheduleExpression: 'rate(2 hours)', Target: { Arn: 'arn:aws:scheduler:::aws-sdk:glue:startJobRun', RoleArn: role } });
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.waitForURL(/\/pipelines\/schedules$/);
    await page.getByRole('link', { name: 'every-night' }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'each-morning' }).count()).toBe(0);
    await page.close();
  });

  test('a rule is made, tested with an event, given a target, and deleted', async () => {
    const page = await browser.signedIn('/pipelines/schedules?tab=rules');
    await page.getByRole('button', { name: 'Create rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Create a rule' });
    await dialog.getByLabel('Name', { exact: true }).fill('arrivals');
    await choose(page, dialog.getByRole('button', { name: /Begin with an example/ }), 'An object has arrived in a bucket');
    await dialog.getByRole('button', { name: 'Test it with an event' }).click();
    await dialog.getByText('The event fits the pattern').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-create-rule', 1000);
    await dialog.getByRole('button', { name: 'Create rule' }).click();
    await page.waitForURL(/\/pipelines\/rules\/default\/arrivals$/);
    const event = page.getByRole('textbox', { name: 'Event to test with' });
    await page.getByText('The event fits the pattern').waitFor();
    await event.fill((await event.innerText()).replace('Object Created', 'Object Deleted'));
    await page.getByText("The event doesn't fit the pattern").waitFor();
    await page.getByRole('button', { name: 'Add the first target' }).click();
    const target = page.getByRole('dialog', { name: 'Add a target to arrivals' });
    await target.getByLabel('Target', { exact: true }).fill('flights-d');
    await page.getByRole('option', { name: /flights-daily/ }).click();
    await choose(page, target.getByRole('button', { name: /Role/ }), 'pipelines');
    await choose(page, target.getByRole('button', { name: /It is given/ }), 'A part of the event');
    expect(await barriers(page)).toEqual([]);
    await target.getByRole('button', { name: 'Add target' }).click();
    await page.getByRole('row', { name: /target-1.*flights-daily.*\$\.detail.*pipelines/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.reload();
    await page.getByText('The event fits the pattern').waitFor();
    await page.getByRole('row', { name: /target-1/ }).waitFor();
    await screenshot(page, 'pipelines-rule', 1000);
    const { Targets } = await server.json<{ Targets: object[] }>('events', 'AWSEvents.ListTargetsByRule', { Rule: 'arrivals' });
    expect(Targets).toMatchObject([{ Id: 'target-1', InputPath: '$.detail', RoleArn: role }]);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('row', { name: /failures/ }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'arrivals' }).count()).toBe(0);
    await page.close();
  });

  test('a visual job is drawn, run with arguments, and its log read', async () => {
    await server.put('job-data');
    await server.put('job-data/in/flights.csv', FLIGHTS);
    const column = { Type: 'COLUMNEXTRACTED', Value: ['minutes_late'] };
    const mapping = (from: string, type: string, to = from) => ({ FromPath: [from], FromType: 'string', ToKey: to, ToType: type });
    const Mapping = [mapping('flight', 'string'), mapping('carrier', 'string'), mapping('origin', 'string'), mapping('destination', 'string'), mapping('delay', 'int', 'minutes_late')];
    const nodes = {
      source: { S3CsvSource: { Name: 'Flights', Paths: ['s3://job-data/in/'], Separator: 'comma', QuoteChar: 'quote', WithHeader: true, Recurse: true } },
      types: { ApplyMapping: { Name: 'Types', Inputs: ['source'], Mapping } },
      late: { Filter: { Name: 'Late ones', Inputs: ['types'], LogicalOperator: 'AND', Filters: [{ Operation: 'GT', Values: [column, { Type: 'CONSTANT', Value: ['0'] }] }] } },
      target: { S3GlueParquetTarget: { Name: 'Master', Inputs: ['late'], Path: 's3://job-data/out/', Compression: 'snappy' } },
    };
    const Command = { Name: 'glueetl', ScriptLocation: 's3://job-data/unused.py', PythonVersion: '3' };
    const job = { Role: role, Command, GlueVersion: '4.0', DefaultArguments: { '--job-language': 'python' } };
    await server.json('glue', 'AWSGlue.CreateJob', { ...job, Name: 'flights-clean', CodeGenConfigurationNodes: nodes });
    const page = await browser.signedIn('/pipelines/jobs');
    await page.getByRole('link', { name: 'flights-clean', exact: true }).click();
    await page.getByRole('group', { name: 'Nodes of the job' }).getByRole('group', { name: /Filter, Late ones/ }).click();
    const inspector = page.getByRole('region', { name: 'Details of the node' });
    await inspector.getByText('minutes_late > "0"').waitFor();
    await inspector.getByRole('button', { name: 'All options' }).click();
    await page.getByRole('textbox', { name: 'Options of Late ones' }).getByText('COLUMNEXTRACTED').first().waitFor();
    await inspector.getByRole('button', { name: 'All options' }).click();
    const rows = page.getByRole('table', { name: 'Rows of the node' });
    await rows.getByRole('row', { name: /UA1714 UA LGA IAH 20/ }).waitFor();
    await expect.poll(() => rows.getByRole('row').count()).toBe(6);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-job', 1080);
    await page.getByRole('group', { name: 'Nodes of the job' }).getByRole('group', { name: /S3CsvSource, Flights/ }).click();
    await rows.getByRole('row', { name: /DL461 DL LGA ATL 0/ }).waitFor();
    await page.getByRole('group', { name: 'Nodes of the job' }).getByRole('group', { name: /ApplyMapping, Types/ }).click();
    await page.getByRole('table', { name: 'Mapping' }).getByRole('row', { name: 'delay minutes_late string → int' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Run flights-clean' });
    await dialog.getByRole('textbox', { name: 'Arguments of the run' }).fill('{"--day": "2026-03-01"}');
    await dialog.getByRole('button', { name: 'Start run' }).click();
    await page.waitForURL(/\/pipelines\/jobs\/flights-clean\/runs\//);
    await page.getByText('Succeeded', { exact: true }).first().waitFor();
    await page.getByRole('textbox', { name: 'Arguments of the run' }).getByText('2026-03-01').waitFor();
    await page.getByRole('group', { name: 'Nodes of the run' }).getByRole('group', { name: /Flights, 1 object read/ }).waitFor();
    await page.getByRole('group', { name: 'Nodes of the run' }).getByRole('group', { name: /Master, 5 rows/ }).waitFor();
    await page.getByRole('region', { name: /Log of/ }).getByText(/5 rows in \d files/).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-run', 1000);
    await page.goto(browser.url('/pipelines/jobs/flights-clean?tab=runs'));
    await page.getByRole('row', { name: /jr_.*Succeeded/ }).waitFor();
    await page.close();
  });

  test('a script job is made with its script, run, changed, and its bookmark told', async () => {
    const page = await browser.signedIn('/pipelines/jobs');
    await page.getByRole('button', { name: 'Create script job' }).click();
    const dialog = page.getByRole('dialog', { name: 'Create a Python shell job' });
    await dialog.getByLabel('Name').fill('greet');
    await choose(page, dialog.getByRole('button', { name: /Role/ }), 'pipelines');
    await choose(page, dialog.getByRole('button', { name: /Bucket of the script/ }), 'job-data');
    await dialog.getByRole('textbox', { name: 'Script', exact: true }).fill('print("hello from the script")\n');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-create-job');
    await dialog.getByRole('button', { name: 'Create job' }).click();
    await page.waitForURL(/\/pipelines\/jobs\/greet$/);
    await page.getByRole('tab', { name: 'Script' }).click();
    const script = page.getByRole('textbox', { name: 'Script', exact: true });
    await script.getByText('hello from the script').waitFor();
    await script.fill('print("hello again")\n');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('The script is saved').first().waitFor();
    expect(await server.call('s3', { method: 'GET', path: '/job-data/scripts/greet.py', body: '' })).toBe('print("hello again")\n');
    expect(await barriers(page)).toEqual([]);
    await page.reload();
    await script.getByText('hello again').waitFor();
    await screenshot(page, 'pipelines-script');
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    const edit = page.getByRole('dialog', { name: 'Edit greet' });
    await edit.getByLabel('Description').fill('Says hello');
    await edit.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('greet is changed').first().waitFor();
    const { Job } = await server.json<{ Job: { Description: string; Command: { ScriptLocation: string } } }>('glue', 'AWSGlue.GetJob', { JobName: 'greet' });
    expect(Job).toMatchObject({ Description: 'Says hello', Command: { ScriptLocation: 's3://job-data/scripts/greet.py' } });
    await page.getByRole('tab', { name: 'Details' }).click();
    await page.getByText('Nothing is remembered').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByLabel('To confirm, type greet').fill('greet');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.waitForURL(/\/pipelines\/jobs$/);
    await page.getByRole('row', { name: /flights-clean/ }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'greet', exact: true }).count()).toBe(0);
    await page.close();
  });

  test('a bookmark is reset, and runs are measured', async () => {
    const nodes = {
      source: { S3CsvSource: { Name: 'Flights', Paths: ['s3://job-data/in/'], Separator: 'comma', QuoteChar: 'quote', WithHeader: true, Recurse: true } },
      target: { S3GlueParquetTarget: { Name: 'Copy', Inputs: ['source'], Path: 's3://job-data/copy/', Compression: 'snappy' } },
    };
    const Command = { Name: 'glueetl', ScriptLocation: 's3://job-data/unused.py', PythonVersion: '3' };
    const DefaultArguments = { '--job-bookmark-option': 'job-bookmark-enable' };
    await server.json('glue', 'AWSGlue.CreateJob', { Name: 'once', Role: role, Command, GlueVersion: '4.0', DefaultArguments, CodeGenConfigurationNodes: nodes });
    const page = await browser.signedIn('/pipelines/jobs/once?tab=runs');
    await page.getByText('Not run yet').waitFor();
    for (const runs of [1, 2, 3]) {
      await server.json('glue', 'AWSGlue.StartJobRun', { JobName: 'once' });
      await expect.poll(() => page.getByRole('row', { name: /jr_.*Succeeded/ }).count(), { timeout: 20_000 }).toBe(runs);
    }
    await page.getByText('100 %').waitFor();
    await page.getByRole('img', { name: 'Duration of runs' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'pipelines-runs');
    await page.getByRole('tab', { name: 'Details' }).click();
    await page.getByRole('button', { name: 'Reset bookmark' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reset', exact: true }).click();
    await page.getByText('Nothing is remembered').waitFor();
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

/** Chooses one of a select's options. */
async function choose(page: Page, select: Locator, name: string | RegExp): Promise<void> {
  await select.click();
  await page.getByRole('option', { name, ...(typeof name === 'string' ? { exact: true } : {}) }).click();
}
