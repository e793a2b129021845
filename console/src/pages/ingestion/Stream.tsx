/** A delivery stream: what comes in, where it lands, what fails. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type DeliveryStream, deleteStream, describeStream } from '../../aws/firehose';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { arnHref, bucketHref, logGroupHref, metricsHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { shortName } from '../../lib/format';
import { navigate, to, useParam } from '../../lib/router';
import { Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { Time } from '../../lib/time';
import { Deliveries } from './Deliveries';
import { Failures } from './Failures';
import { Records } from './Records';
import { SendRecord } from './SendRecord';
import { Place, Transformation, buffering, lambdaOf } from './Streams';
import { bucketOf, destinationOf, fixedPart, readDelivered } from './delivered';
import './ingestion.css';

export default function Stream({ params: { name = '' } }: PageProps) {
  const stream = useLive(`firehose/stream/${name}`, () => describeStream(name), { every: (data) => (data?.DeliveryStreamStatus === 'ACTIVE' ? 10_000 : 1_000) });
  const [going, setGoing] = useState(false);
  return (
    <Frame
      title={name}
      description="Delivery stream of Data Firehose"
      info={stream.data && <Status state={stream.data.DeliveryStreamStatus} />}
      actions={
        <SpaceBetween size="xs" direction="horizontal">
          <Button href={metricsHref('AWS/Firehose', { DeliveryStreamName: name }, { IncomingRecords: 'Sum', 'DeliveryToS3.Records': 'Sum' })}>Metrics</Button>
          <Button onClick={() => setGoing(true)} disabled={!stream.data}>
            Delete
          </Button>
        </SpaceBetween>
      }
    >
      <Shown live={stream} what="The stream can't be read">
        {(data) => <Content stream={data} />}
      </Shown>
      {going && (
        <ConfirmDelete
          what={`delivery stream ${name}`}
          typed={name}
          onConfirm={async () => {
            await deleteStream(name);
            invalidate('firehose/');
            notify('success', `${name} is being deleted`);
            navigate(to('/ingestion'));
          }}
          onClose={() => setGoing(false)}
        >
          <Alert type="warning">Records that it has taken and not yet delivered are lost. What it has delivered stays.</Alert>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Content({ stream }: { stream: DeliveryStream }) {
  const [view, setView] = useParam('view', 'deliveries');
  const delivered = useLive(`firehose/delivered/${stream.DeliveryStreamName}`, () => readDelivered(stream), {
    every: (data) => ((data?.objects.length ?? 0) > 3_000 ? 30_000 : 5_000),
  });
  return (
    <SpaceBetween size="l">
      {stream.FailureDescription && (
        <Alert type="error" header={`Nothing is delivered: ${stream.FailureDescription.Type}`}>
          {stream.FailureDescription.Details}
        </Alert>
      )}
      <Settings stream={stream} />
      <Tabs
        ariaLabel="About the stream"
        activeTabId={view}
        onChange={({ detail }) => setView(detail.activeTabId)}
        tabs={[
          { id: 'deliveries', label: 'Deliveries', content: <Shown live={delivered} what="The bucket can't be read">{(data) => <Deliveries stream={stream} delivered={data} />}</Shown> },
          { id: 'records', label: 'Records', content: <Shown live={delivered} what="The bucket can't be read">{(data) => <Records stream={stream} delivered={data} />}</Shown> },
          { id: 'send', label: 'Send a record', content: <SendRecord stream={stream} onSent={() => void delivered.refresh()} /> },
          { id: 'failures', label: `Failures${delivered.data?.failed.length ? ` (${delivered.data.failed.length})` : ''}`, content: <Failures stream={stream} failed={delivered.data?.failed ?? []} /> },
        ]}
      />
    </SpaceBetween>
  );
}

function Settings({ stream }: { stream: DeliveryStream }) {
  const destination = destinationOf(stream);
  const lambda = lambdaOf(destination);
  const logging = destination?.CloudWatchLoggingOptions;
  const errors = destination?.ErrorOutputPrefix;
  return (
    <KeyValuePairs
      columns={4}
      items={[
        { label: 'Lands in', value: <span className="bh-wrap"><Place destination={destination} /></span> },
        { label: 'Gathers', value: buffering(destination) },
        { label: 'Compression', value: destination?.CompressionFormat ?? '–' },
        { label: 'Transformed by', value: <Transformation arn={lambda} /> },
        {
          label: 'Failed records land in',
          value: destination && errors ? <Link href={bucketHref(bucketOf(destination), fixedPart(errors))}><span className="bh-wrap">{errors}</span></Link> : '–',
        },
        { label: 'Role', value: destination ? <Link href={arnHref(destination.RoleARN) ?? ''}>{shortName(destination.RoleARN)}</Link> : '–' },
        {
          label: 'Log',
          value: logging?.Enabled && logging.LogGroupName ? <Link href={logGroupHref(logging.LogGroupName, logging.LogStreamName ? { stream: logging.LogStreamName } : {})}>{logging.LogGroupName}</Link> : 'off',
        },
        { label: 'Created', value: <Time at={stream.CreateTimestamp} /> },
      ]}
    />
  );
}
