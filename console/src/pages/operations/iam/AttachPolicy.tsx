/** Chooses managed policies to attach. */
import { useState } from 'react';

import { type HolderKind, type Policy, listPolicies } from '../../../aws/iam';
import { attach, isAws } from '../../../aws/iam-policies';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import type { HeldPolicy } from './held';

export interface AttachPolicyProps {
  kind: HolderKind;
  name: string;
  held: readonly HeldPolicy[];
  onClose: () => void;
}

export function AttachPolicy({ kind, name, held, onClose }: AttachPolicyProps) {
  const policies = useLive('iam/policies', () => listPolicies('All'));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const has = new Set(held.filter((policy) => policy.holder.kind === kind).map(({ arn }) => arn));
  const deed = useDeed(async () => {
    for (const arn of chosen) await attach(kind, name, arn);
    notify('success', `${chosen.size === 1 ? 'One policy is' : `${chosen.size} policies are`} attached to ${name}`);
    invalidate('iam/');
    onClose();
  }, chosen.size > 0);
  return (
    <FormDialog title={`Attach policies to ${name}`} action="Attach" deed={deed} ready={chosen.size > 0} size="large" failed="Not all policies were attached" onClose={onClose}>
      <PolicyChoice policies={policies.data?.filter(({ arn }) => !has.has(arn))} error={policies.error} selected={chosen} onSelect={setChosen} />
    </FormDialog>
  );
}

interface PolicyChoiceProps {
  policies: readonly Policy[] | undefined;
  error: Parameters<typeof DataTable>[0]['error'];
  selected: ReadonlySet<string>;
  onSelect: (chosen: ReadonlySet<string>) => void;
  single?: boolean;
}

/** Managed policies to choose from. */
export function PolicyChoice({ policies, error, selected, onSelect, single = false }: PolicyChoiceProps) {
  return (
    <DataTable
      label="Policies to choose from"
      title={false}
      param="policy"
      height={360}
      items={policies}
      error={error}
      rowKey={(policy) => policy.arn}
      sort={{ column: 'name' }}
      selected={selected}
      onSelect={onSelect}
      single={single}
      columns={[
        { id: 'name', header: 'Policy', value: (policy) => policy.name, cell: (policy) => policy.name },
        { id: 'sort', header: 'Kind', width: 170, value: (policy) => kindOf(policy.arn), cell: (policy) => kindOf(policy.arn) },
        { id: 'held', header: 'Attached to', width: 120, align: 'right', value: (policy) => policy.attachments, cell: (policy) => policy.attachments },
      ]}
      empty={<Empty title="All are attached" />}
    />
  );
}

export const kindOf = (arn: string) => (isAws(arn) ? 'AWS managed' : 'Customer managed');
