/** IAM and STS. Operations that are not here: `iam('Name', parameters)`. */
import { type QueryValue, collect, queryService } from './call';
import type { Xml } from './xml';

export const iam = queryService('iam', '2010-05-08');
export const sts = queryService('sts', '2011-06-15');

export interface User {
  name: string;
  id: string;
  arn: string;
  path: string;
  created: Date | undefined;
}

export interface Role extends User {
  description: string | undefined;
  /** The trust policy's text. */
  trust: string;
}

export interface Policy {
  name: string;
  arn: string;
  attachments: number;
  updated: Date | undefined;
  /** Whose boundary it is: how many. */
  boundaries: number;
}

/** What holds policies. */
export type HolderKind = 'User' | 'Role' | 'Group';

export interface Tag {
  Key: string;
  Value: string;
}

export interface UserDetails extends User {
  boundary: string | undefined;
  tags: Tag[];
}

export interface RoleDetails extends Role {
  boundary: string | undefined;
  tags: Tag[];
  /** Seconds. */
  longestSession: number;
  used: Date | undefined;
}

/** All items of a list of IAM's. */
export function iamList<Item>(
  action: string,
  list: string,
  item: (xml: Xml) => Item,
  parameters: { [name: string]: QueryValue } = {},
): Promise<Item[]> {
  return collect(async (Marker) => {
    const answer = await iam(action, { ...parameters, Marker, MaxItems: 1000 });
    return { items: answer.members(list).map(item), next: answer.flag('IsTruncated') ? answer.text('Marker') : undefined };
  });
}

function user(xml: Xml, kind: 'User' | 'Role' | 'Group'): User {
  return {
    name: xml.text(`${kind}Name`),
    id: xml.text(`${kind}Id`),
    arn: xml.text('Arn'),
    path: xml.text('Path'),
    created: xml.time('CreateDate'),
  };
}

export const listUsers = () => iamList('ListUsers', 'Users', (xml) => user(xml, 'User'));
export const listGroups = () => iamList('ListGroups', 'Groups', (xml) => user(xml, 'Group'));

const role = (xml: Xml): Role => ({
  ...user(xml, 'Role'),
  description: xml.maybe('Description'),
  trust: decodeURIComponent(xml.text('AssumeRolePolicyDocument')),
});

export const listRoles = () => iamList('ListRoles', 'Roles', role);

const tags = (xml: Xml): Tag[] => xml.members('Tags').map((tag) => ({ Key: tag.text('Key'), Value: tag.text('Value') }));
const boundary = (xml: Xml) => xml.maybe('PermissionsBoundary', 'PermissionsBoundaryArn');

export async function getUser(UserName: string): Promise<UserDetails> {
  const xml = (await iam('GetUser', { UserName })).child('User');
  return { ...user(xml, 'User'), boundary: boundary(xml), tags: tags(xml) };
}

export async function getRole(RoleName: string): Promise<RoleDetails> {
  const xml = (await iam('GetRole', { RoleName })).child('Role');
  return { ...role(xml), boundary: boundary(xml), tags: tags(xml), longestSession: xml.number('MaxSessionDuration'), used: xml.time('RoleLastUsed', 'LastUsedDate') };
}

export const groupsOf = (UserName: string) => iamList('ListGroupsForUser', 'Groups', (xml) => user(xml, 'Group'), { UserName });

/** A group and who is in it. */
export async function getGroup(GroupName: string): Promise<User & { members: User[] }> {
  let group: User | undefined;
  const members = await collect(async (Marker) => {
    const answer = await iam('GetGroup', { GroupName, Marker, MaxItems: 1000 });
    group ??= user(answer.child('Group'), 'Group');
    return { items: answer.members('Users').map((xml) => user(xml, 'User')), next: answer.flag('IsTruncated') ? answer.text('Marker') : undefined };
  });
  return { ...(group ?? { name: GroupName, id: '', arn: '', path: '/', created: undefined }), members };
}

/** Makes the tags of a user, role or policy the wanted ones. */
export async function setTags(kind: 'User' | 'Role' | 'Policy', id: string, before: readonly Tag[], wanted: readonly Tag[]): Promise<void> {
  const whose = { [kind === 'Policy' ? 'PolicyArn' : `${kind}Name`]: id };
  const gone = before.map(({ Key }) => Key).filter((key) => !wanted.some(({ Key }) => Key === key));
  if (gone.length > 0) await iam(`Untag${kind}`, { ...whose, TagKeys: gone });
  if (wanted.length > 0) await iam(`Tag${kind}`, { ...whose, Tags: wanted.map((tag) => ({ ...tag })) });
}

/** What somebody or something may hold. */
export interface Held {
  name: string;
  groups: string[];
  /** Names of attached and inline policies. */
  policies: string[];
  boundary: string | undefined;
}

/** What all users, groups or roles hold, by their names. */
export async function whatAllHold(kind: HolderKind): Promise<Map<string, Held>> {
  const held = await iamList(
    'GetAccountAuthorizationDetails',
    `${kind}DetailList`,
    (xml): Held => ({
      name: xml.text(`${kind}Name`),
      groups: xml.members('GroupList').map(({ value }) => value),
      policies: [...xml.members('AttachedManagedPolicies'), ...xml.members(`${kind}PolicyList`)].map((policy) => policy.text('PolicyName')),
      boundary: boundary(xml),
    }),
    { Filter: [kind] },
  );
  return new Map(held.map((each) => [each.name, each]));
}

export const listPolicies = (Scope: 'All' | 'AWS' | 'Local' = 'Local') =>
  iamList(
    'ListPolicies',
    'Policies',
    (xml): Policy => ({
      name: xml.text('PolicyName'),
      arn: xml.text('Arn'),
      attachments: xml.number('AttachmentCount'),
      updated: xml.time('UpdateDate'),
      boundaries: xml.number('PermissionsBoundaryUsageCount'),
    }),
    { Scope },
  );
