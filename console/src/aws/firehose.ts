/** Data Firehose. */
import { jsonService } from './call';
import type { Seconds } from './glue';

export const firehose = jsonService('firehose', 'Firehose_20150804', '1.1');

export interface DeliveryStream {
  DeliveryStreamName: string;
  DeliveryStreamARN: string;
  DeliveryStreamStatus: string;
  DeliveryStreamType: string;
  CreateTimestamp?: Seconds;
  LastUpdateTimestamp?: Seconds;
  VersionId?: string;
  /** Why nothing is delivered. */
  FailureDescription?: { Type: string; Details: string };
  Destinations: {
    DestinationId: string;
    ExtendedS3DestinationDescription?: {
      BucketARN: string;
      RoleARN: string;
      Prefix?: string;
      ErrorOutputPrefix?: string;
      BufferingHints?: { SizeInMBs: number; IntervalInSeconds: number };
      CompressionFormat?: string;
      ProcessingConfiguration?: {
        Enabled?: boolean;
        Processors?: { Type: string; Parameters?: { ParameterName: string; ParameterValue: string }[] }[];
      };
      CloudWatchLoggingOptions?: { Enabled?: boolean; LogGroupName?: string; LogStreamName?: string };
    };
  }[];
}

export async function listStreams(): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const page = await firehose<{ DeliveryStreamNames: string[]; HasMoreDeliveryStreams: boolean }>(
      'ListDeliveryStreams',
      { Limit: 100, ExclusiveStartDeliveryStreamName: found.at(-1) },
    );
    found.push(...page.DeliveryStreamNames);
    if (!page.HasMoreDeliveryStreams || page.DeliveryStreamNames.length === 0) return found;
  }
}

export const describeStream = (DeliveryStreamName: string) =>
  firehose<{ DeliveryStreamDescription: DeliveryStream }>('DescribeDeliveryStream', { DeliveryStreamName }).then(
    (answer) => answer.DeliveryStreamDescription,
  );

/** Sends one record; `text` is sent as UTF-8. */
export const putRecord = (DeliveryStreamName: string, text: string) => {
  const bytes = new TextEncoder().encode(text);
  const Data = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return firehose<{ RecordId: string }>('PutRecord', { DeliveryStreamName, Record: { Data } });
};

export interface NewStream {
  name: string;
  bucket: string;
  /** Of the role that writes into the bucket. */
  role: string;
  prefix: string;
  errorPrefix: string;
  sizeInMBs: number;
  seconds: number;
  compression: string;
}

export const createStream = ({ name, bucket, role, prefix, errorPrefix, sizeInMBs, seconds, compression }: NewStream) =>
  firehose('CreateDeliveryStream', {
    DeliveryStreamName: name,
    DeliveryStreamType: 'DirectPut',
    ExtendedS3DestinationConfiguration: {
      BucketARN: `arn:aws:s3:::${bucket}`,
      RoleARN: role,
      ...(prefix ? { Prefix: prefix } : {}),
      ...(errorPrefix ? { ErrorOutputPrefix: errorPrefix } : {}),
      BufferingHints: { SizeInMBs: sizeInMBs, IntervalInSeconds: seconds },
      CompressionFormat: compression,
    },
  });

export const deleteStream = (DeliveryStreamName: string) => firehose('DeleteDeliveryStream', { DeliveryStreamName });
