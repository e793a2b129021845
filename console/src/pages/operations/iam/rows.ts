/** The pages of IAM, and of the audit log. */
import type { Command, PageRow } from '../../../lib/area';
import { groupHref, policyHref, roleHref, userHref } from '../../../lib/links';

const named = ({ name }: Readonly<Record<string, string>>) => name ?? '';

export const IAM_ROWS: readonly PageRow[] = [
  { path: '/operations/iam/users', title: 'Users', nav: true, keywords: 'iam identity access keys people', wide: true, load: () => import('./Users') },
  { path: '/operations/iam/users/:name', title: 'User', parent: '/operations/iam/users', crumb: named, wide: true, load: () => import('./UserPage') },
  { path: '/operations/iam/groups', title: 'Groups', nav: true, keywords: 'iam identity teams', wide: true, load: () => import('./Groups') },
  { path: '/operations/iam/groups/:name', title: 'Group', parent: '/operations/iam/groups', crumb: named, wide: true, load: () => import('./GroupPage') },
  { path: '/operations/iam/roles', title: 'Roles', nav: true, keywords: 'iam identity trust assume', wide: true, load: () => import('./Roles') },
  { path: '/operations/iam/roles/:name', title: 'Role', parent: '/operations/iam/roles', crumb: named, wide: true, load: () => import('./RolePage') },
  { path: '/operations/iam/policies', title: 'Policies', nav: true, keywords: 'iam permissions', wide: true, load: () => import('./Policies') },
  { path: '/operations/iam/policies/:arn', title: 'Policy', parent: '/operations/iam/policies', crumb: ({ arn }) => arn?.split('/').at(-1) ?? '', wide: true, load: () => import('./PolicyPage') },
  { path: '/operations/iam/explain', title: 'Why was this denied?', nav: true, keywords: 'iam access denied simulator explain permission not authorized', wide: true, load: () => import('./Explain') },
  { path: '/operations/audit', title: 'Audit log', nav: true, keywords: 'cloudtrail event history who did what', wide: true, load: () => import('../audit/Audit') },
];

const command = (kind: string, title: string, href: string): Command => ({ id: `${kind}:${href}`, title, kind, href });
const iam = () => import('../../../aws/iam');

/** What the palette finds: users, roles, groups, and the account's own policies. */
export const IAM_COMMANDS: readonly (() => Promise<Command[]>)[] = [
  async () => (await (await iam()).listUsers()).map(({ name }) => command('User', name, userHref(name))),
  async () => (await (await iam()).listRoles()).map(({ name }) => command('Role', name, roleHref(name))),
  async () => (await (await iam()).listGroups()).map(({ name }) => command('Group', name, groupHref(name))),
  async () => (await (await iam()).listPolicies('Local')).map(({ name, arn }) => command('Policy', name, policyHref(arn))),
];
