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

export const listRoles = () =>
  iamList('ListRoles', 'Roles', (xml): Role => ({
    ...user(xml, 'Role'),
    description: xml.maybe('Description'),
    trust: decodeURIComponent(xml.text('AssumeRolePolicyDocument')),
  }));

export const listPolicies = (Scope: 'All' | 'AWS' | 'Local' = 'Local') =>
  iamList(
    'ListPolicies',
    'Policies',
    (xml): Policy => ({
      name: xml.text('PolicyName'),
      arn: xml.text('Arn'),
      attachments: xml.number('AttachmentCount'),
      updated: xml.time('UpdateDate'),
    }),
    { Scope },
  );
