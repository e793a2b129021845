/** The groups of the account. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';

import { iam, listGroups, whatAllHold } from '../../../aws/iam';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { Frame } from '../../../lib/frame';
import { groupHref } from '../../../lib/links';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate } from '../../../lib/router';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { NAME } from './CreateUser';

export default function Groups() {
  const groups = useLive('iam/groups', () => listGroups(), { every: 15_000 });
  const held = useLive('iam/all/Group', () => whatAllHold('Group'), { every: 30_000 });
  const users = useLive('iam/all/User', () => whatAllHold('User'), { every: 30_000 });
  const [creating, setCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      Create group
    </Button>
  );
  const policies = (name: string) => held.data?.get(name)?.policies.join(', ');
  const members = (group: string) => users.data && [...users.data.values()].filter(({ groups: names }) => names.includes(group)).length;
  return (
    <Frame title="Groups" counter={groups.data?.length} actions={create} description="Users who may do the same: what a group may, each of its members may.">
      <DataTable
        label="Groups"
        title={false}
        live={groups}
        sort={{ column: 'name' }}
        rowKey={(group) => group.name}
        columns={[
          { id: 'name', header: 'Name', value: (group) => group.name, cell: (group) => <Link href={groupHref(group.name)}>{group.name}</Link> },
          { id: 'members', header: 'Members', width: 120, align: 'right', value: (group) => members(group.name), cell: (group) => members(group.name) ?? '–' },
          { id: 'policies', header: 'Policies', value: (group) => policies(group.name), cell: (group) => <span title={policies(group.name)}>{policies(group.name) || '–'}</span> },
          { id: 'created', header: 'Created', width: 190, value: (group) => group.created, cell: (group) => <Time at={group.created} /> },
        ]}
        empty={
          <Empty title="No groups yet" action={create}>
            One group for each way of working, such as analysts or operators, keeps policies few and their changes in one place.
          </Empty>
        }
      />
      {creating && <CreateGroup onClose={() => setCreating(false)} />}
    </Frame>
  );
}

function CreateGroup({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const deed = useDeed(async () => {
    await iam('CreateGroup', { GroupName: name });
    notify('success', `Group ${name} is created`);
    invalidate('iam/');
    onClose();
    navigate(groupHref(name));
  }, NAME.test(name));
  return (
    <FormDialog title="Create group" action="Create group" deed={deed} ready={NAME.test(name)} failed="The group was not created" onClose={onClose}>
      <FormField label="Group name" errorText={name !== '' && !NAME.test(name) && 'Letters, digits and any of + = , . @ _ -'}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void deed.run()} autoFocus autoComplete={false} />
      </FormField>
    </FormDialog>
  );
}
