/** A group: what its members may do, and who they are. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Link from '@cloudscape-design/components/link';
import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type User, getGroup, listUsers } from '../../../aws/iam';
import type { PageProps } from '../../../lib/area';
import { ConfirmDelete } from '../../../lib/confirm';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { Frame, KeyValuePairs } from '../../../lib/frame';
import { explainHref, userHref } from '../../../lib/links';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { Permissions } from './Permissions';
import { RemoveHolder } from './RemoveHolder';
import { join, leave } from './removal';

export default function GroupPage({ params: { name = '' } }: PageProps) {
  const group = useLive(`iam/group/${name}`, () => getGroup(name), { every: 15_000 });
  const [tab, setTab] = useParam('tab', 'permissions');
  const [removing, setRemoving] = useState(false);
  const arn = group.data?.arn ?? '';
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      <Button href={explainHref({ principal: arn })} disabled={!group.data}>
        Why was this denied?
      </Button>
      <Button disabled={!group.data} onClick={() => setRemoving(true)}>
        Delete
      </Button>
    </SpaceBetween>
  );
  return (
    <Frame title={name} description="Group of IAM" actions={actions}>
      <Shown live={group} what="The group can't be read">
        {(found) => (
          <SpaceBetween size="l">
            <KeyValuePairs
              columns={3}
              items={[
                { label: 'ARN', value: <span className="bh-wrap">{found.arn}</span> },
                { label: 'Created', value: <Time at={found.created} /> },
                { label: 'Members', value: found.members.length },
              ]}
            />
            <Tabs
              activeTabId={tab}
              onChange={({ detail }) => setTab(detail.activeTabId)}
              ariaLabel="Group"
              tabs={[
                { id: 'permissions', label: 'Permissions', content: tab === 'permissions' && <Permissions kind="Group" name={name} /> },
                { id: 'members', label: `Members (${found.members.length})`, content: tab === 'members' && <Members group={name} members={found.members} /> },
              ]}
            />
          </SpaceBetween>
        )}
      </Shown>
      {removing && <RemoveHolder kind="Group" name={name} arn={arn} onClose={() => setRemoving(false)} />}
    </Frame>
  );
}

function Members({ group, members }: { group: string; members: readonly User[] }) {
  const [asked, setAsked] = useState<'add' | User>();
  const close = () => setAsked(undefined);
  return (
    <>
      <DataTable
        label="Members"
        items={members}
        rowKey={(user) => user.name}
        actions={<Button onClick={() => setAsked('add')}>Add members</Button>}
        columns={[
          { id: 'name', header: 'Name', value: (user) => user.name, cell: (user) => <Link href={userHref(user.name)}>{user.name}</Link> },
          { id: 'created', header: 'Created', width: 190, value: (user) => user.created, cell: (user) => <Time at={user.created} /> },
          { id: 'actions', header: 'Actions', width: 120, cell: (user) => <Button variant="inline-link" ariaLabel={`Remove ${user.name}`} onClick={() => setAsked(user)}>Remove</Button> },
        ]}
        empty={<Empty title="No members">Nobody may do what this group allows yet.</Empty>}
      />
      {asked === 'add' && <AddMembers group={group} members={members} onClose={close} />}
      {asked !== undefined && asked !== 'add' && (
        <ConfirmDelete
          what={`${asked.name} from ${group}`}
          verb="Remove"
          onClose={close}
          onConfirm={async () => {
            await leave(group, asked.name);
            notify('success', `${asked.name} has left ${group}`);
            invalidate('iam/');
          }}
        >
          {asked.name} loses what the group allows, from the next call on.
        </ConfirmDelete>
      )}
    </>
  );
}

function AddMembers({ group, members, onClose }: { group: string; members: readonly User[]; onClose: () => void }) {
  const users = useLive('iam/users', () => listUsers());
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const options = (users.data ?? []).filter((user) => !members.some(({ name }) => name === user.name)).map(({ name }) => ({ value: name, label: name }));
  const deed = useDeed(async () => {
    for (const user of chosen) await join(group, user);
    notify('success', `${chosen.join(', ')} joined ${group}`);
    invalidate('iam/');
    onClose();
  }, chosen.length > 0);
  return (
    <FormDialog title={`Add members to ${group}`} action="Add" deed={deed} ready={chosen.length > 0} failed="Not all of them were added" onClose={onClose}>
      <FormField label="Users">
        <Multiselect selectedOptions={options.filter(({ value }) => chosen.includes(value))} options={options} placeholder="Choose users" empty="No other users" filteringType="auto" onChange={({ detail }) => setChosen(detail.selectedOptions.map(({ value }) => value ?? ''))} />
      </FormField>
    </FormDialog>
  );
}
