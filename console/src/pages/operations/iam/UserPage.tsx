/** A user: what it may do, its groups, its keys, its tags. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Link from '@cloudscape-design/components/link';
import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type User, getUser, groupsOf, listGroups, setTags } from '../../../aws/iam';
import { listKeys } from '../../../aws/iam-keys';
import type { PageProps } from '../../../lib/area';
import { ConfirmDelete } from '../../../lib/confirm';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { Frame, KeyValuePairs } from '../../../lib/frame';
import { auditHref, explainHref, groupHref, policyHref } from '../../../lib/links';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Tags } from '../../../lib/tags';
import { Time } from '../../../lib/time';
import { KeyList, lastUse } from './KeyList';
import { Permissions } from './Permissions';
import { RemoveHolder } from './RemoveHolder';
import { join, leave } from './removal';

/** As many as IAM keeps. */
export const MOST_TAGS = 50;

export default function UserPage({ params: { name = '' } }: PageProps) {
  const user = useLive(`iam/user/${name}`, () => getUser(name), { every: 15_000 });
  const keys = useLive(`iam/keys/${name}`, () => listKeys(name), { every: 10_000 });
  const [tab, setTab] = useParam('tab', 'permissions');
  const [removing, setRemoving] = useState(false);
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      <Button href={auditHref({ user: name, kind: 'all' })}>What it did</Button>
      <Button href={explainHref({ principal: user.data?.arn ?? '' })} disabled={!user.data}>
        Why was this denied?
      </Button>
      <Button disabled={!user.data} onClick={() => setRemoving(true)}>
        Delete
      </Button>
    </SpaceBetween>
  );
  return (
    <Frame title={name} description="User of IAM" actions={actions}>
      <Shown live={user} what="The user can't be read">
        {(found) => (
          <SpaceBetween size="l">
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'ARN', value: <span className="bh-wrap">{found.arn}</span> },
                { label: 'Created', value: <Time at={found.created} /> },
                { label: 'Last activity', value: keys.data && !lastUse(keys.data) ? 'None yet' : <Time at={lastUse(keys.data)} relative /> },
                { label: 'Permissions boundary', value: found.boundary ? <Link href={policyHref(found.boundary)}>{found.boundary.split('/').at(-1)}</Link> : 'None' },
              ]}
            />
            <Tabs
              activeTabId={tab}
              onChange={({ detail }) => setTab(detail.activeTabId)}
              ariaLabel="User"
              tabs={[
                { id: 'permissions', label: 'Permissions', content: tab === 'permissions' && <Permissions kind="User" name={name} boundary={found.boundary} /> },
                { id: 'groups', label: 'Groups', content: tab === 'groups' && <Memberships user={name} /> },
                { id: 'keys', label: 'Access keys', content: tab === 'keys' && <KeyList user={name} /> },
                { id: 'tags', label: `Tags (${found.tags.length})`, content: tab === 'tags' && <Tags tags={found.tags} most={MOST_TAGS} onSave={async (tags) => { await setTags('User', name, found.tags, tags); await user.refresh(); }} /> },
              ]}
            />
          </SpaceBetween>
        )}
      </Shown>
      {removing && <RemoveHolder kind="User" name={name} arn={user.data?.arn ?? ''} onClose={() => setRemoving(false)} />}
    </Frame>
  );
}

function Memberships({ user }: { user: string }) {
  const groups = useLive(`iam/groups-of/${user}`, () => groupsOf(user), { every: 15_000 });
  const [asked, setAsked] = useState<'join' | User>();
  const close = () => setAsked(undefined);
  return (
    <>
      <DataTable
        label="Groups"
        filter={false}
        live={groups}
        rowKey={(group) => group.name}
        actions={<Button onClick={() => setAsked('join')}>Add to groups</Button>}
        columns={[
          { id: 'name', header: 'Name', value: (group) => group.name, cell: (group) => <Link href={groupHref(group.name)}>{group.name}</Link> },
          { id: 'created', header: 'Created', width: 190, cell: (group) => <Time at={group.created} /> },
          { id: 'actions', header: 'Actions', width: 120, cell: (group) => <Button variant="inline-link" ariaLabel={`Leave ${group.name}`} onClick={() => setAsked(group)}>Remove</Button> },
        ]}
        empty={<Empty title="In no group">What many may do is better said once, by a group.</Empty>}
      />
      {asked === 'join' && <JoinGroups user={user} present={groups.data ?? []} onClose={close} />}
      {asked !== undefined && asked !== 'join' && (
        <ConfirmDelete
          what={`${user} from ${asked.name}`}
          verb="Remove"
          onClose={close}
          onConfirm={async () => {
            await leave(asked.name, user);
            notify('success', `${user} has left ${asked.name}`);
            invalidate('iam/');
          }}
        >
          {user} loses what the group allows, from the next call on.
        </ConfirmDelete>
      )}
    </>
  );
}

function JoinGroups({ user, present, onClose }: { user: string; present: readonly User[]; onClose: () => void }) {
  const groups = useLive('iam/groups', () => listGroups());
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const options = (groups.data ?? []).filter((group) => !present.some(({ name }) => name === group.name)).map(({ name }) => ({ value: name, label: name }));
  const deed = useDeed(async () => {
    for (const group of chosen) await join(group, user);
    notify('success', `${user} is in ${chosen.join(', ')}`);
    invalidate('iam/');
    onClose();
  }, chosen.length > 0);
  return (
    <FormDialog title={`Add ${user} to groups`} action="Add" deed={deed} ready={chosen.length > 0} failed="Not all of it was done" onClose={onClose}>
      <FormField label="Groups">
        <Multiselect selectedOptions={options.filter(({ value }) => chosen.includes(value))} options={options} placeholder="Choose groups" empty="No other groups" filteringType="auto" onChange={({ detail }) => setChosen(detail.selectedOptions.map(({ value }) => value ?? ''))} />
      </FormField>
    </FormDialog>
  );
}
