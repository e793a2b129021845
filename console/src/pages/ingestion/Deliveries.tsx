/** Throughput, freshness and failures of a stream, as far as its bucket tells; what was taken and delivered each minute is among the metrics. */
import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { DeliveryStream } from '../../aws/firehose';
import type { S3Object } from '../../aws/s3';
import { platformNow } from '../../aws/session';
import { Chart } from '../../lib/chart';
import { bytes, count, duration } from '../../lib/format';
import { objectHref } from '../../lib/links';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { NothingLies } from './NothingLies';
import { PutCalls } from './PutCalls';
import { type Delivered, LOOKED_AT, bucketOf, destinationOf, slots } from './delivered';

export function Deliveries({ stream, delivered }: { stream: DeliveryStream; delivered: Delivered }) {
  const destination = destinationOf(stream);
  const bucket = destination ? bucketOf(destination) : '';
  const { objects, failed, cut } = delivered;
  const [newest] = objects;
  const spans = slots(delivered, platformNow());
  const total = objects.reduce((sum, object) => sum + object.size, 0);
  const fresh = newest?.modified ? platformNow() - newest.modified.getTime() : undefined;
  return (
    <SpaceBetween size="l">
      <ColumnLayout columns={4} variant="text-grid">
        <Figure label="Delivered" value={bytes(total)} detail={`${count(objects.length)} objects${cut ? `, the first ${count(LOOKED_AT)} keys looked at` : ''}`} />
        <Figure label="Last delivery" value={fresh === undefined ? 'none yet' : `${duration(Math.max(fresh, 0))} ago`} detail={newest ? bytes(newest.size) : 'Send a record to see one'} />
        <Figure label="Mean object" value={objects.length > 0 ? bytes(total / objects.length) : '–'} detail="as stored" />
        <Figure label="Objects with failures" value={count(failed.length)} detail={failed.length > 0 ? 'see Failures' : 'below the prefix for errors'} />
      </ColumnLayout>
      {spans.length > 0 && (
        <ColumnLayout columns={2}>
          <div>
            <Box variant="h3">Delivered to S3</Box>
            <Chart label="Bytes delivered over time" kind="bar" columns={['time', 'bytes']} rows={spans.map((slot) => [slot.at, slot.bytes])} x="time" y={['bytes']} unit="bytes" height={200} />
          </div>
          <div>
            <Box variant="h3">Objects, and those with failures</Box>
            <Chart label="Objects delivered over time" kind="bar" stacked columns={['time', 'delivered', 'failed']} rows={spans.map((slot) => [slot.at, slot.objects, slot.failed])} x="time" y={['delivered', 'failed']} height={200} />
          </div>
        </ColumnLayout>
      )}
      <PutCalls />
      <Box color="text-body-secondary">Deliveries are read from the objects in the bucket, calls from the server's own counters. What came in and went out minute by minute is under Metrics.</Box>
      <DataTable<S3Object>
        label="Delivered objects"
        items={objects}
        height={420}
        rowKey={(object) => object.key}
        columns={[
          { id: 'key', header: 'Key', value: (object) => object.key, cell: (object) => <Link href={objectHref(bucket, object.key)}><span title={object.key}>{object.key}</span></Link> },
          { id: 'size', header: 'Size', width: 110, align: 'right', value: (object) => object.size, cell: (object) => bytes(object.size) },
          { id: 'time', header: 'Delivered', width: 190, value: (object) => object.modified, cell: (object) => <Time at={object.modified} /> },
        ]}
        empty={<NothingLies name={stream.DeliveryStreamName} />}
      />
    </SpaceBetween>
  );
}

function Figure({ label, value, detail }: { label: string; value: string; detail: string }) {
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      <Box fontSize="heading-l" fontWeight="bold">
        {value}
      </Box>
      <Box color="text-body-secondary">{detail}</Box>
    </div>
  );
}
