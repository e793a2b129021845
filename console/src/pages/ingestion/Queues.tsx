/** Queues of SQS, with what waits in them. */
import Link from '@cloudscape-design/components/link';

import { listQueues, queueAttributes } from '../../aws/sqs';
import { count, shortName } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { queueHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';

interface Row {
  name: string;
  attributes: Record<string, string> | undefined;
}

/** Queues whose messages are counted; of more, the names are listed. */
const COUNTED = 200;
const AT_ONCE = 8;

async function readQueues(): Promise<Row[]> {
  const urls = await listQueues();
  const rows = urls.map((url): Row => ({ name: shortName(url), attributes: undefined }));
  for (let at = 0; at < Math.min(urls.length, COUNTED); at += AT_ONCE) {
    const found = await Promise.all(urls.slice(at, Math.min(at + AT_ONCE, COUNTED)).map((url) => queueAttributes(url).catch(() => undefined)));
    found.forEach((attributes, place) => (rows[at + place] = { name: shortName(urls[at + place] ?? ''), attributes }));
  }
  return rows;
}

const number = (row: Row, name: string) => (row.attributes?.[name] === undefined ? undefined : Number(row.attributes[name]));

export default function Queues() {
  const queues = useLive('sqs/rows', readQueues, { every: 5_000 });
  return (
    <Frame title="Queues" counter={queues.data?.length} description="SQS keeps messages until somebody has worked on them.">
      <DataTable<Row>
        label="Queues"
        title={false}
        live={queues}
        rowKey={(row) => row.name}
        columns={[
          { id: 'name', header: 'Name', value: (row) => row.name, cell: (row) => <Link href={queueHref(row.name)}>{row.name}</Link> },
          { id: 'kind', header: 'Kind', width: 110, value: (row) => row.attributes?.FifoQueue, cell: (row) => (row.attributes?.FifoQueue === 'true' ? 'FIFO' : 'Standard') },
          { id: 'waiting', header: 'Waiting', width: 120, align: 'right', value: (row) => number(row, 'ApproximateNumberOfMessages'), cell: (row) => count(number(row, 'ApproximateNumberOfMessages')) },
          { id: 'flight', header: 'In flight', width: 120, align: 'right', value: (row) => number(row, 'ApproximateNumberOfMessagesNotVisible'), cell: (row) => count(number(row, 'ApproximateNumberOfMessagesNotVisible')) },
          { id: 'delayed', header: 'Delayed', width: 120, align: 'right', value: (row) => number(row, 'ApproximateNumberOfMessagesDelayed'), cell: (row) => count(number(row, 'ApproximateNumberOfMessagesDelayed')) },
          { id: 'created', header: 'Created', width: 190, value: (row) => number(row, 'CreatedTimestamp'), cell: (row) => <Time at={number(row, 'CreatedTimestamp')} /> },
        ]}
        empty={<Empty title="No queues yet">A queue stands between those who have work and those who do it: notifications of a bucket, events of a rule, failed invocations. A stack or CreateQueue makes one.</Empty>}
      />
    </Frame>
  );
}
