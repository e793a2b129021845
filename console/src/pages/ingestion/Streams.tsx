/** Delivery streams: where records come in, and where they land. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';

import { type DeliveryStream, describeStream, listStreams } from '../../aws/firehose';
import { Frame } from '../../lib/frame';
import { arnHref, bucketHref, streamHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { shortName } from '../../lib/format';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { CreateStream } from './CreateStream';
import { type Destination, bucketOf, destinationOf, fixedPart } from './delivered';

/** Streams that are described; of more, the names are listed. */
const DESCRIBED = 200;
const AT_ONCE = 8;

interface Row {
  name: string;
  stream: DeliveryStream | undefined;
}

async function readStreams(): Promise<Row[]> {
  const names = await listStreams();
  const rows = names.map((name): Row => ({ name, stream: undefined }));
  for (let at = 0; at < Math.min(names.length, DESCRIBED); at += AT_ONCE) {
    // One that is being deleted has no description any more.
    const found = await Promise.all(names.slice(at, Math.min(at + AT_ONCE, DESCRIBED)).map((name) => describeStream(name).catch(() => undefined)));
    found.forEach((stream, place) => (rows[at + place] = { name: names[at + place] ?? '', stream }));
  }
  return rows;
}

const of = (row: Row): Destination | undefined => row.stream && destinationOf(row.stream);

export function lambdaOf(destination: Destination | undefined): string | undefined {
  const processing = destination?.ProcessingConfiguration;
  const lambda = processing?.Enabled === false ? undefined : processing?.Processors?.find(({ Type }) => Type === 'Lambda');
  return lambda?.Parameters?.find(({ ParameterName }) => ParameterName === 'LambdaArn')?.ParameterValue;
}

export function buffering(destination: Destination | undefined): string {
  const hints = destination?.BufferingHints;
  if (!hints) return '–';
  return hints.IntervalInSeconds === 0 ? 'none' : `${hints.SizeInMBs} MB or ${hints.IntervalInSeconds} s`;
}

export default function Streams() {
  const streams = useLive('firehose/rows', readStreams, { every: 10_000 });
  const [creating, setCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      Create delivery stream
    </Button>
  );
  return (
    <Frame title="Delivery streams" counter={streams.data?.length} description="Records go into a stream one by one; Data Firehose gathers them and puts them into S3." actions={create}>
      <DataTable<Row>
        label="Delivery streams"
        title={false}
        live={streams}
        rowKey={(row) => row.name}
        columns={[
          { id: 'name', header: 'Name', value: (row) => row.name, cell: (row) => <Link href={streamHref(row.name)}>{row.name}</Link> },
          { id: 'status', header: 'Status', width: 105, value: (row) => row.stream?.DeliveryStreamStatus, cell: (row) => <Status state={row.stream?.DeliveryStreamStatus} /> },
          { id: 'to', header: 'Lands in', width: 280, value: (row) => place(of(row)), cell: (row) => <Place destination={of(row)} /> },
          { id: 'buffer', header: 'Gathers', width: 140, value: (row) => buffering(of(row)), cell: (row) => buffering(of(row)) },
          { id: 'lambda', header: 'Transformed by', width: 150, value: (row) => functionOf(lambdaOf(of(row))), cell: (row) => <Transformation arn={lambdaOf(of(row))} /> },
          { id: 'created', header: 'Created', width: 175, value: (row) => row.stream?.CreateTimestamp, cell: (row) => <Time at={row.stream?.CreateTimestamp} /> },
        ]}
        empty={
          <Empty title="No delivery streams yet" action={create}>
            A stream takes records from programs, may change them with a function, and writes them to a bucket as files that can be crawled and queried.
          </Empty>
        }
      />
      {creating && <CreateStream onClose={() => setCreating(false)} />}
    </Frame>
  );
}

const place = (destination: Destination | undefined) => (destination ? `s3://${bucketOf(destination)}/${destination.Prefix ?? ''}` : undefined);

/** The name of a function in its ARN, with or without a version behind it. */
export const functionOf = (arn: string | undefined) => arn?.split(':')[6] ?? '';

export function Place({ destination }: { destination: Destination | undefined }) {
  if (!destination) return <span>–</span>;
  return (
    <Link href={bucketHref(bucketOf(destination), fixedPart(destination.Prefix))}>
      <span title={place(destination)}>{place(destination)}</span>
    </Link>
  );
}

export function Transformation({ arn }: { arn: string | undefined }) {
  if (!arn) return <span>–</span>;
  return <Link href={arnHref(arn) ?? ''}>{functionOf(arn) || shortName(arn)}</Link>;
}
