import { expect, test } from 'vitest';

import { directionsOf } from '../../aws/authorization';
import { type Deployed, calledBy, picture } from './picture';

const allow = (Action: string | string[], Resource: string | string[]) => ({ Effect: 'Allow', Action, Resource });
const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

test('policies tell where data comes from and goes to', () => {
  const clean = policy(
    allow('s3:GetObject', 'arn:aws:s3:::raw/*'),
    allow(['s3:PutObject', 's3:DeleteObject'], ['arn:aws:s3:::raw/notes/*', 'arn:aws:s3:::raw/_batches/*']),
    allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::accepted/*'),
    allow('s3:PutObject', 'arn:aws:s3:::master/_batches/*'),
    { ...allow('s3:*', 'arn:aws:s3:::secret/*'), Effect: 'Deny' },
  );
  expect(directionsOf(clean)).toEqual({ reads: ['raw'], writes: ['accepted'] });
  expect(directionsOf(policy(allow('s3:*', 'arn:aws:s3:::b/*')))).toEqual({ reads: [], writes: ['b'] });
  expect(directionsOf('nonsense')).toEqual({ reads: [], writes: [] });
});

test('definitions tell what a machine calls', () => {
  const definition = JSON.stringify({
    States: {
      A: { Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: 'arn:aws:lambda:r:1:function:ingest:live' } },
      B: { Resource: 'arn:aws:states:::glue:startJobRun.sync', Arguments: { JobName: 'clean' }, Assign: { crawler: 'daily' } },
    },
  });
  const called = calledBy(definition);
  expect(called).toEqual(expect.arrayContaining(['function/ingest', 'job/clean', 'crawler/daily']));
  expect(calledBy('{')).toEqual([]);
});

test('the picture has an arrow for every way that data takes, and none into nothing', () => {
  const all: Deployed = {
    buckets: ['landing', 'raw', 'lonely'].map((name) => ({ name, created: undefined })),
    streams: [
      {
        DeliveryStreamName: 's',
        DeliveryStreamARN: '',
        DeliveryStreamStatus: 'ACTIVE',
        DeliveryStreamType: 'DirectPut',
        Destinations: [{ DestinationId: '1', ExtendedS3DestinationDescription: { BucketARN: 'arn:aws:s3:::landing', RoleARN: '' } }],
      },
    ],
    apis: [],
    queues: [],
    functions: [{ FunctionName: 'ingest', FunctionArn: '', Role: 'arn:role', CodeSize: 1, Timeout: 1, MemorySize: 1, LastModified: '', Environment: { Variables: { A: 'landing', B: 'gone' } } }],
    mappings: [],
    jobs: [],
    crawlers: [{ Name: 'c', Role: '', State: 'READY', DatabaseName: 'd', Targets: { S3Targets: [{ Path: 's3://raw/x/' }] } }],
    databases: [{ Name: 'd', tables: 1 }, { Name: 'default', tables: 0 }],
    machines: [{ name: 'm', arn: '', definition: '{"FunctionName":"ingest","x":"nobody"}' }],
    schedules: [{ Name: 'n', GroupName: 'default', Arn: '', State: 'ENABLED', Target: { Arn: 'arn:aws:states:r:1:stateMachine:m' } }],
    rules: [],
    roles: [{ name: 'r', arn: 'arn:role', reads: ['landing'], writes: ['raw'] }],
  };
  const { nodes, edges, loose, more } = picture(all, new Map([['crawler/c', 'FAILED'], ['machine/gone', 'RUNNING']]));
  expect(more).toBe(0);
  expect(edges.map((edge) => `${edge.from} ${edge.dashed ? '..' : '->'} ${edge.to}`).sort()).toEqual([
    'bucket/landing -> function/ingest',
    'bucket/raw -> crawler/c',
    'crawler/c -> database/d',
    'function/ingest -> bucket/raw',
    'machine/m .. function/ingest',
    'schedule/default/n .. machine/m',
    'stream/s -> bucket/landing',
  ]);
  expect(loose.map((node) => node.title)).toEqual(['lonely']);
  expect(nodes.find((node) => node.id === 'crawler/c')?.tone).toBe('bad');
});
