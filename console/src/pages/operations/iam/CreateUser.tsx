/** The form of a new user: a name, groups, a policy, and a key if wanted. */
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import { useState } from 'react';

import { iam, listGroups, listPolicies } from '../../../aws/iam';
import { type NewKey, createKey } from '../../../aws/iam-keys';
import { attach } from '../../../aws/iam-policies';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { userHref } from '../../../lib/links';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate } from '../../../lib/router';
import { kindOf } from './AttachPolicy';
import { SecretOnce } from './SecretOnce';
import { join } from './removal';

/** What IAM lets names be made of. */
export const NAME = /^[\w+=,.@-]{1,64}$/;

export function CreateUser({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [groups, setGroups] = useState<readonly string[]>([]);
  const [policies, setPolicies] = useState<readonly string[]>([]);
  const [withKey, setWithKey] = useState(true);
  const [key, setKey] = useState<NewKey>();
  const allGroups = useLive('iam/groups', () => listGroups());
  const allPolicies = useLive('iam/policies', () => listPolicies('All'));
  const finish = () => {
    onClose();
    navigate(userHref(name));
  };
  const deed = useDeed(async () => {
    await iam('CreateUser', { UserName: name });
    invalidate('iam/');
    for (const group of groups) await join(group, name);
    for (const arn of policies) await attach('User', name, arn);
    const made = withKey ? await createKey(name) : undefined;
    notify('success', `User ${name} is created`);
    invalidate('iam/');
    if (made) setKey(made);
    else finish();
  }, NAME.test(name));
  if (key) return <SecretOnce user={name} secretKey={key} onClose={finish} />;
  const groupOptions = (allGroups.data ?? []).map((group) => ({ value: group.name, label: group.name }));
  const policyOptions = (allPolicies.data ?? []).map((policy) => ({ value: policy.arn, label: policy.name, tags: [kindOf(policy.arn)] }));
  const of = (options: typeof groupOptions, values: readonly string[]) => options.filter(({ value }) => values.includes(value));
  return (
    <FormDialog title="Create user" action="Create user" deed={deed} ready={NAME.test(name)} failed="Not all of it was done" onClose={onClose}>
      <FormField label="User name" errorText={name !== '' && !NAME.test(name) && 'Up to 64 letters, digits and any of + = , . @ _ -'}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} />
      </FormField>
      <FormField label="Groups" description="Optional: it may do what its groups may.">
        <Multiselect selectedOptions={of(groupOptions, groups)} options={groupOptions} placeholder="Choose groups" empty="No groups yet" filteringType="auto" onChange={({ detail }) => setGroups(detail.selectedOptions.map(({ value }) => value ?? ''))} />
      </FormField>
      <FormField label="Policies" description="Optional: attached to it alone. Inline policies are written on its page.">
        <Multiselect selectedOptions={of(policyOptions, policies)} options={policyOptions} placeholder="Choose policies" filteringType="auto" onChange={({ detail }) => setPolicies(detail.selectedOptions.map(({ value }) => value ?? ''))} />
      </FormField>
      <Checkbox checked={withKey} onChange={({ detail }) => setWithKey(detail.checked)} description="Without a key nobody can call as this user.">
        Create an access key
      </Checkbox>
    </FormDialog>
  );
}
