import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

const LAKE = `Description: Flights as they land, and the tables over them.
Parameters:
  Stage:
    Type: String
    Default: test
    AllowedValues: [test, live]
    Description: Which of the two lakes it is
  Owner:
    Type: String
    Description: Who is asked when it breaks
Resources:
  Landing:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub flights-\${Stage}
      Tags:
        - Key: owner
          Value: !Ref Owner
  Lake:
    Type: AWS::Glue::Database
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseInput:
        Name: !Sub flights_\${Stage}
        LocationUri: !Sub s3://\${Landing}/
  Flights:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Lake
      TableInput:
        Name: !Sub flights_\${Stage}
        StorageDescriptor:
          Location: !Sub s3://\${Landing}/flights/
          Columns:
            - {Name: id, Type: int}
  Ingest:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub ingest-\${Stage}
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: firehose.amazonaws.com}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: write
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: ["s3:*"]
                Resource: !Sub "\${Landing.Arn}/*"
  Failed:
    Type: AWS::SQS::Queue
  Log:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /apps/flights-\${Stage}
      RetentionInDays: 7
Outputs:
  Bucket:
    Description: Where flights land
    Value: !Ref Landing
  Role:
    Value: !GetAtt Ingest.Arn
    Export:
      Name: !Sub ingest-role-\${Stage}
`;

const BROKEN = `Resources:
  Good:
    Type: AWS::SQS::Queue
  Taken:
    Type: AWS::S3::Bucket
    DependsOn: Good
    Properties:
      BucketName: taken
  After:
    Type: AWS::Logs::LogGroup
    DependsOn: Taken
`;

describe('operations', () => {
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

  const write = async (logGroupName: string, logStreamName: string, lines: readonly (readonly [ago: number, message: string])[]) => {
    const call = (operation: string, input: object) => server.json('logs', `Logs_20140328.${operation}`, input);
    await call('CreateLogGroup', { logGroupName }).catch(() => undefined);
    await call('CreateLogStream', { logGroupName, logStreamName });
    const now = Date.now();
    const logEvents = lines.map(([ago, message]) => ({ timestamp: now - ago, message })).sort((a, b) => a.timestamp - b.timestamp);
    await call('PutLogEvents', { logGroupName, logStreamName, logEvents });
  };

  test('a stack is deployed from a template', async () => {
    const page = await browser.signedIn('/operations');
    await page.getByText('No stacks yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('link', { name: 'Create stack' }).first().click();
    await page.getByRole('textbox', { name: 'Stack name' }).fill('flights');
    await page.getByRole('textbox', { name: 'Template' }).click();
    await page.keyboard.insertText(LAKE);
    await page.getByText(/^Valid: AWS::Glue::Database/).waitFor();
    await page.getByRole('textbox', { name: 'Owner' }).fill('lake@example.com');
    // What is not acknowledged is said before anything is asked of the server.
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByText('It must be acknowledged.').waitFor();
    await page.getByRole('checkbox', { name: /I acknowledge/ }).check();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-create', 1500);
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByRole('button', { name: 'Execute' }).waitFor();
    await page.getByRole('row', { name: /Add Landing AWS::S3::Bucket/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-changes');
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.getByRole('row', { name: /flights AWS::CloudFormation::Stack Create complete/ }).waitFor();
    await page.getByRole('link', { name: 'Update', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-events');
    await page.close();
  });

  test('a stack says what it is, and leads to what it made', async () => {
    const page = await browser.signedIn('/operations/stacks/flights');
    await page.getByRole('link', { name: 'arn:aws:iam::000000000000:role/ingest-test' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-stack');
    await page.getByRole('tab', { name: 'Template' }).click();
    await page.getByText('Flights as they land').first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Resources' }).click();
    const table = page.getByRole('row', { name: /^Flights/ }).getByRole('link');
    await table.waitFor();
    expect(await table.getAttribute('href')).toBe('/_console/catalogue/databases/flights_test/tables/flights_test');
    await page.getByRole('button', { name: 'Graph' }).click();
    await page.getByRole('group', { name: 'Resources of the stack' }).getByText('Landing').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-resources');
    await page.getByRole('button', { name: 'List', exact: true }).click();
    await page.getByRole('link', { name: 'flights-test', exact: true }).click();
    await page.getByRole('heading', { name: 'flights-test', level: 1 }).waitFor();
    await page.close();
  });

  test('an update shows what it would replace, and does it', async () => {
    const page = await browser.signedIn('/operations/stacks/flights/update');
    await page.getByRole('button', { name: /Stage/ }).click();
    await page.getByRole('option', { name: 'live' }).click();
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByText('Something is replaced or removed').waitFor();
    await page.getByRole('button', { name: 'Changes of the template' }).click();
    await page.getByText('The template stays as it is').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.getByRole('row', { name: /flights AWS::CloudFormation::Stack Update complete –/ }).waitFor();
    await page.getByRole('link', { name: 'Update', exact: true }).click();
    await page.getByRole('textbox', { name: 'Template' }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(LAKE.replace('RetentionInDays: 7', 'RetentionInDays: 30').replace(/  Failed:\n.*\n/, ''));
    await page.getByText(/^Valid: AWS::Glue::Database/).waitFor();
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByRole('row', { name: /Modify Log AWS::Logs::LogGroup/ }).waitFor();
    await page.getByRole('button', { name: 'Changes of the template' }).click();
    await page.getByText('+       RetentionInDays: 30').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-update', 1100);
    await page.close();
  });

  test('of a stack that could not be made the cause stands at the top', async () => {
    await server.put('taken');
    const page = await browser.signedIn('/operations/create-stack');
    await page.getByRole('textbox', { name: 'Stack name' }).fill('broken');
    await page.getByRole('textbox', { name: 'Template' }).click();
    await page.keyboard.insertText(BROKEN);
    await page.getByText(/^Valid:/).waitFor();
    await page.getByRole('button', { name: 'Review changes' }).click();
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.getByText('Taken failed').waitFor();
    await page.getByText('Rollback complete').first().waitFor();
    await page.getByText('Such a stack can only be deleted.').waitFor();
    await page.getByText('Root cause').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-failed');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByLabel('To confirm, type broken').fill('broken');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('row', { name: /broken AWS::CloudFormation::Stack Delete complete/ }).waitFor();
    await page.goto(browser.url('/operations'));
    await page.getByRole('link', { name: 'flights', exact: true }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'broken' }).count()).toBe(0);
    await page.getByRole('switch', { name: 'Deleted ones too' }).or(page.getByRole('checkbox', { name: 'Deleted ones too' })).check();
    await page.getByRole('link', { name: 'broken' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-stacks');
    await page.close();
  });

  test('what cannot be a template is said while it is written', async () => {
    const page = await browser.signedIn('/operations/create-stack');
    await page.getByRole('button', { name: 'Begin with an example' }).click();
    await page.getByText(/^Valid: AWS::Glue::Database, AWS::S3::Bucket/).waitFor();
    await page.getByRole('textbox', { name: 'Template' }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText('Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Ref Nothing\n');
    await page.getByText(/Unresolved resource dependencies \[Nothing\]/).waitFor();
    await page.close();
  });

  test('a line is found by a pattern, in one group and in several', async () => {
    const minute = 60_000;
    const chatter = Array.from({ length: 240 }, (_, at) => [at * 12_000, JSON.stringify({ level: at % 40 === 0 ? 'error' : 'info', flight: `BH ${at}`, ms: at })] as const);
    await write('/apps/flights', 'web-1', chatter);
    await write('/apps/flights', 'web-2', [[3 * minute, 'ERROR the gate is closed for BH 42'], [2 * minute, 'the gate is open again']]);
    await write('/apps/bookings', 'api', [[2.5 * minute, 'BH 42 is booked'], [minute, 'nothing to do']]);
    const page = await browser.signedIn('/operations/logs');
    await page.getByRole('link', { name: '/apps/flights', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-logs');
    await page.getByRole('link', { name: '/apps/flights', exact: true }).click();
    await page.getByText('242 lines').waitFor();
    await page.getByRole('button', { name: /Range of time/ }).click();
    await page.getByRole('option', { name: 'Last hour' }).click();
    await page.getByText('242 lines').waitFor();
    await page.getByRole('group', { name: 'Lines over time' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-log');
    await page.getByRole('searchbox', { name: 'Filter pattern' }).fill('{ $.level = "error" && $.ms >= 200 }');
    await page.getByText('"BH 200"').waitFor();
    await page.getByText('1 line', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'How filter patterns are written' }).click();
    await page.getByRole('button', { name: '?ERROR ?WARN' }).click();
    await page.getByText('ERROR the gate is closed').waitFor();
    expect(new URL(page.url()).searchParams.get('filter')).toBe('?ERROR ?WARN');
    await page.keyboard.press('Escape');
    // A range in the address, and one of the streams.
    const now = Date.now();
    await page.goto(browser.url(`/operations/logs/group?name=/apps/flights&stream=web-2&range=${now - 2.6 * minute}~${now}`));
    await page.getByText('the gate is open again').waitFor();
    await page.getByText('1 line', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Streams' }).click();
    await page.getByRole('link', { name: 'web-1' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    // The pipeline's logs as one.
    await page.goto(browser.url('/operations/logs/search?groups=/apps/flights,/apps/bookings&filter="BH 42"'));
    await page.getByText('BH 42 is booked').waitFor();
    await page.getByText('the gate is closed for BH 42').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-search');
    await page.close();
  });

  test('a log group is made, keeps its events for a week, and goes', async () => {
    const page = await browser.signedIn('/operations/logs');
    await page.getByRole('button', { name: 'Create log group' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('/apps/going');
    await page.getByRole('dialog').getByRole('button', { name: /Retention/ }).click();
    await page.getByRole('option', { name: '7 days', exact: true }).click();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: '/apps/going', level: 1 }).waitFor();
    await page.getByText('7 days').waitFor();
    await page.getByText('No events').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByLabel('To confirm, type /apps/going').fill('/apps/going');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Logs', level: 1 }).waitFor();
    await page.getByRole('link', { name: '/apps/going' }).waitFor({ state: 'detached' });
    await page.close();
  });

  test('the server says how it is, what it keeps and what it is asked', async () => {
    const page = await browser.signedIn('/operations/server');
    await page.getByText('Healthy').waitFor();
    await page.getByText('Up for').waitFor();
    await page.getByRole('row', { name: /^Metadata/ }).first().waitFor();
    for (let call = 0; call < 40; call += 1) {
      await server.put(`taken/${call}`, 'x');
      if (call % 10 === 9) await page.waitForTimeout(1_500);
    }
    await page.getByRole('img', { name: /^Calls a second, by service/ }).waitFor();
    await page.getByRole('row', { name: /^s3/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'operations-server', 1700);
    await page.close();
  });

  test('the palette finds stacks and log groups', async () => {
    const page = await browser.signedIn('/');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find pages and things' }).fill('apps/book');
    await page.getByRole('option', { name: /\/apps\/bookings Log group/ }).waitFor();
    await page.getByRole('combobox', { name: 'Find pages and things' }).fill('flights');
    await page.getByRole('option', { name: /flights Stack/ }).click();
    await page.getByRole('heading', { name: 'flights', level: 1 }).waitFor();
    await page.close();
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
