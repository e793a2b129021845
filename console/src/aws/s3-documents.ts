/**
 * A bucket's documents (lifecycle rules, CORS, notifications, …) as the JSON that SDKs and the CLI use, over the XML that goes
 * over the wire. They differ in names only: what is a list in JSON is an element that comes again in XML.
 */
import { s3Call } from './call';
import { AwsError } from './error';
import { digest } from './s3';
import { Xml, escapeXml } from './xml';

export type Json = string | number | boolean | Json[] | { [name: string]: Json | undefined };

/** Elements that come again, and the lists' names. */
const LISTS: Readonly<Record<string, string>> = {
  Rule: 'Rules',
  Tag: 'Tags',
  Transition: 'Transitions',
  NoncurrentVersionTransition: 'NoncurrentVersionTransitions',
  CORSRule: 'CORSRules',
  AllowedOrigin: 'AllowedOrigins',
  AllowedMethod: 'AllowedMethods',
  AllowedHeader: 'AllowedHeaders',
  ExposeHeader: 'ExposeHeaders',
  QueueConfiguration: 'QueueConfigurations',
  TopicConfiguration: 'TopicConfigurations',
  CloudFunctionConfiguration: 'LambdaFunctionConfigurations',
  Event: 'Events',
  FilterRule: 'FilterRules',
};

/** Elements with one value whose names differ. */
const NAMES: Readonly<Record<string, string>> = {
  Queue: 'QueueArn',
  Topic: 'TopicArn',
  CloudFunction: 'LambdaFunctionArn',
  S3Key: 'Key',
};

const turned = (names: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(names).map(([a, b]) => [b, a]));
const SINGULAR = turned(LISTS);
const ON_WIRE = turned(NAMES);

const NUMBERS = /^(Days|NoncurrentDays|NewerNoncurrentVersions|DaysAfterInitiation|Years|MaxAgeSeconds|ObjectSize\w+Than)$/;

/** Elements that say something by being there, or hold others if there are any. */
const OBJECTS = /^(EventBridgeConfiguration|Filter|And)$/;

function value(xml: Xml): Json {
  if (xml.children().length > 0 || OBJECTS.test(xml.name)) return toJson(xml);
  const text = xml.value;
  if (NUMBERS.test(xml.name)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

export function toJson(xml: Xml): { [name: string]: Json } {
  const found: { [name: string]: Json } = {};
  for (const child of xml.children()) {
    // A filter of one tag has it as it is; only `And` has a list of them.
    const list = xml.name === 'Filter' && child.name === 'Tag' ? undefined : LISTS[child.name];
    if (list === undefined) found[NAMES[child.name] ?? child.name] = value(child);
    else found[list] = [...((found[list] as Json[] | undefined) ?? []), value(child)];
  }
  return found;
}

/** What stands in an element, from JSON. */
export function toXml(json: Json): string {
  if (typeof json !== 'object') return escapeXml(String(json));
  return Object.entries(json)
    .map(([name, item]) => {
      if (item === undefined) return '';
      const single = SINGULAR[name];
      if (single && Array.isArray(item)) return item.map((one) => `<${single}>${toXml(one)}</${single}>`).join('');
      // The key of a tag is a text, and that of a notification's filter has rules.
      const wired = name === 'Key' && typeof item !== 'object' ? name : (ON_WIRE[name] ?? name);
      return `<${wired}>${toXml(item)}</${wired}>`;
    })
    .join('');
}

/** A kind of document: its subresource, its root element, the error of buckets that have none. */
export interface Kind {
  query: string;
  root: string;
  missing?: string;
}

export const LIFECYCLE: Kind = { query: 'lifecycle', root: 'LifecycleConfiguration', missing: 'NoSuchLifecycleConfiguration' };
export const CORS: Kind = { query: 'cors', root: 'CORSConfiguration', missing: 'NoSuchCORSConfiguration' };
export const NOTIFICATION: Kind = { query: 'notification', root: 'NotificationConfiguration' };
export const ENCRYPTION: Kind = { query: 'encryption', root: 'ServerSideEncryptionConfiguration', missing: 'ServerSideEncryptionConfigurationNotFoundError' };
export const VERSIONING: Kind = { query: 'versioning', root: 'VersioningConfiguration' };
export const PUBLIC_ACCESS: Kind = { query: 'publicAccessBlock', root: 'PublicAccessBlockConfiguration', missing: 'NoSuchPublicAccessBlockConfiguration' };
export const OBJECT_LOCK: Kind = { query: 'object-lock', root: 'ObjectLockConfiguration', missing: 'ObjectLockConfigurationNotFoundError' };
export const OWNERSHIP: Kind = { query: 'ownershipControls', root: 'OwnershipControls', missing: 'OwnershipControlsNotFoundError' };

/** A document as XML; none if the bucket has none. */
export async function getXml(bucket: string, kind: Kind): Promise<Xml | undefined> {
  try {
    return Xml.parse(await (await s3Call('GET', bucket, undefined, { query: { [kind.query]: '' } })).text());
  } catch (error) {
    if (error instanceof AwsError && error.code === kind.missing) return undefined;
    throw error;
  }
}

export const getDocument = (bucket: string, kind: Kind) => getXml(bucket, kind).then((xml) => xml && toJson(xml));

export async function putDocument(bucket: string, kind: Kind, json: Json): Promise<void> {
  const body = `<${kind.root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${toXml(json)}</${kind.root}>`;
  const headers = { 'content-type': 'application/xml', ...(await digest(body)) };
  await s3Call('PUT', bucket, undefined, { query: { [kind.query]: '' }, headers, body });
}

export async function deleteDocument(bucket: string, kind: Kind): Promise<void> {
  await s3Call('DELETE', bucket, undefined, { query: { [kind.query]: '' } });
}

/** A bucket's policy, which is JSON on the wire as well. */
export async function getPolicy(bucket: string): Promise<string | undefined> {
  try {
    return await (await s3Call('GET', bucket, undefined, { query: { policy: '' } })).text();
  } catch (error) {
    if (error instanceof AwsError && error.code === 'NoSuchBucketPolicy') return undefined;
    throw error;
  }
}

/** Sets the policy; an empty text takes it away. */
export async function putPolicy(bucket: string, policy: string): Promise<void> {
  const query = { policy: '' };
  if (policy.trim() === '') await s3Call('DELETE', bucket, undefined, { query });
  else await s3Call('PUT', bucket, undefined, { query, body: policy });
}
