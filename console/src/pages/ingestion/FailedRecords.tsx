/** The records that failed last, and why: a line of JSON each in the objects below the prefix for errors. */
import { useMemo } from 'react';

import type { S3Object } from '../../aws/s3';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { type Destination, bucketOf, recordsOf, textOf } from './delivered';

export interface FailedRecord {
  key: string;
  /** Milliseconds. */
  at: number | undefined;
  code: string;
  message: string;
  record: string;
}

/** A line that Firehose has written about a record; its data is Base64. */
export function failedRecord(line: string, key: string): FailedRecord | undefined {
  try {
    const said = JSON.parse(line) as { arrivalTimestamp?: number; errorCode?: string; errorMessage?: string; rawData?: string };
    const bytes = Uint8Array.from(atob(said.rawData ?? ''), (char) => char.charCodeAt(0));
    return { key, at: said.arrivalTimestamp, code: said.errorCode ?? '', message: said.errorMessage ?? '', record: new TextDecoder().decode(bytes).trim() };
  } catch {
    return undefined;
  }
}

const OBJECTS = 5;

export function FailedRecords({ destination, failed }: { destination: Destination; failed: readonly S3Object[] }) {
  const bucket = bucketOf(destination);
  const newest = useMemo(() => failed.slice(0, OBJECTS), [failed]);
  const records = useLive(
    `firehose/failed/${bucket}/${newest[0]?.key ?? ''}`,
    async (signal) => {
      const texts = await Promise.all(newest.map(({ key }) => textOf(bucket, key, destination.CompressionFormat, signal)));
      return texts.flatMap((text, at) => recordsOf(text ?? '').flatMap((line, place) => failedRecord(line, `${newest[at]?.key ?? ''}/${place}`) ?? []));
    },
    { enabled: newest.length > 0 },
  );
  if (newest.length === 0) return null;
  return (
    <DataTable<FailedRecord>
      label="Failed records"
      description={`Those in the ${newest.length === 1 ? 'newest object' : `${newest.length} newest objects`}.`}
      live={records}
      param="record"
      height={320}
      rowKey={(one) => one.key}
      columns={[
        { id: 'at', header: 'Arrived', width: 180, value: (one) => one.at, cell: (one) => <Time at={one.at} /> },
        { id: 'code', header: 'Code', width: 230, value: (one) => one.code, cell: (one) => <span title={one.code}>{one.code}</span> },
        { id: 'message', header: 'Why', value: (one) => one.message, cell: (one) => <span title={one.message}>{one.message}</span> },
        { id: 'record', header: 'Record', value: (one) => one.record, cell: (one) => <code title={one.record.slice(0, 2000)}>{one.record.slice(0, 300)}</code> },
      ]}
      empty={<Empty title="No records can be read">The objects hold nothing that Firehose writes about failures, or are packed in a way that browsers can't unpack.</Empty>}
    />
  );
}
