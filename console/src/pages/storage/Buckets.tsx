import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Bucket, listBuckets } from '../../aws/s3';
import { Frame } from '../../lib/frame';
import { bucketHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { CreateBucket } from './CreateBucket';
import { RemoveBucket } from './RemoveBucket';
import './storage.css';

export default function Buckets() {
  const buckets = useLive('s3/buckets', (signal) => listBuckets({ signal }), { every: 10_000 });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<'create' | 'empty' | 'delete'>();
  const [bucket] = chosen;
  const close = () => setDialog(undefined);
  const create = (
    <Button variant="primary" onClick={() => setDialog('create')}>
      Create bucket
    </Button>
  );
  return (
    <Frame
      title="Buckets"
      counter={buckets.data?.length}
      description="Objects live in buckets: files of any kind and size, kept until somebody deletes them."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={!bucket} onClick={() => setDialog('empty')}>
            Empty
          </Button>
          <Button disabled={!bucket} onClick={() => setDialog('delete')}>
            Delete
          </Button>
          {create}
        </SpaceBetween>
      }
    >
      <DataTable
        label="Buckets"
        title={false}
        live={buckets}
        rowKey={(one: Bucket) => one.name}
        selected={chosen}
        onSelect={setChosen}
        single
        columns={[
          { id: 'name', header: 'Name', value: (one) => one.name, cell: (one) => <Link href={bucketHref(one.name)}>{one.name}</Link> },
          { id: 'created', header: 'Created', width: 220, value: (one) => one.created, cell: (one) => <Time at={one.created} /> },
        ]}
        empty={
          <Empty title="No buckets yet" action={create}>
            A bucket holds objects: make one, drop files into it, and let a crawler find out which tables they are.
          </Empty>
        }
      />
      {dialog === 'create' && <CreateBucket onClose={close} />}
      {bucket && (dialog === 'empty' || dialog === 'delete') && (
        <RemoveBucket bucket={bucket} onlyEmpty={dialog === 'empty'} onClose={close} onDone={() => setChosen(new Set())} />
      )}
    </Frame>
  );
}
