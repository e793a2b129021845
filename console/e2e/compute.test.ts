import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { base64, pack, writeArchive } from '../src/pages/compute/archive';
import { Browser, barriers, screenshot, signIn } from './browser';
import { Server } from './server';

const WORKS = `import json
from lib.airports import name_of


def handler(event, context):
    print(json.dumps({"level": "info", "message": "looking up", "code": event.get("code")}))
    return {"airport": name_of(event["code"])}
`;

const BROKEN = `import json
from lib.airports import name_of


def handler(event, context):
    print(json.dumps({"level": "info", "message": "looking up", "code": event.get("code")}))
    raise ValueError("no airport " + event["code"])
`;

const AIRPORTS = `NAMES = {"BER": "Berlin Brandenburg", "HAM": "Hamburg"}


def name_of(code):
    return NAMES[code]
`;

/** Prints so many lines. */
const LOUD = `def handler(event, context):
    for number in range(event["lines"]):
        print(f"line {number:05} of many, [INFO] nothing to see")
    return event["lines"]
`;

async function zip(files: Record<string, string>): Promise<string> {
  return base64(writeArchive(await Promise.all(Object.entries(files).map(([path, text]) => pack(path, new TextEncoder().encode(text))))));
}

describe('compute', () => {
  let server: Server;
  let browser: Browser;
  const role = 'arn:aws:iam::000000000000:role/run';
  const arn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

  const rest = async <Output>(service: string, method: string, path: string, body?: object): Promise<Output> => {
    const text = await server.call(service, { method, path, headers: { 'content-type': 'application/json' }, body: body ? JSON.stringify(body) : '' });
    return (text ? JSON.parse(text) : {}) as Output;
  };
  const make = async (FunctionName: string, files: Record<string, string>, more: object = {}) =>
    rest('lambda', 'POST', '/2015-03-31/functions', { FunctionName, Runtime: 'python3.12', Role: role, Handler: 'app.handler', Code: { ZipFile: await zip(files) }, ...more });
  const invoke = (name: string, event: object) => rest('lambda', 'POST', `/2015-03-31/functions/${name}/invocations`, event).catch(() => undefined);

  /** A page that somebody looks at who may do no more than that. */
  const signedInAs = async (UserName: string, Action: string[], path: string): Promise<Page> => {
    const iam = (action: string, parameters = {}) => server.query('iam', '2010-05-08', action, { UserName, ...parameters });
    await iam('CreateUser');
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
    await iam('PutUserPolicy', { PolicyName: 'p', PolicyDocument });
    const key = await iam('CreateAccessKey');
    const part = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(key)?.[1] ?? '';
    const page = await browser.context.newPage();
    await page.goto(browser.url(path));
    await signIn(page, part('AccessKeyId'), part('SecretAccessKey'));
    return page;
  };

  /** Writes a text into the editor of that name, instead of what it holds. */
  const write = async (page: Page, editor: string, text: string) => {
    await page.getByRole('textbox', { name: editor, exact: true }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(text);
  };

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('an empty platform says what functions, layers and mappings are for', async () => {
    for (const [path, title] of [['', 'No functions yet'], ['/layers', 'No layers yet'], ['/mappings', 'No event source mappings yet']] as const) {
      const page = await browser.signedIn(`/compute${path}`);
      await page.getByText(title).waitFor();
      expect(await barriers(page)).toEqual([]);
      await page.close();
    }
  });

  test('a function is made of a first file, with a role of its own, and tried', async () => {
    const page = await browser.signedIn('/compute');
    await page.getByRole('button', { name: 'Create function' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('greeter');
    await dialog.getByRole('textbox', { name: 'app.py' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-create');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: 'greeter', level: 1 }).waitFor();
    await page.getByText('Hello from').waitFor();
    await page.getByRole('link', { name: 'Test', exact: true }).click();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('The function succeeded').waitFor();
    await page.getByText('Hello from greeter').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('a function is broken, the error is found in test, code, monitor and log, and it is mended', async () => {
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: ['lambda.amazonaws.com', 'events.amazonaws.com'] }, Action: 'sts:AssumeRole' }] };
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['logs:*', 'sqs:*'], Resource: '*' }] };
    await server.query('iam', '2010-05-08', 'CreateRole', { RoleName: 'run', AssumeRolePolicyDocument: JSON.stringify(trust) });
    await server.query('iam', '2010-05-08', 'PutRolePolicy', { RoleName: 'run', PolicyName: 'p', PolicyDocument: JSON.stringify(policy) });
    await make('airports', { 'app.py': WORKS, 'lib/airports.py': AIRPORTS, 'lib/__init__.py': '', 'settings.yaml': 'region: eu\n', 'logo.bin': '\0\u0001' }, { Description: 'Says which airport a code is', MemorySize: 256 });
    for (const code of ['BER', 'HAM', 'BER', 'HAM', 'BER']) await invoke('airports', { code });

    const page = await browser.signedIn('/compute/functions/airports');
    await page.getByRole('textbox', { name: 'app.py', exact: true }).waitFor();
    await page.getByRole('button', { name: 'lib', exact: true }).click();
    await page.getByRole('button', { name: 'airports.py' }).click();
    await page.getByText('Berlin Brandenburg').waitFor();
    await page.getByRole('button', { name: 'logo.bin' }).click();
    await page.getByText('It is no text.').waitFor();
    await page.getByRole('button', { name: /^app\.py/ }).click();
    expect(await barriers(page)).toEqual([]);
    await write(page, 'app.py', BROKEN);
    await page.getByText('Not deployed yet: app.py changed').waitFor();
    await screenshot(page, 'compute-code');
    // What is not deployed outlives a look elsewhere.
    await page.getByRole('tab', { name: 'Test' }).click();
    await page.getByText('The code has changes that are not deployed').waitFor();
    await page.getByRole('tab', { name: 'Code (not deployed)' }).click();
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    await page.getByText('The new code of airports is deployed').waitFor();
    await page.getByRole('tab', { name: 'Code', exact: true }).waitFor();

    await page.getByRole('tab', { name: 'Test' }).click();
    await write(page, 'Event', '{"code": "XYZ"}');
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('ValueError: no airport XYZ').first().waitFor();
    await page.getByRole('list', { name: 'Stack trace' }).getByRole('link', { name: /app\.py", line 7/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-test');
    const request = (await page.getByRole('link', { name: /^All lines of request/ }).textContent())?.split(' ').at(-1) ?? '';

    await page.getByRole('link', { name: 'Open app.py at line 7' }).click();
    await page.locator('.cm-lintRange-error').waitFor();
    expect(new URL(page.url()).search).toBe('?tab=code&file=app.py&line=7');

    await page.getByRole('tab', { name: 'Monitor' }).click();
    const failed = page.getByRole('row', { name: /ValueError: no airport XYZ/ });
    await failed.waitFor();
    await page.getByRole('img', { name: /^Duration over time/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-monitor');
    await failed.getByRole('link', { name: request }).click();

    await page.getByRole('tab', { name: 'Logs', selected: true }).waitFor();
    const lines = page.getByRole('region', { name: 'Log lines' });
    await lines.getByText(`START RequestId: ${request}`).waitFor();
    await page.goto(browser.url('/compute/functions/airports?tab=logs'));
    await lines.getByText('[ERROR] ValueError: no airport XYZ').click();
    await lines.getByText('Traceback (most recent call last)').first().waitFor();
    await lines.getByText('"code": "XYZ"').click();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-logs');

    await page.getByRole('tab', { name: 'Code' }).click();
    await page.getByRole('textbox', { name: 'app.py', exact: true }).waitFor();
    await write(page, 'app.py', WORKS);
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    await page.getByRole('tab', { name: 'Code', exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Test' }).click();
    await write(page, 'Event', '{"code": "HAM"}');
    await page.getByRole('button', { name: 'Event', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Keep this event…' }).click();
    await page.getByRole('textbox', { name: 'Name of the event' }).fill('Hamburg');
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('The function succeeded').waitFor();
    await page.getByText('"Hamburg"').waitFor();
    await page.goto(browser.url('/compute/functions/airports?tab=test&event=Hamburg'));
    await page.getByText('"HAM"').waitFor();
    await page.close();
  });

  test('code that somebody else has deployed in between is not overwritten', async () => {
    await make('shared', { 'app.py': 'def handler(event, context):\n    return 1\n' });
    const page = await browser.signedIn('/compute/functions/shared');
    await page.getByRole('textbox', { name: 'app.py', exact: true }).waitFor();
    await write(page, 'app.py', 'def handler(event, context):\n    return 2\n');
    await rest('lambda', 'PUT', '/2015-03-31/functions/shared/code', { ZipFile: await zip({ 'app.py': 'def handler(event, context):\n    return 3\n' }) });
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    await page.getByText('CodeChanged').waitFor();
    expect(await invokeText('shared')).toBe('3');
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByText('Other code has been deployed').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    await page.getByText('The new code of shared is deployed').waitFor();
    expect(await invokeText('shared')).toBe('2');
    await page.close();
  });

  const invokeText = (name: string) => server.call('lambda', { method: 'POST', path: `/2015-03-31/functions/${name}/invocations`, body: '{}' });

  test('a log of many lines is followed, and rests while somebody reads', async () => {
    await make('loud', { 'app.py': LOUD }, { Timeout: 60 });
    await invoke('loud', { lines: 12_000 });
    const page = await browser.signedIn('/compute/functions/loud?tab=logs');
    const lines = page.getByRole('region', { name: 'Log lines' });
    await lines.getByText('REPORT RequestId').waitFor();
    await page.getByText('12,003 lines').waitFor();
    expect(await lines.getByRole('button').count()).toBeLessThan(150);
    await invoke('loud', { lines: 10 });
    await page.getByText('12,016 lines').waitFor();
    await lines.hover();
    await page.mouse.wheel(0, -2_000);
    await page.getByText('Paused while you read').waitFor();
    await invoke('loud', { lines: 10 });
    await page.waitForTimeout(2_500);
    await page.getByText('12,016 lines').waitFor();
    await page.getByRole('button', { name: 'Follow', exact: true }).click();
    await page.getByText('12,029 lines').waitFor();
    await page.getByRole('searchbox', { name: 'Filter pattern' }).fill('"line 00007"');
    await page.getByText('3 lines').waitFor();
    expect(new URL(page.url()).searchParams.get('filter')).toBe('"line 00007"');
    await page.getByRole('searchbox', { name: 'Filter pattern' }).fill('{ $.a');
    await page.getByText('InvalidParameterException').waitFor();
    await page.getByRole('searchbox', { name: 'Filter pattern' }).fill('nowhere');
    await page.getByText('No line matches').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('mappings, settings and triggers', async () => {
    await server.put('landing');
    await rest('lambda', 'POST', '/2015-03-31/functions/airports/policy', { StatementId: 'landing', Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com', SourceArn: 'arn:aws:s3:::landing' });
    const notification = `<NotificationConfiguration><CloudFunctionConfiguration><CloudFunction>${arn('airports')}</CloudFunction><Event>s3:ObjectCreated:*</Event></CloudFunctionConfiguration></NotificationConfiguration>`;
    await server.call('s3', { method: 'PUT', path: '/landing', query: [['notification', '']], body: notification });
    await server.json('sqs', 'AmazonSQS.CreateQueue', { QueueName: 'codes' }, '1.0');
    await server.json('events', 'AWSEvents.PutRule', { Name: 'nightly', ScheduleExpression: 'rate(1 day)' });
    await server.json('events', 'AWSEvents.PutTargets', { Rule: 'nightly', Targets: [{ Id: '1', Arn: arn('airports') }] });
    const Target = { Arn: arn('airports'), RoleArn: await server.serviceRole('mornings') };
    await rest('scheduler', 'POST', '/schedules/mornings', { ScheduleExpression: 'cron(0 8 * * ? *)', FlexibleTimeWindow: { Mode: 'OFF' }, Target });
    const api = await rest<{ apiId: string }>('apigateway', 'POST', '/v2/apis', { name: 'airports-api', protocolType: 'HTTP', target: arn('airports') });
    await rest('lambda', 'POST', '/2015-03-31/functions/airports/policy', { StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${api.apiId}/*` });
    await rest('lambda', 'POST', '/2018-10-31/layers/tools/versions', { Description: 'What all share', CompatibleRuntimes: ['python3.12'], Content: { ZipFile: await zip({ 'python/tools.py': 'x = 1\n' }) } });

    const page = await browser.signedIn('/compute/mappings');
    await page.getByRole('button', { name: 'Create mapping' }).first().click();
    await page.getByRole('button', { name: /Queue/ }).click();
    await page.getByRole('option', { name: 'codes' }).click();
    await page.getByRole('dialog').getByRole('button', { name: /Function/ }).click();
    await page.getByRole('option', { name: 'airports' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('row', { name: /codes.*airports.*Enabled/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-mappings');
    await page.getByRole('button', { name: /^Disable/ }).click();
    await page.getByRole('row', { name: /codes.*Disabled/ }).waitFor();

    await page.goto(browser.url('/compute/functions/airports?tab=configuration'));
    for (const trigger of [/S3 landing s3:ObjectCreated/, /EventBridge nightly/, /Scheduler mornings/, /API Gateway airports-api \$default/, /SQS codes.*Disabled/]) await page.getByRole('row', { name: trigger }).waitFor();
    await page.getByRole('button', { name: 'Edit environment variables' }).click();
    await page.getByRole('textbox', { name: 'Name 1' }).fill('STAGE');
    await page.getByRole('textbox', { name: 'Value 1' }).fill('test-stage');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('••••••••').waitFor();
    await page.getByRole('button', { name: 'Show values' }).click();
    await page.getByText('test-stage').waitFor();
    await page.getByRole('button', { name: 'Edit general settings' }).click();
    await page.getByRole('spinbutton', { name: 'Memory (MB)' }).fill('512');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('512 MB', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit layers' }).click();
    await page.getByRole('button', { name: /Add a layer/ }).click();
    await page.getByRole('option', { name: 'tools, version 1' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'tools' }).waitFor();
    await page.getByRole('button', { name: 'Edit tags' }).click();
    await page.getByRole('textbox', { name: 'Name 1' }).fill('team');
    await page.getByRole('textbox', { name: 'Value 1' }).fill('flights');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('team', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit asynchronous invocation' }).click();
    await page.getByRole('spinbutton', { name: 'Tries after the first one' }).fill('0');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('never', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit concurrency' }).click();
    await page.getByRole('dialog').getByText('Reserve concurrency').click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('10 at once').waitFor();
    // Of what went well only the latest is said.
    await page.getByText('Concurrency: saved').waitFor();
    expect(await page.getByText(/: saved$/).count()).toBe(1);
    expect(await barriers(page)).toEqual([]);
    await page.evaluate(() => scrollTo(0, 0));
    await screenshot(page, 'compute-configuration', 1500);
    await page.close();
  });

  test('versions, aliases, the layer that is used, and all functions with their last hour', async () => {
    const page = await browser.signedIn('/compute/functions/airports?tab=versions');
    await page.getByRole('button', { name: 'Publish version' }).click();
    await page.getByRole('textbox', { name: 'Description' }).fill('The first that works');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByRole('row', { name: /^1 .*The first that works/ }).waitFor();
    await page.getByRole('button', { name: 'Create alias' }).click();
    await page.getByRole('textbox', { name: 'Name of the alias' }).fill('live');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('row', { name: /^live 1/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-versions');

    await page.goto(browser.url('/compute/layers'));
    await page.getByRole('link', { name: 'tools' }).click();
    await page.getByRole('link', { name: 'airports' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-layer');

    await page.goto(browser.url('/compute'));
    await page.getByText('1 of', { exact: false }).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-functions');
    await page.close();
  });

  test('the palette leads to functions, and a deleted one is gone', async () => {
    const page = await browser.signedIn('/');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('Logs of shared');
    await page.getByRole('option', { name: /Logs of shared/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'shared', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('shared');
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('heading', { name: 'Functions', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'airports', exact: true }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'shared', exact: true }).count()).toBe(0);
    await page.goto(browser.url('/compute/functions/shared'));
    await page.getByText('ResourceNotFoundException').waitFor();
    await page.close();
  });

  test('the palette finds functions also for who may list nothing else', async () => {
    const page = await signedInAs('finder', ['lambda:ListFunctions'], '/compute');
    await page.getByRole('link', { name: 'airports', exact: true }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('Logs of airports');
    await page.getByRole('option', { name: /Logs of airports/ }).waitFor();
    await page.close();
  });

  test('who may only read sees the code, and is refused to change or to run it', async () => {
    const page = await signedInAs('reader', ['lambda:Get*', 'lambda:List*'], '/compute/functions/airports');
    await page.getByRole('textbox', { name: 'app.py', exact: true }).waitFor();
    await write(page, 'app.py', BROKEN);
    await page.getByRole('button', { name: 'Deploy', exact: true }).click();
    await page.getByText('The code was not deployed').waitFor();
    await page.getByText(/AccessDeniedException/).first().waitFor();
    await page.getByText(/lambda:UpdateFunctionCode/).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'compute-refused');
    await page.getByRole('tab', { name: 'Test' }).click();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('The function was not invoked').waitFor();
    await page.getByRole('tab', { name: 'Monitor' }).click();
    await page.getByText(/logs:FilterLogEvents/).first().waitFor();
    await page.close();
  });

  test('nothing was complained about, and nobody else was asked', () => {
    expect(browser.complaints).toEqual([]);
    expect(browser.strangers).toEqual([]);
  });
});
