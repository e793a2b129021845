/** Everything about an object but its bytes. */
import Container from '@cloudscape-design/components/container';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs, { type KeyValuePairsProps } from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { type ObjectFacts, getTags, putTags } from '../../aws/s3-objects';
import { bytes, count } from '../../lib/format';
import { useLive } from '../../lib/live';
import { Shown } from '../../lib/states';
import { Time } from '../../lib/time';
import { Tags } from '../../lib/tags';

const MOST_TAGS = 10;

interface ObjectPropertiesProps {
  bucket: string;
  objectKey: string;
  version: string | undefined;
  facts: ObjectFacts;
}

export function ObjectProperties({ bucket, objectKey, version, facts }: ObjectPropertiesProps) {
  return (
    <SpaceBetween size="l">
      <Overview bucket={bucket} objectKey={objectKey} facts={facts} />
      <Metadata facts={facts} />
      <Protection facts={facts} />
      <ObjectTags bucket={bucket} objectKey={objectKey} version={version} />
    </SpaceBetween>
  );
}

function Copied({ text, what }: { text: string; what: string }) {
  return (
    <span className="bh-code">
      <CopyToClipboard variant="inline" textToCopy={text} copyButtonAriaLabel={`Copy ${what}`} copySuccessText="Copied" copyErrorText="It could not be copied" />
    </span>
  );
}

function Overview({ bucket, objectKey, facts }: { bucket: string; objectKey: string; facts: ObjectFacts }) {
  return (
    <Container header={<Header variant="h2">Overview</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'S3 URI', value: <Copied text={`s3://${bucket}/${objectKey}`} what="the S3 URI" /> },
          { label: 'Amazon Resource Name (ARN)', value: <Copied text={`arn:aws:s3:::${bucket}/${objectKey}`} what="the ARN" /> },
          { label: 'Last modified', value: <Time at={facts.modified} /> },
          { label: 'Size', value: `${bytes(facts.size)} (${count(facts.size)} bytes)` },
          { label: 'Storage class', value: facts.storageClass },
          { label: 'Entity tag (ETag)', value: <span className="bh-code">{facts.etag}</span> },
          { label: 'Version', value: <span className="bh-code">{facts.versionId ?? '–'}</span> },
          { label: 'Uploaded in parts', value: facts.parts ? count(facts.parts) : 'No' },
          ...(facts.expiration ? [{ label: 'Expires', value: facts.expiration }] : []),
        ]}
      />
    </Container>
  );
}

function pairs(record: Record<string, string>): KeyValuePairsProps.Item[] {
  return Object.entries(record).map(([label, value]) => ({ label, value: <span className="bh-code">{value}</span> }));
}

function Metadata({ facts }: { facts: ObjectFacts }) {
  return (
    <Container header={<Header variant="h2" description="Was given with the upload; it changes only with the object.">Metadata</Header>}>
      <KeyValuePairs columns={3} items={[...pairs({ 'content-type': facts.contentType, ...facts.headers }), ...pairs(Object.fromEntries(Object.entries(facts.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])))]} />
    </Container>
  );
}

function encryption({ encryption: kind, encryptionKey }: ObjectFacts): string {
  if (!kind) return 'Not encrypted';
  if (kind === 'AES256') return 'SSE-S3 (AES256)';
  return `SSE-KMS (${kind})${encryptionKey ? `, key ${encryptionKey}` : ''}`;
}

function Protection({ facts }: { facts: ObjectFacts }) {
  const checksums = pairs(facts.checksums).map((item) => ('label' in item ? { ...item, label: String(item.label).toUpperCase() } : item));
  return (
    <Container header={<Header variant="h2">Checksums, encryption and Object Lock</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'Server-side encryption', value: encryption(facts) },
          ...(checksums.length > 0 ? checksums : [{ label: 'Additional checksums', value: 'None were given' }]),
          { label: 'Retention', value: facts.lockMode ? <>{facts.lockMode} until <Time at={facts.lockUntil} /></> : 'None' },
          { label: 'Legal hold', value: facts.legalHold ? 'On' : 'Off' },
        ]}
      />
    </Container>
  );
}

function ObjectTags({ bucket, objectKey, version }: { bucket: string; objectKey: string; version: string | undefined }) {
  const live = useLive(`s3/tags/${bucket}/${objectKey}/${version ?? ''}`, () => getTags(bucket, objectKey, version));
  const save = async (tags: Parameters<typeof putTags>[0]) => {
    await putTags(tags, bucket, objectKey, version);
    await live.refresh();
  };
  return (
    <Shown live={live} what="The tags can't be read">
      {(tags) => <Tags tags={tags} most={MOST_TAGS} onSave={save} />}
    </Shown>
  );
}
