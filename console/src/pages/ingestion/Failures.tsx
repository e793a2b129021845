/** What could not be delivered: records that were put aside, and what the stream has logged. */
import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { DeliveryStream } from '../../aws/firehose';
import { type LogEvent, filterEvents } from '../../aws/logs';
import type { S3Object } from '../../aws/s3';
import { bytes } from '../../lib/format';
import { objectHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { FailedRecords } from './FailedRecords';
import { bucketOf, destinationOf } from './delivered';

interface Failure {
  errorCode?: string;
  message?: string;
}

function failureOf({ message }: LogEvent): Failure {
  try {
    return JSON.parse(message) as Failure;
  } catch {
    return { message };
  }
}

export function Failures({ stream, failed }: { stream: DeliveryStream; failed: readonly S3Object[] }) {
  const destination = destinationOf(stream);
  const bucket = destination ? bucketOf(destination) : '';
  const logging = destination?.CloudWatchLoggingOptions;
  const { LogGroupName: group, LogStreamName: logStream } = logging ?? {};
  const logged = logging?.Enabled === true && group !== undefined;
  const events = useLive(
    `logs/${group}/${logStream}`,
    async () => (await filterEvents({ logGroupName: group ?? '', limit: 500, ...(logStream ? { logStreamNames: [logStream] } : {}) })).events.reverse(),
    { enabled: logged, every: 10_000 },
  );
  return (
    <SpaceBetween size="l">
      {destination && <FailedRecords destination={destination} failed={failed} />}
      <DataTable<S3Object>
        label="Objects with failed records"
        items={failed}
        param="failed"
        height={320}
        rowKey={(object) => object.key}
        columns={[
          { id: 'key', header: 'Key', value: (object) => object.key, cell: (object) => <Link href={objectHref(bucket, object.key)}><span title={object.key}>{object.key}</span></Link> },
          { id: 'size', header: 'Size', width: 110, align: 'right', value: (object) => object.size, cell: (object) => bytes(object.size) },
          { id: 'time', header: 'Written', width: 190, value: (object) => object.modified, cell: (object) => <Time at={object.modified} /> },
        ]}
        empty={<Empty title="No failed records">Records whose transformation fails are put below the prefix for errors, with the reason beside each.</Empty>}
      />
      {logged ? (
        <DataTable<LogEvent>
          label="Logged failures"
          live={events}
          param="logged"
          height={320}
          rowKey={(event) => event.eventId ?? String(event.timestamp)}
          columns={[
            { id: 'time', header: 'Time', width: 190, value: (event) => event.timestamp, cell: (event) => <Time at={event.timestamp} /> },
            { id: 'code', header: 'Code', width: 240, value: (event) => failureOf(event).errorCode, cell: (event) => failureOf(event).errorCode ?? '–' },
            { id: 'message', header: 'Message', value: (event) => failureOf(event).message, cell: (event) => <span title={failureOf(event).message}>{failureOf(event).message}</span> },
          ]}
          empty={<Empty title="Nothing logged">The stream delivers without failures.</Empty>}
        />
      ) : (
        <Box color="text-body-secondary">The stream has no log: its CloudWatchLoggingOptions are off. The server's own log has its failures.</Box>
      )}
    </SpaceBetween>
  );
}
