/** Work groups: where results go, and what is allowed, for queries that belong together. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type WorkGroup, createWorkGroup, deleteWorkGroup, getWorkGroup, listWorkGroups, updateWorkGroup } from '../../aws/athena';
import { ConfirmDelete } from '../../lib/confirm';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { Frame } from '../../lib/frame';
import { bucketHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { to } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { s3Place } from './results';

const locationOf = (group: WorkGroup) => group.Configuration?.ResultConfiguration?.OutputLocation;

export default function WorkGroups() {
  const groups = useLive('athena/workgroup-all', async () => Promise.all((await listWorkGroups()).map(({ Name }) => getWorkGroup(Name))), { every: 20_000 });
  const [draft, setDraft] = useState<{ group?: WorkGroup }>();
  const [going, setGoing] = useState<WorkGroup>();
  return (
    <Frame
      title="Work groups"
      counter={groups.data?.length}
      description="Queries that belong together: where their results go, who may run them, their history."
      actions={
        <Button variant="primary" onClick={() => setDraft({})}>
          Create work group
        </Button>
      }
    >
      <DataTable<WorkGroup>
        label="Work groups"
        title={false}
        live={groups}
        sort={{ column: 'name' }}
        rowKey={(group) => group.Name}
        columns={[
          { id: 'name', header: 'Name', width: 130, value: (group) => group.Name, cell: (group) => <Link href={to('/query/executions', { workgroup: group.Name })}>{group.Name}</Link> },
          { id: 'state', header: 'State', width: 115, value: (group) => group.State, cell: (group) => <Status state={group.State} /> },
          { id: 'location', header: 'Results go to', width: 220, value: locationOf, cell: (group) => <Location place={locationOf(group)} /> },
          { id: 'enforced', header: 'For every client', width: 145, value: (group) => group.Configuration?.EnforceWorkGroupConfiguration, cell: (group) => (group.Configuration?.EnforceWorkGroupConfiguration ? 'Yes' : 'If it names none') },
          { id: 'description', header: 'Description', value: (group) => group.Description, cell: (group) => group.Description || '–' },
          { id: 'created', header: 'Created', width: 172, value: (group) => group.CreationTime, cell: (group) => <Time at={group.CreationTime} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 122,
            cell: (group) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" onClick={() => setDraft({ group })} ariaLabel={`Edit ${group.Name}`}>
                  Edit
                </Button>
                {group.Name !== 'primary' && (
                  <Button variant="inline-link" onClick={() => setGoing(group)} ariaLabel={`Delete ${group.Name}`}>
                    Delete
                  </Button>
                )}
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Empty title="None that you may see" />}
      />
      {draft && <Edit {...draft} onClose={() => setDraft(undefined)} />}
      {going && (
        <ConfirmDelete
          what={`work group ${going.Name}`}
          typed={going.Name}
          onConfirm={async () => {
            await deleteWorkGroup(going.Name);
            notify('success', `${going.Name} is deleted`);
            invalidate('athena/');
          }}
          onClose={() => setGoing(undefined)}
        >
          <Box>Its history, saved queries and prepared statements go with it. Results in S3 stay.</Box>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Location({ place }: { place: string | undefined }) {
  const bucket = /^s3:\/\/([^/]+)/.exec(place ?? '')?.[1];
  return bucket ? <Link href={bucketHref(bucket, s3Place(place)?.key)}>{place}</Link> : <span>Each query says</span>;
}

function Edit({ group, onClose }: { group?: WorkGroup; onClose: () => void }) {
  const [name, setName] = useState(group?.Name ?? '');
  const [description, setDescription] = useState(group?.Description ?? '');
  const [place, setPlace] = useState((group && locationOf(group)) ?? '');
  const [enforced, setEnforced] = useState(group?.Configuration?.EnforceWorkGroupConfiguration ?? false);
  const valid = /^[a-zA-Z0-9._-]{1,128}$/.test(name) && (place === '' || /^s3:\/\/[a-z0-9][a-z0-9.-]+/.test(place));
  const save = useDeed(async () => {
    const input = { name, description, location: place, enforced };
    await (group ? updateWorkGroup(input) : createWorkGroup(input));
    notify('success', `${name} is saved`);
    invalidate('athena/');
    onClose();
  }, valid);
  return (
    <FormDialog title={group ? `Edit ${group.Name}` : 'Create a work group'} action="Save" deed={save} ready={valid} onClose={onClose}>
      {!group && (
        <FormField label="Name" constraintText="Letters, digits, . _ -">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
        </FormField>
      )}
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <FormField label="Results go to" constraintText="s3://bucket/prefix/">
        <Input value={place} onChange={({ detail }) => setPlace(detail.value)} />
      </FormField>
      <Checkbox checked={enforced} onChange={({ detail }) => setEnforced(detail.checked)} description="What a client says about results is not taken.">
        For every client
      </Checkbox>
    </FormDialog>
  );
}
