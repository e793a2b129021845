/** The form of a new role: who may work in it, and what it may do at first. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { iam, listPolicies } from '../../../aws/iam';
import { attach } from '../../../aws/iam-policies';
import { requireSession } from '../../../aws/session';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { roleHref } from '../../../lib/links';
import { jsonProblems } from '../../../lib/json';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate } from '../../../lib/router';
import { kindOf } from './AttachPolicy';
import { NAME } from './CreateUser';
import { DocumentField } from './DocumentField';
import { TrustWords } from './Trust';
import { STARTERS, trustOf } from './starters';

type Who = 'service' | 'account' | 'custom';

const SERVICES = STARTERS.map(({ id, title, service }) => ({ value: id, label: title, description: service }));

export function CreateRole({ onClose }: { onClose: () => void }) {
  const { account } = requireSession();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [who, setWho] = useState<Who>('service');
  const [starter, setStarter] = useState(STARTERS[0]);
  const [policies, setPolicies] = useState<readonly string[]>(STARTERS[0]?.policies ?? []);
  const [own, setOwn] = useState(() => trustOf({ AWS: `arn:aws:iam::${account}:root` }));
  const all = useLive('iam/policies', () => listPolicies('All'));
  const trust = who === 'service' ? trustOf({ Service: starter?.service ?? '' }) : who === 'account' ? trustOf({ AWS: `arn:aws:iam::${account}:root` }) : own;
  const ready = NAME.test(name) && jsonProblems(trust).length === 0;
  const deed = useDeed(async () => {
    await iam('CreateRole', { RoleName: name, AssumeRolePolicyDocument: trust, Description: description || undefined });
    invalidate('iam/');
    for (const arn of policies) await attach('Role', name, arn);
    notify('success', `Role ${name} is created`);
    invalidate('iam/');
    onClose();
    navigate(roleHref(name));
  }, ready);
  const options = (all.data ?? []).map((policy) => ({ value: policy.arn, label: policy.name, tags: [kindOf(policy.arn)] }));
  const choose = (id: string | undefined) => {
    const found = STARTERS.find((each) => each.id === id);
    setStarter(found);
    setPolicies(found?.policies ?? []);
  };
  return (
    <FormDialog title="Create role" action="Create role" deed={deed} ready={ready} size="large" failed="Not all of it was done" onClose={onClose}>
      <FormField label="Role name" errorText={name !== '' && !NAME.test(name) && 'Up to 64 letters, digits and any of + = , . @ _ -'}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} />
      </FormField>
      <FormField label="Who works in it">
        <RadioGroup
          value={who}
          onChange={({ detail }) => setWho(detail.value as Who)}
          items={[
            { value: 'service', label: 'A service of the platform' },
            { value: 'account', label: 'Users of this account', description: 'Those whose policies let them assume it.' },
            { value: 'custom', label: 'As a trust policy says' },
          ]}
        />
      </FormField>
      {who === 'service' && (
        <FormField label="Service">
          <Select selectedOption={SERVICES.find(({ value }) => value === starter?.id) ?? null} options={SERVICES} onChange={({ detail }) => choose(detail.selectedOption.value)} />
        </FormField>
      )}
      {who === 'custom' && <DocumentField label="Trust policy" value={own} onChange={setOwn} height={220} />}
      <TrustWords document={trust} />
      <FormField label="Policies" description="Inline policies, for the buckets, queues and tables that it works with, are written on its page.">
        <Multiselect selectedOptions={options.filter(({ value }) => policies.includes(value))} options={options} placeholder="Choose policies" filteringType="auto" onChange={({ detail }) => setPolicies(detail.selectedOptions.map(({ value }) => value ?? ''))} />
      </FormField>
      <FormField label="Description" description="Optional">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
