/** Policies of IAM: attached to users, roles and groups, inline in them, and managed ones with their versions. */
import { type HolderKind, type Tag, iam, iamList } from './iam';

export interface Attached {
  name: string;
  arn: string;
}

const whose = (kind: HolderKind, name: string) => ({ [`${kind}Name`]: name });

export const attachedPolicies = (kind: HolderKind, name: string) =>
  iamList(`ListAttached${kind}Policies`, 'AttachedPolicies', (xml): Attached => ({ name: xml.text('PolicyName'), arn: xml.text('PolicyArn') }), whose(kind, name));

export const inlinePolicies = (kind: HolderKind, name: string) => iamList(`List${kind}Policies`, 'PolicyNames', ({ value }) => value, whose(kind, name));

export async function inlineDocument(kind: HolderKind, name: string, PolicyName: string): Promise<string> {
  return decodeURIComponent((await iam(`Get${kind}Policy`, { ...whose(kind, name), PolicyName })).text('PolicyDocument'));
}

export const putInline = (kind: HolderKind, name: string, PolicyName: string, PolicyDocument: string) =>
  iam(`Put${kind}Policy`, { ...whose(kind, name), PolicyName, PolicyDocument });
export const deleteInline = (kind: HolderKind, name: string, PolicyName: string) => iam(`Delete${kind}Policy`, { ...whose(kind, name), PolicyName });
export const attach = (kind: HolderKind, name: string, PolicyArn: string) => iam(`Attach${kind}Policy`, { ...whose(kind, name), PolicyArn });
export const detach = (kind: HolderKind, name: string, PolicyArn: string) => iam(`Detach${kind}Policy`, { ...whose(kind, name), PolicyArn });

/** Sets the permissions boundary; none takes it away. */
export const setBoundary = (kind: 'User' | 'Role', name: string, arn: string | undefined) =>
  arn ? iam(`Put${kind}PermissionsBoundary`, { ...whose(kind, name), PermissionsBoundary: arn }) : iam(`Delete${kind}PermissionsBoundary`, whose(kind, name));

/** Whether a managed policy is one of AWS's, which nobody changes. */
export const isAws = (arn: string) => arn.startsWith('arn:aws:iam::aws:');

export interface PolicyDetails extends Attached {
  id: string;
  path: string;
  description: string | undefined;
  defaultVersion: string;
  attachments: number;
  boundaries: number;
  created: Date | undefined;
  updated: Date | undefined;
  tags: Tag[];
}

export async function getPolicy(PolicyArn: string): Promise<PolicyDetails> {
  const xml = (await iam('GetPolicy', { PolicyArn })).child('Policy');
  return {
    name: xml.text('PolicyName'),
    arn: xml.text('Arn'),
    id: xml.text('PolicyId'),
    path: xml.text('Path'),
    description: xml.maybe('Description'),
    defaultVersion: xml.text('DefaultVersionId'),
    attachments: xml.number('AttachmentCount'),
    boundaries: xml.number('PermissionsBoundaryUsageCount'),
    created: xml.time('CreateDate'),
    updated: xml.time('UpdateDate'),
    tags: xml.members('Tags').map((tag) => ({ Key: tag.text('Key'), Value: tag.text('Value') })),
  };
}

export interface PolicyVersion {
  id: string;
  isDefault: boolean;
  created: Date | undefined;
}

export const policyVersions = (PolicyArn: string) =>
  iamList(
    'ListPolicyVersions',
    'Versions',
    (xml): PolicyVersion => ({ id: xml.text('VersionId'), isDefault: xml.flag('IsDefaultVersion'), created: xml.time('CreateDate') }),
    { PolicyArn },
  );

export async function versionDocument(PolicyArn: string, VersionId: string): Promise<string> {
  return decodeURIComponent((await iam('GetPolicyVersion', { PolicyArn, VersionId })).text('PolicyVersion', 'Document'));
}

/** The document that counts. */
export async function managedDocument(arn: string): Promise<string> {
  return versionDocument(arn, (await getPolicy(arn)).defaultVersion);
}

export interface Entity {
  kind: HolderKind;
  name: string;
  /** As what it is held. */
  as: 'permissions' | 'boundary';
}

/** Who holds a policy, as permissions and as boundary. */
export async function policyEntities(PolicyArn: string): Promise<Entity[]> {
  const held = async (as: Entity['as'], PolicyUsageFilter: string): Promise<Entity[]> => {
    const lists = (['User', 'Role', 'Group'] as const).map((kind) =>
      iamList('ListEntitiesForPolicy', `Policy${kind}s`, (xml): Entity => ({ kind, name: xml.text(`${kind}Name`), as }), { PolicyArn, PolicyUsageFilter, EntityFilter: kind }),
    );
    return (await Promise.all(lists)).flat();
  };
  return (await Promise.all([held('permissions', 'PermissionsPolicy'), held('boundary', 'PermissionsBoundary')])).flat();
}
