import { expect, test } from 'vitest';

import { arnHref, logGroupHref, metricsHref, objectHref, resourceHref } from './links';

test('whatever an ARN names has its page', () => {
  const arns = {
    'arn:aws:s3:::raw': '/_console/storage/buckets/raw',
    'arn:aws:s3:::raw/a/b.csv': '/_console/storage/buckets/raw/object?key=a%2Fb.csv',
    'arn:aws:s3:::raw/*': '/_console/storage/buckets/raw',
    'arn:aws:glue:r:1:table/db/t': '/_console/catalogue/databases/db/tables/t',
    'arn:aws:glue:r:1:job/clean': '/_console/pipelines/jobs/clean',
    'arn:aws:states:r:1:stateMachine:daily': '/_console/pipelines/machines/daily',
    'arn:aws:states:r:1:execution:daily:x': '/_console/pipelines/executions/arn%3Aaws%3Astates%3Ar%3A1%3Aexecution%3Adaily%3Ax',
    'arn:aws:lambda:r:1:function:f:3': '/_console/compute/functions/f',
    'arn:aws:firehose:r:1:deliverystream/s': '/_console/ingestion/streams/s',
    'arn:aws:sqs:r:1:q': '/_console/ingestion/queues/q',
    'arn:aws:events:r:1:rule/n': '/_console/pipelines/rules/default/n',
    'arn:aws:events:r:1:rule/bus/n': '/_console/pipelines/rules/bus/n',
    'arn:aws:scheduler:r:1:schedule/default/n': '/_console/pipelines/schedules/default/n',
    'arn:aws:logs:r:1:log-group:/aws/lambda/f:*': '/_console/operations/logs/group?name=%2Faws%2Flambda%2Ff',
    'arn:aws:cloudformation:r:1:stack/s/uuid': '/_console/operations/stacks/s',
    'arn:aws:iam::1:role/path/r': '/_console/operations/iam/roles/r',
  };
  for (const [arn, href] of Object.entries(arns)) expect(arnHref(arn), arn).toBe(href);
  expect([arnHref('arn:aws:kinesis:r:1:stream/x'), arnHref('nonsense')]).toEqual([undefined, undefined]);
});

test('the resources of stacks have their pages', () => {
  expect(resourceHref('AWS::S3::Bucket', 'raw')).toBe('/_console/storage/buckets/raw');
  expect(resourceHref('AWS::StepFunctions::StateMachine', 'arn:aws:states:r:1:stateMachine:daily')).toBe('/_console/pipelines/machines/daily');
  expect(resourceHref('AWS::SQS::Queue', 'http://h/0/work')).toBe('/_console/ingestion/queues/work');
  expect([resourceHref('AWS::Events::Rule', 'r'), resourceHref('AWS::Events::Rule', 'bus|r')]).toEqual(['/_console/pipelines/rules/default/r', '/_console/pipelines/rules/bus/r']);
  expect(resourceHref('AWS::IAM::Policy', 'p')).toBeUndefined();
});

test('metrics of a resource are a graph', () => {
  const href = new URL(metricsHref('AWS/SQS', { QueueName: 'q' }, { NumberOfMessagesSent: 'Sum', NumberOfMessagesDeleted: 'Sum' }), 'http://x');
  expect(JSON.parse(href.searchParams.get('graph') ?? '')).toEqual([
    ['AWS/SQS', 'NumberOfMessagesSent', 'Sum', 'QueueName', 'q'],
    ['AWS/SQS', 'NumberOfMessagesDeleted', 'Sum', 'QueueName', 'q'],
  ]);
});

test('names stay what they are', () => {
  expect(objectHref('b', 'ä/&?.csv')).toBe('/_console/storage/buckets/b/object?key=%C3%A4%2F%26%3F.csv');
  expect(logGroupHref('/a', { filter: 'x y' })).toBe('/_console/operations/logs/group?name=%2Fa&filter=x+y');
});
