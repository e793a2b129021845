/** The managed policies: the account's own, and AWS's. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { listPolicies } from '../../../aws/iam';
import { isAws } from '../../../aws/iam-policies';
import { Frame } from '../../../lib/frame';
import { policyHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { useParam } from '../../../lib/router';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { kindOf } from './AttachPolicy';
import { CreatePolicy } from './CreatePolicy';

const KINDS = [
  { value: '', label: 'All kinds' },
  { value: 'own', label: 'Customer managed' },
  { value: 'aws', label: 'AWS managed' },
  { value: 'unused', label: 'Used by nobody' },
];

export default function Policies() {
  const policies = useLive('iam/policies', () => listPolicies('All'), { every: 15_000 });
  const [kind, setKind] = useParam('kind');
  const [creating, setCreating] = useState(false);
  const shown = policies.data?.filter(({ arn, attachments, boundaries }) => (kind === 'own' ? !isAws(arn) : kind === 'aws' ? isAws(arn) : kind === 'unused' ? attachments + boundaries === 0 : true));
  return (
    <Frame
      title="Policies"
      counter={shown?.length}
      description="Documents that say which calls are allowed or denied, attached to users, groups and roles."
      actions={
        <Button variant="primary" onClick={() => setCreating(true)}>
          Create policy
        </Button>
      }
    >
      <DataTable
        label="Policies"
        title={false}
        items={shown}
        error={policies.error}
        sort={{ column: 'kind', descending: true }}
        rowKey={(policy) => policy.arn}
        tools={<Select ariaLabel="Kind" selectedOption={KINDS.find(({ value }) => value === kind) ?? null} options={KINDS} onChange={({ detail }) => setKind(detail.selectedOption.value ?? '')} />}
        columns={[
          { id: 'name', header: 'Name', value: (policy) => policy.name, cell: (policy) => <Link href={policyHref(policy.arn)}>{policy.name}</Link> },
          { id: 'kind', header: 'Kind', width: 170, value: (policy) => kindOf(policy.arn), cell: (policy) => kindOf(policy.arn) },
          { id: 'attached', header: 'Attached to', width: 125, align: 'right', value: (policy) => policy.attachments, cell: (policy) => policy.attachments },
          { id: 'boundary', header: 'Boundary of', width: 130, align: 'right', value: (policy) => policy.boundaries, cell: (policy) => policy.boundaries },
          { id: 'updated', header: 'Changed', width: 190, value: (policy) => policy.updated, cell: (policy) => <Time at={policy.updated} /> },
        ]}
        empty={<Empty title="No such policy">A policy of your own says exactly what your buckets, tables and functions may be used for.</Empty>}
      />
      {creating && <CreatePolicy onClose={() => setCreating(false)} />}
    </Frame>
  );
}
