/**
 * Where each kind of thing has its page. Areas link to each other by these functions only, and have their rows at these paths:
 *
 * | Thing | Path |
 * |---|---|
 * | bucket, object | `/storage/buckets/:bucket?prefix=`, `/storage/buckets/:bucket/object?key=` |
 * | database, table, crawler | `/catalogue/databases/:database`, `/catalogue/databases/:database/tables/:table`, `/catalogue/crawlers/:name` |
 * | query execution, statement | `/query/executions/:id`, `/query?sql=&database=` |
 * | state machine, execution | `/pipelines/machines/:name`, `/pipelines/executions/:arn` |
 * | Glue job, its run | `/pipelines/jobs/:name`, `/pipelines/jobs/:name/runs/:run` |
 * | rule, schedule | `/pipelines/rules/:bus/:name`, `/pipelines/schedules/:group/:name` |
 * | delivery stream, API, queue | `/ingestion/streams/:name`, `/ingestion/apis/:id`, `/ingestion/queues/:name` |
 * | function | `/compute/functions/:name` |
 * | stack, log group | `/operations/stacks/:name`, `/operations/logs/group?name=&stream=&filter=` |
 * | graph of metrics | `/operations/metrics?graph=&range=` |
 * | role, user, group, policy | `/operations/iam/roles/:name`, `…/users/:name`, `…/groups/:name`, `…/policies/:arn` |
 * | why a call is denied, who did what | `/operations/iam/explain?principal=&action=&resource=`, `/operations/audit?user=&resource=&kind=` |
 */
import { seg, to } from './router';

export const bucketHref = (bucket: string, prefix = '') => to(`/storage/buckets/${seg(bucket)}`, { prefix });
export const objectHref = (bucket: string, key: string, version?: string) =>
  to(`/storage/buckets/${seg(bucket)}/object`, { key, version });
export const databaseHref = (database: string) => to(`/catalogue/databases/${seg(database)}`);
export const tableHref = (database: string, table: string) =>
  to(`/catalogue/databases/${seg(database)}/tables/${seg(table)}`);
export const crawlerHref = (name: string) => to(`/catalogue/crawlers/${seg(name)}`);
export const queryHref = (id: string) => to(`/query/executions/${seg(id)}`);
export const statementHref = (sql: string, database?: string) => to('/query', { sql, database });
export const machineHref = (name: string) => to(`/pipelines/machines/${seg(name)}`);
export const executionHref = (arn: string) => to(`/pipelines/executions/${seg(arn)}`);
export const jobHref = (name: string) => to(`/pipelines/jobs/${seg(name)}`);
export const jobRunHref = (job: string, run: string) => to(`/pipelines/jobs/${seg(job)}/runs/${seg(run)}`);
export const ruleHref = (name: string, bus = 'default') => to(`/pipelines/rules/${seg(bus)}/${seg(name)}`);
export const scheduleHref = (name: string, group = 'default') => to(`/pipelines/schedules/${seg(group)}/${seg(name)}`);
export const streamHref = (name: string) => to(`/ingestion/streams/${seg(name)}`);
export const apiHref = (id: string) => to(`/ingestion/apis/${seg(id)}`);
export const queueHref = (name: string) => to(`/ingestion/queues/${seg(name)}`);
export const functionHref = (name: string) => to(`/compute/functions/${seg(name)}`);
export const stackHref = (name: string) => to(`/operations/stacks/${seg(name)}`);
export const logGroupHref = (name: string, more: { stream?: string; filter?: string } = {}) =>
  to('/operations/logs/group', { name, ...more });
/** The metrics of one resource, each with its statistic: `metricsHref('AWS/SQS', { QueueName: name }, { NumberOfMessagesSent: 'Sum' })`. */
export const metricsHref = (namespace: string, dimensions: Record<string, string>, metrics: Record<string, string>) => {
  const lines = Object.entries(metrics).map(([name, statistic]) => [namespace, name, statistic, ...Object.entries(dimensions).flat()]);
  return to('/operations/metrics', { graph: JSON.stringify(lines), namespace });
};
export const roleHref = (name: string) => to(`/operations/iam/roles/${seg(name)}`);
export const userHref = (name: string) => to(`/operations/iam/users/${seg(name)}`);
export const groupHref = (name: string) => to(`/operations/iam/groups/${seg(name)}`);
export const policyHref = (arn: string) => to(`/operations/iam/policies/${seg(arn)}`);

/** Explains why somebody may not do something. */
export const explainHref = (call: { principal?: string; action?: string; resource?: string; context?: string } = {}) =>
  to('/operations/iam/explain', { ...call });
/** Calls of the audit log: changes only, unless the kind says otherwise. */
export const auditHref = (which: { user?: string; resource?: string; kind?: 'all' | 'denied' } = {}) => to('/operations/audit', { ...which });

/** The page of whatever an ARN names; none where there is no such page. */
export function arnHref(arn: string): string | undefined {
  const [, , service, , , ...rest] = arn.split(':');
  const resource = rest.join(':');
  const last = resource.split('/').at(-1) ?? '';
  const [kind = '', first = '', second = ''] = resource.split(/[:/]/);
  switch (service) {
    case 's3': {
      const [bucket = '', ...key] = resource.split('/');
      const path = key.join('/');
      return path && !path.includes('*') ? objectHref(bucket, path) : bucketHref(bucket);
    }
    case 'glue':
      if (kind === 'database') return databaseHref(first);
      if (kind === 'table') return tableHref(first, second);
      if (kind === 'crawler') return crawlerHref(first);
      return kind === 'job' ? jobHref(first) : undefined;
    case 'states':
      if (kind === 'stateMachine') return machineHref(first);
      return kind === 'execution' ? executionHref(arn) : undefined;
    case 'lambda':
      return kind === 'function' ? functionHref(first) : undefined;
    case 'firehose':
      return kind === 'deliverystream' ? streamHref(first) : undefined;
    case 'sqs':
      return queueHref(resource);
    case 'events':
      return kind === 'rule' ? ruleHref(second || first, second ? first : 'default') : undefined;
    case 'scheduler':
      return kind === 'schedule' ? scheduleHref(second, first) : undefined;
    case 'logs':
      return kind === 'log-group' ? logGroupHref(resource.slice('log-group:'.length).replace(/:\*$/, '')) : undefined;
    case 'cloudformation':
      return kind === 'stack' ? stackHref(first) : undefined;
    case 'iam':
      if (kind === 'role') return roleHref(last);
      if (kind === 'user') return userHref(last);
      if (kind === 'group') return groupHref(last);
      return kind === 'policy' ? policyHref(arn) : undefined;
    default:
      return undefined;
  }
}

/** The page of what a stack's resource is, by its type and its physical id. */
export function resourceHref(type: string, id: string): string | undefined {
  if (id.startsWith('arn:')) return arnHref(id);
  switch (type) {
    case 'AWS::S3::Bucket':
    case 'AWS::S3::BucketPolicy':
      return bucketHref(id);
    case 'AWS::Glue::Database':
      return databaseHref(id);
    case 'AWS::Glue::Crawler':
      return crawlerHref(id);
    case 'AWS::Glue::Job':
      return jobHref(id);
    case 'AWS::Lambda::Function':
      return functionHref(id);
    case 'AWS::KinesisFirehose::DeliveryStream':
      return streamHref(id);
    case 'AWS::ApiGatewayV2::Api':
      return apiHref(id);
    case 'AWS::SQS::Queue':
      return queueHref(id.split('/').at(-1) ?? id);
    case 'AWS::Events::Rule': {
      const [bus = '', name] = id.split('|');
      return name ? ruleHref(name, bus) : ruleHref(bus);
    }
    case 'AWS::Scheduler::Schedule':
      return scheduleHref(id);
    case 'AWS::Logs::LogGroup':
      return logGroupHref(id);
    case 'AWS::IAM::Role':
      return roleHref(id);
    case 'AWS::IAM::User':
      return userHref(id);
    case 'AWS::IAM::Group':
      return groupHref(id);
    default:
      return undefined;
  }
}
