import Link from '@cloudscape-design/components/link';

import { listBuckets } from '../../aws/s3';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { bucketHref } from '../../lib/links';

export default function Buckets() {
  const buckets = useLive('s3/buckets', (signal) => listBuckets({ signal }), { every: 10_000 });
  return (
    <Frame title="Buckets" counter={buckets.data?.length} description="Objects live in buckets: files of any kind and size.">
      <DataTable
        label="Buckets"
        title={false}
        live={buckets}
        rowKey={(bucket) => bucket.name}
        columns={[
          {
            id: 'name',
            header: 'Name',
            value: (bucket) => bucket.name,
            cell: (bucket) => <Link href={bucketHref(bucket.name)}>{bucket.name}</Link>,
          },
          { id: 'created', header: 'Created', width: 200, value: (bucket) => bucket.created, cell: (bucket) => <Time at={bucket.created} /> },
        ]}
        empty={<Empty title="No buckets yet">A bucket holds objects.</Empty>}
      />
    </Frame>
  );
}
