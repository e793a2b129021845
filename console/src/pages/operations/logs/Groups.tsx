/** All log groups: how much they hold, and how long. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type LogGroup, describeGroups } from '../../../aws/logs';
import { bytes } from '../../../lib/format';
import { Frame } from '../../../lib/frame';
import { logGroupHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { CreateGroup } from './CreateGroup';
import { DeleteGroups } from './DeleteGroups';
import { searchHref } from './hrefs';
import { paceOf } from './pace';
import { RetentionDialog } from './RetentionDialog';
import { retentionText } from './retention';

export default function Groups() {
  const groups = useLive('logs/groups', () => describeGroups(), { every: paceOf });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<'create' | 'retention' | 'delete'>();
  const picked = (groups.data ?? []).filter(({ logGroupName }) => chosen.has(logGroupName));
  const names = picked.map(({ logGroupName }) => logGroupName);
  const close = () => setDialog(undefined);
  return (
    <Frame
      title="Logs"
      counter={groups.data?.length}
      description="A log group holds what functions, jobs, and you write, in streams."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={names.length === 0} onClick={() => setDialog('delete')}>
            Delete
          </Button>
          <Button disabled={names.length === 0} onClick={() => setDialog('retention')}>
            Set retention
          </Button>
          <Button iconName="search" href={searchHref(names)}>
            {names.length > 0 ? `Search ${names.length}` : 'Search'}
          </Button>
          <Button variant="primary" onClick={() => setDialog('create')}>
            Create log group
          </Button>
        </SpaceBetween>
      }
    >
      <DataTable<LogGroup>
        label="Log groups"
        title={false}
        live={groups}
        rowKey={({ logGroupName }) => logGroupName}
        selected={chosen}
        onSelect={setChosen}
        sort={{ column: 'name' }}
        columns={[
          { id: 'name', header: 'Name', value: ({ logGroupName }) => logGroupName, cell: ({ logGroupName }) => <Link href={logGroupHref(logGroupName)}>{logGroupName}</Link> },
          { id: 'retention', header: 'Retention', width: 160, value: ({ retentionInDays }) => retentionInDays ?? Infinity, cell: ({ retentionInDays }) => retentionText(retentionInDays) },
          { id: 'stored', header: 'Stored', width: 120, align: 'right', value: ({ storedBytes }) => storedBytes, cell: ({ storedBytes }) => bytes(storedBytes) },
          { id: 'created', header: 'Created', width: 200, value: ({ creationTime }) => creationTime, cell: ({ creationTime }) => <Time at={new Date(creationTime)} /> },
        ]}
        empty={
          <Empty title="No log groups yet" action={<Button onClick={() => setDialog('create')}>Create log group</Button>}>
            A function's group is made by its first invocation, a job's by its first run; with PutLogEvents you write your own.
          </Empty>
        }
      />
      {dialog === 'create' && <CreateGroup onClose={close} />}
      {dialog === 'retention' && <RetentionDialog groups={picked} onClose={close} />}
      {dialog === 'delete' && <DeleteGroups names={names} onClose={close} onDeleted={() => setChosen(new Set())} />}
    </Frame>
  );
}
