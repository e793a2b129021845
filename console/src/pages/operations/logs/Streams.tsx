/** The streams of a group, the one that was written last first. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';

import { type LogStream, deleteStream, describeStreams } from '../../../aws/logs';
import { ConfirmDelete } from '../../../lib/confirm';
import { bytes } from '../../../lib/format';
import { logGroupHref } from '../../../lib/links';
import { invalidate, useLive } from '../../../lib/live';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { paceOf } from './pace';

const timeOf = (at: number | undefined) => (at === undefined ? undefined : new Date(at));

export function Streams({ group }: { group: string }) {
  const streams = useLive(`logs/streams/all/${group}`, () => describeStreams(group, 10_000), { every: paceOf });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState(false);
  return (
    <>
      <DataTable<LogStream>
        label="Streams"
        live={streams}
        rowKey={({ logStreamName }) => logStreamName}
        selected={chosen}
        onSelect={setChosen}
        sort={{ column: 'last', descending: true }}
        actions={
          <Button disabled={chosen.size === 0} onClick={() => setDeleting(true)}>
            Delete
          </Button>
        }
        columns={[
          { id: 'name', header: 'Name', value: ({ logStreamName }) => logStreamName, cell: ({ logStreamName }) => <Link href={logGroupHref(group, { stream: logStreamName })}>{logStreamName}</Link> },
          { id: 'first', header: 'First event', width: 190, value: (one) => one.firstEventTimestamp, cell: (one) => <Time at={timeOf(one.firstEventTimestamp)} /> },
          { id: 'last', header: 'Last event', width: 190, value: (one) => one.lastEventTimestamp, cell: (one) => <Time at={timeOf(one.lastEventTimestamp)} /> },
          { id: 'created', header: 'Created', width: 190, value: (one) => one.creationTime, cell: (one) => <Time at={timeOf(one.creationTime)} /> },
          { id: 'stored', header: 'Stored', width: 110, align: 'right', value: (one) => one.storedBytes, cell: (one) => bytes(one.storedBytes) },
        ]}
        empty={<Empty title="No streams yet">Each instance of a function, and each run of a job, writes a stream of its own.</Empty>}
      />
      {deleting && (
        <ConfirmDelete
          what={chosen.size === 1 ? `stream ${[...chosen][0]}` : `${chosen.size} streams`}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            try {
              for (const name of chosen) await deleteStream(group, name);
              setChosen(new Set());
            } finally {
              invalidate('logs/streams/');
            }
          }}
        />
      )}
    </>
  );
}
