/** Events to test functions with: templates in the shapes that services send, and what people have kept in this browser. */

export interface TestEvent {
  name: string;
  body: string;
}

/** What a template is filled with. */
export interface Place {
  region: string;
  account: string;
  /** The function's ARN. */
  arn: string;
  now: Date;
}

const json = (document: unknown) => JSON.stringify(document, null, 2);

/** Templates by what sends them ("Lambda developer guide: Services that invoke functions"). */
export const TEMPLATES: readonly { id: string; label: string; make: (place: Place) => unknown }[] = [
  { id: 'empty', label: 'Empty', make: () => ({}) },
  { id: 'hello', label: 'Hello world', make: () => ({ key1: 'value1', key2: 'value2', key3: 'value3' }) },
  { id: 'http', label: 'API Gateway HTTP API (2.0)', make: httpEvent },
  { id: 's3', label: 'S3: object created', make: s3Event },
  { id: 'sqs', label: 'SQS: messages', make: sqsEvent },
  { id: 'firehose', label: 'Firehose: transformation', make: firehoseEvent },
  { id: 'eventbridge', label: 'EventBridge: object created', make: (place) => ({ ...envelope(place), 'detail-type': 'Object Created', source: 'aws.s3', resources: ['arn:aws:s3:::my-bucket'], detail: { version: '0', bucket: { name: 'my-bucket' }, object: { key: 'raw/flights.csv', size: 1024, etag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: '0A1B2C3D4E5F678901' }, reason: 'PutObject' } }) },
  { id: 'scheduled', label: 'EventBridge: scheduled', make: (place) => ({ ...envelope(place), 'detail-type': 'Scheduled Event', source: 'aws.events', resources: [`arn:aws:events:${place.region}:${place.account}:rule/my-schedule`], detail: {} }) },
];

export function templateText(id: string, place: Place): string {
  return json(TEMPLATES.find((one) => one.id === id)?.make(place) ?? {});
}

const seconds = (moment: Date) => `${moment.toISOString().slice(0, 19)}Z`;

const envelope = ({ region, account, now }: Place) => ({ version: '0', id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa', account, time: seconds(now), region });

function httpEvent({ region, account, now }: Place) {
  const http = { method: 'POST', path: '/flights', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'curl/8' };
  const requestContext = { accountId: account, apiId: 'api-id', domainName: `api-id.execute-api.${region}.amazonaws.com`, domainPrefix: 'api-id', http, requestId: 'JKJaXmPLvHcESHA=', routeKey: 'POST /flights', stage: '$default', time: now.toUTCString(), timeEpoch: now.getTime() };
  return { version: '2.0', routeKey: 'POST /flights', rawPath: '/flights', rawQueryString: 'from=BER', headers: { 'content-type': 'application/json', host: requestContext.domainName }, queryStringParameters: { from: 'BER' }, requestContext, body: '{"flight": "BH 1"}', isBase64Encoded: false };
}

function s3Event({ region, now }: Place) {
  const bucket = { name: 'my-bucket', ownerIdentity: { principalId: 'EXAMPLE' }, arn: 'arn:aws:s3:::my-bucket' };
  const object = { key: 'raw/flights.csv', size: 1024, eTag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: '0A1B2C3D4E5F678901' };
  return { Records: [{ eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: region, eventTime: now.toISOString(), eventName: 'ObjectCreated:Put', userIdentity: { principalId: 'EXAMPLE' }, s3: { s3SchemaVersion: '1.0', configurationId: 'notify', bucket, object } }] };
}

function sqsEvent({ region, account, now }: Place) {
  const attributes = { ApproximateReceiveCount: '1', SentTimestamp: String(now.getTime()), SenderId: 'EXAMPLE', ApproximateFirstReceiveTimestamp: String(now.getTime()) };
  return { Records: [{ messageId: '19dd0b57-b21e-4ac1-bd88-01bbb068cb78', receiptHandle: 'MessageReceiptHandle', body: '{"flight": "BH 1"}', attributes, messageAttributes: {}, md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3', eventSource: 'aws:sqs', eventSourceARN: `arn:aws:sqs:${region}:${account}:my-queue`, awsRegion: region }] };
}

function firehoseEvent({ region, account, now }: Place) {
  const record = (recordId: string, data: string) => ({ recordId, approximateArrivalTimestamp: now.getTime(), data: btoa(data) });
  return { invocationId: '2b4d1ad9-2f48-94bd-a088-767c317e994a', deliveryStreamArn: `arn:aws:firehose:${region}:${account}:deliverystream/my-stream`, region, records: [record('1', '{"flight": "BH 1"}\n'), record('2', '{"flight": "BH 2"}\n')] };
}

const key = (name: string) => `boathouse.events.${name}`;

/** The events that were kept for a function in this browser. */
export function keptEvents(name: string): TestEvent[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key(name)) ?? '[]');
    return Array.isArray(found) ? (found as TestEvent[]).filter((one) => typeof one?.name === 'string' && typeof one.body === 'string') : [];
  } catch {
    return [];
  }
}

/** Keeps an event under its name; one without a body goes. */
export function keepEvent(name: string, event: { name: string; body?: string }): TestEvent[] {
  const others = keptEvents(name).filter((one) => one.name !== event.name);
  const next = event.body === undefined ? others : [...others, { name: event.name, body: event.body }].sort((a, b) => a.name.localeCompare(b.name));
  localStorage.setItem(key(name), JSON.stringify(next));
  return next;
}
