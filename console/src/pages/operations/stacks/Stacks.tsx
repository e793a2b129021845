/** All stacks: how they are, and what became of those that are gone. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';

import { type Stack, deletedStacks, describeStacks } from '../../../aws/cloudformation';
import { Frame } from '../../../lib/frame';
import { stackHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { to, useParam } from '../../../lib/router';
import { Empty } from '../../../lib/states';
import { Status } from '../../../lib/status';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { canUpdate, isBusy } from './causes';
import { DeleteStack } from './DeleteStack';
import { updateHref } from './hrefs';

/** More than so many stacks are read in many pages, and so less often. */
const MANY = 500;

/** Milliseconds between reads. */
function pace(found: readonly Stack[] | undefined): number {
  if (found && found.length > MANY) return 60_000;
  return found?.some(({ status }) => isBusy(status)) ? 2_000 : 10_000;
}

async function read(gone: boolean): Promise<Stack[]> {
  const [present, deleted] = await Promise.all([describeStacks(), gone ? deletedStacks() : []]);
  return [...present, ...deleted];
}

/** A stack that is deleted has lost its name to whoever takes it next. */
const hrefOf = (stack: Stack) => stackHref(stack.deleted ? stack.id : stack.name);

export default function Stacks() {
  const [shown, setShown] = useParam('show');
  const gone = shown === 'deleted';
  const stacks = useLive(`cloudformation/stacks/${shown}`, () => read(gone), { every: pace });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState(false);
  const one = stacks.data?.find(({ id }) => chosen.has(id));
  return (
    <Frame
      title="Stacks"
      counter={stacks.data?.length}
      description="A stack is everything that one template says: made, changed and removed as a whole."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={!one || !!one.deleted || one.isProtected} disabledReason={one?.isProtected ? 'Termination protection is on' : ''} onClick={() => setDeleting(true)}>
            Delete
          </Button>
          <Button disabled={!one || !canUpdate(one.status)} {...(one ? { href: updateHref(one.name) } : {})}>
            Update
          </Button>
          <Button variant="primary" href={to('/operations/create-stack')}>
            Create stack
          </Button>
        </SpaceBetween>
      }
    >
      <DataTable
        label="Stacks"
        title={false}
        live={stacks}
        rowKey={(stack) => stack.id}
        selected={chosen}
        onSelect={setChosen}
        single
        sort={{ column: 'created', descending: true }}
        tools={
          <Toggle checked={gone} onChange={({ detail }) => setShown(detail.checked ? 'deleted' : '')}>
            Deleted ones too
          </Toggle>
        }
        columns={[
          { id: 'name', header: 'Name', width: 200, value: ({ name }) => name, cell: (stack) => <Link href={hrefOf(stack)}>{stack.name}</Link> },
          { id: 'status', header: 'Status', width: 225, value: ({ status }) => status, cell: ({ status, reason }) => <span title={reason}><Status state={status} /></span> },
          { id: 'description', header: 'Description', value: ({ description }) => description, cell: ({ description }) => <span title={description}>{description ?? '–'}</span> },
          { id: 'created', header: 'Created', width: 178, value: ({ created }) => created, cell: ({ created }) => <Time at={created} /> },
          { id: 'updated', header: 'Updated', width: 178, value: ({ updated, deleted }) => deleted ?? updated, cell: ({ updated, deleted }) => <Time at={deleted ?? updated} /> },
        ]}
        empty={
          <Empty title="No stacks yet" action={<Button href={to('/operations/create-stack')}>Create stack</Button>}>
            Paste a template here, or deploy one with <code>aws cloudformation deploy</code> or the CDK: buckets, functions, tables, jobs and state machines come and go
            together.
          </Empty>
        }
      />
      {one && deleting && <DeleteStack stack={one} onClose={() => setDeleting(false)} />}
    </Frame>
  );
}
