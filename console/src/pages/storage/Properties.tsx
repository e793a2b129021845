/** What a bucket is: where, with versions or without, encrypted how, how much is in it. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { useEffect, useRef, useState } from 'react';

import { isAbort } from '../../aws/error';
import { listBuckets, listObjects } from '../../aws/s3';
import { NOTIFICATION, VERSIONING, type Json, putDocument } from '../../aws/s3-documents';
import { putTags } from '../../aws/s3-objects';
import { requireSession } from '../../aws/session';
import { bytes, count } from '../../lib/format';
import { useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { Shown } from '../../lib/states';
import { Time } from '../../lib/time';
import { EncryptionForm } from './EncryptionForm';
import { JsonForm } from './JsonForm';
import { NotificationList } from './NotificationList';
import { Tags } from '../../lib/tags';
import { useBucketTags, useLock, useNotification, useVersioning } from './configuration';
import { notifications } from './rules';

const MOST_TAGS = 50;

export function Properties({ bucket }: { bucket: string }) {
  return (
    <SpaceBetween size="l">
      <Overview bucket={bucket} />
      <Versioning bucket={bucket} />
      <EncryptionForm bucket={bucket} />
      <Notifications bucket={bucket} />
      <BucketTags bucket={bucket} />
    </SpaceBetween>
  );
}

function Overview({ bucket }: { bucket: string }) {
  const buckets = useLive('s3/buckets', (signal) => listBuckets({ signal }));
  const lock = useLock(bucket);
  const created = buckets.data?.find(({ name }) => name === bucket)?.created;
  const held = lock.data?.mode && `, ${lock.data.mode} for ${lock.data.days ? `${lock.data.days} days` : `${lock.data.years} years`}`;
  return (
    <Container header={<Header variant="h2">Overview</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Amazon Resource Name (ARN)', value: <span className="bh-code">{`arn:aws:s3:::${bucket}`}</span> },
          { label: 'Region', value: requireSession().region },
          { label: 'Created', value: <Time at={created} /> },
          { label: 'Object Lock', value: lock.error ? lock.error.code : lock.data?.enabled ? `Enabled${held ?? ''}` : 'Off' },
          { label: 'Current objects', value: <Size bucket={bucket} /> },
        ]}
      />
    </Container>
  );
}

/** S3 tells no sum, so that the keys are counted when somebody asks. */
function Size({ bucket }: { bucket: string }) {
  const [sum, setSum] = useState<{ objects: number; size: number; over: boolean }>();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const calculate = async () => {
    stop.current = new AbortController();
    const { signal } = stop.current;
    let token: string | undefined;
    let [objects, size] = [0, 0];
    setSum({ objects, size, over: false });
    try {
      do {
        const page = await listObjects(bucket, { token, signal });
        objects += page.objects.length;
        size += page.objects.reduce((all, object) => all + object.size, 0);
        token = page.next;
        setSum({ objects, size, over: token === undefined });
      } while (token);
    } catch (error) {
      if (!isAbort(error)) notifyError('The objects can’t be counted', error);
      setSum(undefined);
    }
  };
  if (!sum) {
    return (
      <Button variant="inline-link" onClick={() => void calculate()}>
        Calculate size
      </Button>
    );
  }
  return (
    <span role="status">
      {count(sum.objects)} {sum.objects === 1 ? 'object' : 'objects'}, {bytes(sum.size)}
      {!sum.over && ' so far …'}
    </span>
  );
}

function Versioning({ bucket }: { bucket: string }) {
  const versioning = useVersioning(bucket);
  const lock = useLock(bucket);
  const [busy, setBusy] = useState(false);
  const set = async (on: boolean) => {
    setBusy(true);
    try {
      await putDocument(bucket, VERSIONING, { Status: on ? 'Enabled' : 'Suspended' });
      await versioning.refresh();
      notify('success', on ? 'Versioning is enabled' : 'Versioning is suspended');
    } catch (error) {
      notifyError('Versioning was not changed', error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Container header={<Header variant="h2" description="Keeps what is overwritten or deleted. Once enabled it can only be suspended: what there is stays.">Versioning</Header>}>
      <Shown live={versioning} what="Versioning can't be read">
        {(status) => (
          <Toggle checked={status === 'Enabled'} disabled={busy || lock.data?.enabled === true} onChange={({ detail }) => void set(detail.checked)} {...(lock.data?.enabled ? { description: 'Object Lock needs it.' } : {})}>
            {status || 'Never enabled'}
          </Toggle>
        )}
      </Shown>
    </Container>
  );
}

const EXAMPLE = JSON.stringify({
  LambdaFunctionConfigurations: [
    {
      LambdaFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:NAME',
      Events: ['s3:ObjectCreated:*'],
      Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'incoming/' }] } },
    },
  ],
});

function Notifications({ bucket }: { bucket: string }) {
  const live = useNotification(bucket);
  const put = async (document: Json) => {
    await putDocument(bucket, NOTIFICATION, document);
    await live.refresh();
  };
  return (
    <Shown live={live} what="The notifications can't be read">
      {(document) => {
        const all = notifications(document);
        return (
          <JsonForm
            title="Event notifications"
            description="Tells functions, queues and EventBridge what happens to objects."
            value={all.length === 0 ? '' : JSON.stringify(document)}
            example={EXAMPLE}
            onSave={(text) => put(JSON.parse(text) as Json)}
            onDelete={() => put({})}
          >
            <NotificationList items={all} />
          </JsonForm>
        );
      }}
    </Shown>
  );
}

function BucketTags({ bucket }: { bucket: string }) {
  const live = useBucketTags(bucket);
  return (
    <Shown live={live} what="The tags can't be read">
      {(tags) => <Tags tags={tags} most={MOST_TAGS} onSave={async (next) => { await putTags(next, bucket); await live.refresh(); }} />}
    </Shown>
  );
}
