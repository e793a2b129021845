/** A bucket's configuration, as pages read it. */
import {
  CORS,
  ENCRYPTION,
  type Json,
  type Kind,
  LIFECYCLE,
  NOTIFICATION,
  OBJECT_LOCK,
  OWNERSHIP,
  PUBLIC_ACCESS,
  VERSIONING,
  getDocument,
  getPolicy,
  getXml,
} from '../../aws/s3-documents';
import { getTags } from '../../aws/s3-objects';
import { AwsError } from '../../aws/error';
import { type Live, useLive } from '../../lib/live';

export const keyOf = (bucket: string, what: string) => `s3/configuration/${bucket}/${what}`;

/** `Enabled`, `Suspended`, or nothing where it never was. */
export function useVersioning(bucket: string): Live<string> {
  return useLive(keyOf(bucket, 'versioning'), async () => (await getXml(bucket, VERSIONING))?.text('Status') ?? '');
}

export interface Encryption {
  algorithm: string;
  key?: string;
  bucketKey: boolean;
}

export function useEncryption(bucket: string): Live<Encryption | null> {
  return useLive(keyOf(bucket, 'encryption'), async () => {
    const rule = (await getXml(bucket, ENCRYPTION))?.child('Rule');
    if (!rule) return null;
    const key = rule.maybe('ApplyServerSideEncryptionByDefault', 'KMSMasterKeyID');
    const algorithm = rule.text('ApplyServerSideEncryptionByDefault', 'SSEAlgorithm');
    return { algorithm, bucketKey: rule.flag('BucketKeyEnabled'), ...(key ? { key } : {}) };
  });
}

export interface Lock {
  enabled: boolean;
  mode?: string;
  days?: number;
  years?: number;
}

export function useLock(bucket: string): Live<Lock> {
  return useLive(keyOf(bucket, 'lock'), async () => {
    const xml = await getXml(bucket, OBJECT_LOCK);
    if (!xml) return { enabled: false };
    const rule = xml.child('Rule', 'DefaultRetention');
    const enabled = xml.text('ObjectLockEnabled') === 'Enabled';
    if (!rule.exists) return { enabled };
    return {
      enabled,
      mode: rule.text('Mode'),
      ...(rule.maybe('Days') ? { days: rule.number('Days') } : {}),
      ...(rule.maybe('Years') ? { years: rule.number('Years') } : {}),
    };
  });
}

/** The four switches of Block Public Access. */
export const SWITCHES = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;
export type Switches = Record<(typeof SWITCHES)[number], boolean>;

export function usePublicAccess(bucket: string): Live<Switches> {
  return useLive(keyOf(bucket, 'public'), async () => {
    const xml = await getXml(bucket, PUBLIC_ACCESS);
    return Object.fromEntries(SWITCHES.map((name) => [name, xml?.flag(name) ?? false])) as Switches;
  });
}

export function useOwnership(bucket: string): Live<string> {
  return useLive(keyOf(bucket, 'ownership'), async () => (await getXml(bucket, OWNERSHIP))?.text('Rule', 'ObjectOwnership') ?? '');
}

/** A document as JSON; null if the bucket has none. */
export function useDocument(bucket: string, kind: Kind): Live<{ [name: string]: Json } | null> {
  return useLive(keyOf(bucket, kind.query), async () => (await getDocument(bucket, kind)) ?? null);
}

export const useLifecycle = (bucket: string) => useDocument(bucket, LIFECYCLE);
export const useCors = (bucket: string) => useDocument(bucket, CORS);
export const useNotification = (bucket: string) => useDocument(bucket, NOTIFICATION);

export function usePolicy(bucket: string): Live<string> {
  return useLive(keyOf(bucket, 'policy'), async () => (await getPolicy(bucket)) ?? '');
}

export function useBucketTags(bucket: string) {
  return useLive(keyOf(bucket, 'tags'), async () => {
    try {
      return await getTags(bucket);
    } catch (error) {
      if (error instanceof AwsError && error.code === 'NoSuchTagSet') return [];
      throw error;
    }
  });
}
