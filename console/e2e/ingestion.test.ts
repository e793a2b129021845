import { crc32 } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

/** An archive of one file, not packed. */
function zip(name: string, text: string): string {
  const [path, data] = [Buffer.from(name), Buffer.from(text)];
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(33, 8);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, data]);
  const entry = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, Buffer.alloc(14), path]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]).toString('base64');
}

const CODE = `import json
def handler(event, context):
    http = event["requestContext"]["http"]
    body = {"method": http["method"], "path": event["rawPath"], "id": (event.get("pathParameters") or {}).get("id"),
            "query": event.get("queryStringParameters"), "body": event.get("body")}
    return {"statusCode": 201 if event.get("body") else 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
`;

describe('ingestion', () => {
  let server: Server;
  let browser: Browser;
  const role = 'arn:aws:iam::000000000000:role/ingest';

  const rest = async <Output>(service: string, method: string, path: string, body: object): Promise<Output> =>
    JSON.parse(await server.call(service, { method, path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })) as Output;

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    await server.put('landing');
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: ['firehose.amazonaws.com', 'lambda.amazonaws.com'] }, Action: 'sts:AssumeRole' }] };
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['s3:*', 'logs:*', 'lambda:*'], Resource: '*' }] };
    await server.query('iam', '2010-05-08', 'CreateRole', { RoleName: 'ingest', AssumeRolePolicyDocument: JSON.stringify(trust) });
    await server.query('iam', '2010-05-08', 'PutRolePolicy', { RoleName: 'ingest', PolicyName: 'p', PolicyDocument: JSON.stringify(policy) });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('a stream is made, takes a record, and the record is seen where it landed', async () => {
    const page = await browser.signedIn('/ingestion');
    await page.getByText('No delivery streams yet').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create delivery stream' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').last().fill('departures');
    await dialog.getByRole('button', { name: /Bucket/ }).click();
    await page.getByRole('option', { name: 'landing' }).click();
    await dialog.getByRole('button', { name: /Role/ }).click();
    await page.getByRole('option', { name: 'ingest' }).click();
    await dialog.getByRole('textbox', { name: 'Prefix', exact: true }).fill('raw/!{timestamp:yyyy/MM/dd}/');
    await dialog.getByRole('textbox', { name: 'Prefix for errors' }).fill('errors/!{firehose:error-output-type}/');
    await dialog.getByLabel('Gather for (seconds)').fill('0');
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: 'departures', level: 1 }).waitFor();
    await page.getByText('Active').first().waitFor();
    await page.getByRole('tab', { name: 'Send a record' }).click();
    for (let sent = 1; sent <= 3; sent += 1) {
      await page.getByRole('textbox', { name: 'Record' }).click();
      await page.keyboard.press('Control+a');
      await page.keyboard.insertText(`{"flight": "BH ${sent}", "airport": "BER"}`);
      await page.getByRole('button', { name: 'Send record' }).click();
      await expect.poll(() => page.getByRole('region', { name: 'Sent records' }).getByRole('listitem').count()).toBe(sent);
    }
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-send');
    await page.getByRole('tab', { name: 'Records', exact: true }).click();
    await page.getByText('"flight": "BH 3"').first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-records');
    await page.getByRole('tab', { name: 'Deliveries' }).click();
    await page.getByRole('link', { name: /^raw\/.*departures-1-/ }).first().waitFor();
    await page.getByRole('img', { name: /^Bytes delivered over time/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-stream');
    await page.getByRole('tab', { name: 'Failures' }).click();
    await page.getByText('No failed records').waitFor();
    await page.close();
  });

  test('records that fail are found, with the reason', async () => {
    const code = 'def handler(event, context):\n    return {"records": [{"recordId": r["recordId"], "result": "ProcessingFailed", "data": r["data"]} for r in event["records"]]}\n';
    await rest('lambda', 'POST', '/2015-03-31/functions', { FunctionName: 'strict', Runtime: 'python3.11', Role: role, Handler: 'index.handler', Code: { ZipFile: zip('index.py', code) } });
    const parameter = (ParameterName: string, ParameterValue: string) => ({ ParameterName, ParameterValue });
    await server.json('firehose', 'Firehose_20150804.CreateDeliveryStream', {
      DeliveryStreamName: 'strict',
      ExtendedS3DestinationConfiguration: {
        BucketARN: 'arn:aws:s3:::landing',
        RoleARN: role,
        Prefix: 'strict/',
        ErrorOutputPrefix: 'broken/',
        BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 },
        ProcessingConfiguration: {
          Enabled: true,
          Processors: [{ Type: 'Lambda', Parameters: [parameter('LambdaArn', 'arn:aws:lambda:us-east-1:000000000000:function:strict'), parameter('NumberOfRetries', '0')] }],
        },
      },
    });
    const page = await browser.signedIn('/ingestion/streams/strict?view=send');
    await page.getByText('Active').first().waitFor();
    await page.getByRole('link', { name: 'strict', exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Send record' }).click();
    await page.getByRole('tab', { name: 'Failures (1)' }).click();
    await page.getByRole('link', { name: /^broken\/.*strict-1-/ }).waitFor();
    await page.getByText('Lambda.ProcessingFailedStatus').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-failures');
    await page.close();
  });

  test('streams are listed with where they land, and one goes', async () => {
    await server.json('firehose', 'Firehose_20150804.CreateDeliveryStream', {
      DeliveryStreamName: 'going',
      ExtendedS3DestinationConfiguration: { BucketARN: 'arn:aws:s3:::landing', RoleARN: role, Prefix: 'going/' },
    });
    const page = await browser.signedIn('/ingestion');
    await page.getByRole('link', { name: 's3://landing/going/' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-streams');
    await page.getByRole('link', { name: 'going', exact: true }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByLabel('To confirm, type going').fill('going');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Delivery streams', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'going', exact: true }).waitFor({ state: 'detached' });
    await page.close();
  });

  test('an API is called from its page, and answers', async () => {
    await rest('lambda', 'POST', '/2015-03-31/functions', { FunctionName: 'echo', Runtime: 'python3.11', Role: role, Handler: 'index.handler', Code: { ZipFile: zip('index.py', CODE) } });
    const lambda = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
    await rest('lambda', 'POST', '/2015-03-31/functions/echo/policy', { StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
    const { apiId } = await rest<{ apiId: string }>('apigateway', 'POST', '/v2/apis', { name: 'flights', protocolType: 'HTTP', description: 'Flights over HTTP' });
    const { integrationId } = await rest<{ integrationId: string }>('apigateway', 'POST', `/v2/apis/${apiId}/integrations`, { integrationType: 'AWS_PROXY', integrationUri: lambda, payloadFormatVersion: '2.0' });
    for (const [routeKey, authorizationType] of [['GET /flights/{id}', 'NONE'], ['POST /flights', 'AWS_IAM']]) {
      await rest('apigateway', 'POST', `/v2/apis/${apiId}/routes`, { routeKey, authorizationType, target: `integrations/${integrationId}` });
    }
    await rest('apigateway', 'POST', `/v2/apis/${apiId}/stages`, { stageName: '$default', autoDeploy: true });
    const page = await browser.signedIn('/ingestion/apis');
    await page.getByRole('link', { name: 'flights', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-apis');
    await page.getByRole('link', { name: 'flights', exact: true }).click();
    await page.getByText('GET /flights/{id}').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-api');
    await page.getByRole('button', { name: 'Try it: GET /flights/{id}' }).click();
    await page.getByRole('textbox', { name: '{id}' }).fill('BH 42');
    await page.getByRole('textbox', { name: 'Query' }).fill('airport=BER');
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    const answer = page.getByRole('region', { name: 'Answer' });
    await answer.getByText(/^200/).waitFor();
    await answer.getByText('"BH 42"').waitFor();
    await answer.getByText('"BER"').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-try');
    // A route that asks for IAM is called as whoever is signed in.
    await page.getByRole('button', { name: /Route/ }).click();
    await page.getByRole('option', { name: 'POST /flights' }).click();
    await page.getByRole('textbox', { name: 'Body' }).click();
    await page.keyboard.insertText('{"flight": 1}');
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await answer.getByText(/^201/).waitFor();
    expect(new URL(page.url()).searchParams.get('route')).toBe('POST /flights');
    await page.close();
  });

  test('a queue takes a message, shows it and lets it go', async () => {
    await server.json('sqs', 'AmazonSQS.CreateQueue', { QueueName: 'work' }, '1.0');
    const page = await browser.signedIn('/ingestion/queues');
    await page.getByRole('link', { name: 'work', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-queues');
    await page.getByRole('link', { name: 'work', exact: true }).click();
    await page.getByRole('button', { name: 'Send message' }).click();
    await page.getByText('The message is sent').waitFor();
    await page.getByRole('button', { name: 'Receive up to 10 messages' }).click();
    await page.getByRole('list', { name: 'Received messages' }).getByText('hello').first().click();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'ingestion-queue');
    await page.getByRole('button', { name: /^Delete message/ }).click();
    await page.getByText('None waits').waitFor();
    await page.close();
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
