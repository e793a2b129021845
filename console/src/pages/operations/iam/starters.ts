/** What new roles, policies and boundaries begin with. */
import { documentOf, type Statement } from './document';

/** A service that works in a role, and the policies of AWS's that it usually needs. */
export interface Starter {
  id: string;
  title: string;
  /** Who may assume the role. */
  service: string;
  policies: readonly string[];
}

const AWS = 'arn:aws:iam::aws:policy';

export const STARTERS: readonly Starter[] = [
  { id: 'lambda', title: 'Lambda: functions that write their log', service: 'lambda.amazonaws.com', policies: [`${AWS}/service-role/AWSLambdaBasicExecutionRole`] },
  { id: 'glue', title: 'Glue: jobs and crawlers', service: 'glue.amazonaws.com', policies: [`${AWS}/service-role/AWSGlueServiceRole`] },
  { id: 'firehose', title: 'Firehose: delivery to S3', service: 'firehose.amazonaws.com', policies: [] },
  { id: 'states', title: 'Step Functions: state machines', service: 'states.amazonaws.com', policies: [] },
  { id: 'scheduler', title: 'EventBridge Scheduler: schedules', service: 'scheduler.amazonaws.com', policies: [] },
  { id: 'events', title: 'EventBridge: rules with targets', service: 'events.amazonaws.com', policies: [] },
  { id: 'cloudformation', title: 'CloudFormation: stacks', service: 'cloudformation.amazonaws.com', policies: [] },
];

export function trustOf(principal: Statement['Principal']): string {
  return documentOf([{ Effect: 'Allow', ...(principal ? { Principal: principal } : {}), Action: 'sts:AssumeRole' }]);
}

/** What a new policy begins with. */
export interface Template {
  id: string;
  title: string;
  statements: readonly Statement[];
}

export const TEMPLATES: readonly Template[] = [
  {
    id: 'read-bucket',
    title: 'Read one bucket',
    statements: [
      { Sid: 'ListBucket', Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: 'arn:aws:s3:::my-bucket' },
      { Sid: 'ReadObjects', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::my-bucket/*' },
    ],
  },
  {
    id: 'write-bucket',
    title: 'Read and write one bucket',
    statements: [
      { Sid: 'ListBucket', Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation', 's3:ListBucketMultipartUploads'], Resource: 'arn:aws:s3:::my-bucket' },
      { Sid: 'Objects', Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'], Resource: 'arn:aws:s3:::my-bucket/*' },
    ],
  },
  {
    id: 'query',
    title: 'Query with Athena',
    statements: [
      { Sid: 'Queries', Effect: 'Allow', Action: ['athena:StartQueryExecution', 'athena:StopQueryExecution', 'athena:GetQueryExecution', 'athena:GetQueryResults', 'athena:GetWorkGroup'], Resource: '*' },
      { Sid: 'Catalogue', Effect: 'Allow', Action: ['glue:GetDatabase', 'glue:GetDatabases', 'glue:GetTable', 'glue:GetTables', 'glue:GetPartition', 'glue:GetPartitions'], Resource: '*' },
      { Sid: 'Data', Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket', 's3:GetBucketLocation'], Resource: ['arn:aws:s3:::my-data', 'arn:aws:s3:::my-data/*'] },
      { Sid: 'Results', Effect: 'Allow', Action: ['s3:PutObject', 's3:GetObject', 's3:ListBucket', 's3:GetBucketLocation'], Resource: ['arn:aws:s3:::my-results', 'arn:aws:s3:::my-results/*'] },
    ],
  },
  { id: 'invoke', title: 'Invoke one function', statements: [{ Sid: 'Invoke', Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:us-east-1:000000000000:function:my-function' }] },
  { id: 'records', title: 'Send records to a stream', statements: [{ Sid: 'Send', Effect: 'Allow', Action: ['firehose:PutRecord', 'firehose:PutRecordBatch'], Resource: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/my-stream' }] },
  { id: 'run', title: 'Start one state machine', statements: [{ Sid: 'Start', Effect: 'Allow', Action: ['states:StartExecution', 'states:DescribeExecution'], Resource: '*' }] },
  { id: 'pass', title: 'Pass a role to a service', statements: [{ Sid: 'Pass', Effect: 'Allow', Action: 'iam:PassRole', Resource: 'arn:aws:iam::000000000000:role/my-role', Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } } }] },
];

export const templateText = (template: Template) => documentOf(template.statements);
