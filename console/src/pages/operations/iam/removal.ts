/** Deleting users, roles and groups: IAM deletes nothing that still holds something. */
import { type HolderKind, getGroup, groupsOf, iam, iamList } from '../../../aws/iam';
import { deleteKey, listKeys } from '../../../aws/iam-keys';
import { attachedPolicies, deleteInline, detach, inlinePolicies } from '../../../aws/iam-policies';

/** What has to go first, as people read it, and how. */
export interface Hanging {
  /** `Access key AKIA…`. */
  what: string;
  remove: () => Promise<unknown>;
}

const instanceProfiles = (RoleName: string) => iamList('ListInstanceProfilesForRole', 'InstanceProfiles', (xml) => xml.text('InstanceProfileName'), { RoleName });

/** All that hangs on somebody or something. */
export async function whatHangsOn(kind: HolderKind, name: string): Promise<Hanging[]> {
  const [attached, inline, rest] = await Promise.all([attachedPolicies(kind, name), inlinePolicies(kind, name), others(kind, name)]);
  return [
    ...rest,
    ...attached.map((policy): Hanging => ({ what: `Policy ${policy.name}, which is detached and stays`, remove: () => detach(kind, name, policy.arn) })),
    ...inline.map((policy): Hanging => ({ what: `Inline policy ${policy}`, remove: () => deleteInline(kind, name, policy) })),
  ];
}

async function others(kind: HolderKind, name: string): Promise<Hanging[]> {
  if (kind === 'Group') {
    const { members } = await getGroup(name);
    return members.map((member) => ({ what: `Member ${member.name}, who loses what the group allows`, remove: () => leave(name, member.name) }));
  }
  if (kind === 'Role') {
    const profiles = await instanceProfiles(name);
    return profiles.map((profile) => ({ what: `Place in instance profile ${profile}`, remove: () => iam('RemoveRoleFromInstanceProfile', { RoleName: name, InstanceProfileName: profile }) }));
  }
  const [keys, groups] = await Promise.all([listKeys(name), groupsOf(name)]);
  return [
    ...keys.map((key): Hanging => ({ what: `Access key ${key.id}${key.used ? ', which is in use' : ''}`, remove: () => deleteKey(name, key.id) })),
    ...groups.map((group): Hanging => ({ what: `Membership of ${group.name}`, remove: () => leave(group.name, name) })),
  ];
}

export const join = (GroupName: string, UserName: string) => iam('AddUserToGroup', { GroupName, UserName });
export const leave = (GroupName: string, UserName: string) => iam('RemoveUserFromGroup', { GroupName, UserName });

/** Takes away what hangs on it, and then itself. */
export async function removeHolder(kind: HolderKind, name: string): Promise<void> {
  for (const { remove } of await whatHangsOn(kind, name)) await remove();
  await iam(`Delete${kind}`, { [`${kind}Name`]: name });
}
