/** Access keys of IAM's users. */
import { iam, iamList } from './iam';

/** As many as a user may have. */
export const MOST_KEYS = 2;

export interface AccessKey {
  id: string;
  active: boolean;
  created: Date | undefined;
  used: Date | undefined;
  /** The service that was called last. */
  service: string | undefined;
}

/** A new key. Its secret is told this once only. */
export interface NewKey {
  id: string;
  secret: string;
}

/** A user's keys, with their last use where the caller may know. */
export async function listKeys(UserName: string): Promise<AccessKey[]> {
  const keys = await iamList(
    'ListAccessKeys',
    'AccessKeyMetadata',
    (xml) => ({ id: xml.text('AccessKeyId'), active: xml.text('Status') === 'Active', created: xml.time('CreateDate') }),
    { UserName },
  );
  return Promise.all(keys.map(async (key) => ({ ...key, ...(await lastUse(key.id)) })));
}

async function lastUse(AccessKeyId: string): Promise<Pick<AccessKey, 'used' | 'service'>> {
  try {
    const xml = (await iam('GetAccessKeyLastUsed', { AccessKeyId })).child('AccessKeyLastUsed');
    return { used: xml.time('LastUsedDate'), service: xml.maybe('ServiceName') };
  } catch {
    return { used: undefined, service: undefined };
  }
}

export async function createKey(UserName: string): Promise<NewKey> {
  const xml = (await iam('CreateAccessKey', { UserName })).child('AccessKey');
  return { id: xml.text('AccessKeyId'), secret: xml.text('SecretAccessKey') };
}

export const setKeyActive = (UserName: string, AccessKeyId: string, active: boolean) =>
  iam('UpdateAccessKey', { UserName, AccessKeyId, Status: active ? 'Active' : 'Inactive' });
export const deleteKey = (UserName: string, AccessKeyId: string) => iam('DeleteAccessKey', { UserName, AccessKeyId });
