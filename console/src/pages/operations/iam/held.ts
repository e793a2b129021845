/** Everything that says what a user, role or group may do: its own policies, its groups', its boundary. */
import type { HolderKind } from '../../../aws/iam';
import { groupsOf } from '../../../aws/iam';
import { attachedPolicies, inlineDocument, inlinePolicies, isAws, managedDocument } from '../../../aws/iam-policies';

export interface HeldPolicy {
  name: string;
  /** Of managed policies. */
  arn: string | undefined;
  /** Who holds it: the one who was asked about, or a group. */
  holder: { kind: HolderKind; name: string };
}

/** What the policy is called by the simulator. */
export function simulatorId({ name, arn, holder }: HeldPolicy): string {
  return arn ? name : `${holder.kind.toLowerCase()}_${holder.name}_${name}`;
}

export const keyOf = (policy: HeldPolicy) => `${policy.holder.kind}/${policy.holder.name}/${policy.arn ?? policy.name}`;

export function sortOf({ arn }: HeldPolicy): string {
  if (!arn) return 'Inline';
  return isAws(arn) ? 'AWS managed' : 'Customer managed';
}

export const documentOfHeld = ({ name, arn, holder }: HeldPolicy): Promise<string> =>
  arn ? managedDocument(arn) : inlineDocument(holder.kind, holder.name, name);

/** The policies that one holds itself. */
export async function ownPolicies(kind: HolderKind, name: string): Promise<HeldPolicy[]> {
  const holder = { kind, name };
  const [attached, inline] = await Promise.all([attachedPolicies(kind, name), inlinePolicies(kind, name)]);
  return [...attached.map((policy) => ({ ...policy, holder })), ...inline.map((policy) => ({ name: policy, arn: undefined, holder }))];
}

/** The policies that speak for one, a user's groups' too. */
export async function allPolicies(kind: HolderKind, name: string): Promise<HeldPolicy[]> {
  const groups = kind === 'User' ? await groupsOf(name) : [];
  const lists = await Promise.all([ownPolicies(kind, name), ...groups.map((group) => ownPolicies('Group', group.name))]);
  return lists.flat();
}
