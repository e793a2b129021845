/** The records that were delivered last, read from the newest objects as they come. */
import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { DeliveryStream } from '../../aws/firehose';
import type { S3Object } from '../../aws/s3';
import { prettyJson } from '../../lib/format';
import { objectHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Shown } from '../../lib/states';
import { Time } from '../../lib/time';
import { NothingLies } from './NothingLies';
import { type Delivered, bucketOf, destinationOf, recordsOf, textOf } from './delivered';

const OBJECTS = 5;
const RECORDS = 50;

interface Piece {
  object: S3Object;
  /** The last ones, the newest first; undefined if the packing can't be read here. */
  records: string[] | undefined;
}

export function Records({ stream, delivered }: { stream: DeliveryStream; delivered: Delivered }) {
  const destination = destinationOf(stream);
  const newest = delivered.objects.slice(0, OBJECTS);
  const bucket = destination ? bucketOf(destination) : '';
  const pieces = useLive(
    `firehose/records/${stream.DeliveryStreamName}/${newest[0]?.key ?? ''}`,
    (signal) =>
      Promise.all(
        newest.map(async (object): Promise<Piece> => {
          const text = await textOf(bucket, object.key, destination?.CompressionFormat, signal);
          return { object, records: text === undefined ? undefined : recordsOf(text).slice(-RECORDS).reverse() };
        }),
      ),
    { enabled: newest.length > 0 },
  );
  if (newest.length === 0) return <NothingLies name={stream.DeliveryStreamName} />;
  return (
    <Shown live={pieces} what="The objects can't be read">
      {(found) => (
        <SpaceBetween size="m">
          <Box color="text-body-secondary">The last {RECORDS} records of each of the {newest.length} newest objects. New ones appear by themselves.</Box>
          {found.map(({ object, records }) => (
            <section key={object.key} aria-label={`Records of ${object.key}`}>
              <div className="bh-record-head">
                <Link href={objectHref(bucket, object.key)}>
                  <span className="bh-wrap">{object.key}</span>
                </Link>
                <Time at={object.modified} relative />
              </div>
              {records === undefined ? (
                <Box color="text-body-secondary">Browsers can't unpack {destination?.CompressionFormat}. The object's page downloads it.</Box>
              ) : (
                <ol className="bh-records">
                  {records.map((record, at) => (
                    <li key={`${at}/${record.slice(0, 60)}`}>
                      <details>
                        <summary>{record.slice(0, 400)}</summary>
                        <pre>{prettyJson(record)}</pre>
                      </details>
                    </li>
                  ))}
                </ol>
              )}
            </section>
          ))}
        </SpaceBetween>
      )}
    </Shown>
  );
}
