/** Lifecycle rules and notifications in words. */
import type { Json } from '../../aws/s3-documents';

type Fields = { [name: string]: Json | undefined };

const fields = (value: Json | undefined): Fields => (typeof value === 'object' && !Array.isArray(value) ? value : {});
const list = (value: Json | undefined): Fields[] => (Array.isArray(value) ? value.map(fields) : []);
const text = (value: Json | undefined): string => (value === undefined || typeof value === 'object' ? '' : String(value));
const days = (value: Json | undefined): string => `${text(value)} ${text(value) === '1' ? 'day' : 'days'}`;

export interface LifecycleRule {
  id: string;
  enabled: boolean;
  /** Which objects. */
  scope: string;
  /** What happens to them. */
  actions: string[];
}

function scopeOf(rule: Fields): string {
  const filter = fields(rule.Filter);
  const all = { ...filter, ...fields(filter.And) };
  const tags = [...list(all.Tags), ...(filter.Tag ? [fields(filter.Tag)] : [])];
  const parts = [
    ...[text(all.Prefix) || text(rule.Prefix)].filter(Boolean).map((prefix) => `below ${prefix}`),
    ...tags.map((tag) => `tagged ${text(tag.Key)}=${text(tag.Value)}`),
    ...(all.ObjectSizeGreaterThan === undefined ? [] : [`larger than ${text(all.ObjectSizeGreaterThan)} bytes`]),
    ...(all.ObjectSizeLessThan === undefined ? [] : [`smaller than ${text(all.ObjectSizeLessThan)} bytes`]),
  ];
  return parts.length === 0 ? 'All objects' : `Objects ${parts.join(', ')}`;
}

function actionsOf(rule: Fields): string[] {
  const expiration = fields(rule.Expiration);
  const old = fields(rule.NoncurrentVersionExpiration);
  const parts = fields(rule.AbortIncompleteMultipartUpload);
  const kept = old.NewerNoncurrentVersions === undefined ? '' : `, beyond the newest ${text(old.NewerNoncurrentVersions)}`;
  return [
    ...list(rule.Transitions).map((step) => `to ${text(step.StorageClass)} ${step.Date ? `on ${text(step.Date).slice(0, 10)}` : `after ${days(step.Days)}`}`),
    ...(expiration.Days === undefined ? [] : [`expire after ${days(expiration.Days)}`]),
    ...(expiration.Date === undefined ? [] : [`expire on ${text(expiration.Date).slice(0, 10)}`]),
    ...(expiration.ExpiredObjectDeleteMarker === true ? ['remove delete markers without versions'] : []),
    ...list(rule.NoncurrentVersionTransitions).map((step) => `old versions to ${text(step.StorageClass)} after ${days(step.NoncurrentDays)}`),
    ...(old.NoncurrentDays === undefined ? [] : [`delete old versions after ${days(old.NoncurrentDays)}${kept}`]),
    ...(parts.DaysAfterInitiation === undefined ? [] : [`give up unfinished uploads after ${days(parts.DaysAfterInitiation)}`]),
  ];
}

export function lifecycleRules(document: Fields | null | undefined): LifecycleRule[] {
  return list(document?.Rules).map((rule) => ({
    id: text(rule.ID) || '–',
    enabled: rule.Status === 'Enabled',
    scope: scopeOf(rule),
    actions: actionsOf(rule),
  }));
}

export interface Notification {
  id: string;
  /** Its ARN; EventBridge has none. */
  target: string;
  kind: string;
  events: string[];
  filter: string;
}

const KINDS = [
  ['LambdaFunctionConfigurations', 'LambdaFunctionArn', 'Lambda function'],
  ['QueueConfigurations', 'QueueArn', 'SQS queue'],
] as const;

export function notifications(document: Fields | null | undefined): Notification[] {
  const found = KINDS.flatMap(([name, arn, kind]) =>
    list(document?.[name]).map((one): Notification => {
      const rules = list(fields(fields(one.Filter).Key).FilterRules);
      return {
        id: text(one.Id) || text(one[arn]),
        target: text(one[arn]),
        kind,
        events: Array.isArray(one.Events) ? one.Events.map(text) : [],
        filter: rules.map((rule) => `${text(rule.Name).toLowerCase()} ${text(rule.Value)}`).join(', '),
      };
    }),
  );
  const bus = document?.EventBridgeConfiguration === undefined ? [] : [{ id: 'EventBridge', target: '', kind: 'EventBridge', events: ['all events'], filter: '' }];
  return [...found, ...bus];
}
