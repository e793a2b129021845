/** An object: what is in it, what is known of it, its versions, a link to it. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type ObjectFacts, deleteObject, objectFacts } from '../../aws/s3-objects';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { bytes } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { bucketHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, useParam } from '../../lib/router';
import { ErrorBox, Shown } from '../../lib/states';
import { Time } from '../../lib/time';
import { ObjectProperties } from './ObjectProperties';
import { Preview } from './Preview';
import { ShareLink } from './ShareLink';
import { Versions } from './Versions';
import { download } from './download';
import { baseName, folderOf } from './types';
import './storage.css';

export default function ObjectPage({ params }: PageProps) {
  const bucket = params.bucket ?? '';
  const [key] = useParam('key');
  const [version] = useParam('version');
  const [tab, setTab] = useParam('tab', 'preview');
  const [dialog, setDialog] = useState<'share' | 'delete'>();
  const facts = useLive(`s3/object/${bucket}/${key}/${version}`, (signal) => objectFacts(bucket, key, version || undefined, { signal }));
  const close = () => setDialog(undefined);
  const remove = async () => {
    await deleteObject(bucket, key, version || undefined);
    notify('success', `${baseName(key)} is deleted`);
    navigate(bucketHref(bucket, folderOf(key)));
  };
  const source = { bucket, key, size: facts.data?.size ?? 0, ...(version ? { versionId: version } : {}) };
  return (
    <Frame
      title={baseName(key)}
      description={<Place bucket={bucket} keyed={key} facts={facts.data} />}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button iconName="download" disabled={!facts.data} onClick={() => download(bucket, key, version || undefined)}>
            Download
          </Button>
          <Button iconName="share" disabled={!facts.data} onClick={() => setDialog('share')}>
            Share
          </Button>
          <Button onClick={() => setDialog('delete')}>Delete</Button>
        </SpaceBetween>
      }
    >
      {facts.error?.isMissing && !facts.data && tab === 'preview' && (
        <ErrorBox error={facts.error} what="There is no such object now" />
      )}
      <Tabs
        activeTabId={tab}
        onChange={({ detail }) => setTab(detail.activeTabId)}
        ariaLabel="Object"
        tabs={[
          {
            id: 'preview',
            label: 'Preview',
            content: tab === 'preview' && !(facts.error?.isMissing && !facts.data) && (
              <Shown live={facts} what="The object can't be read">
                {(found) => <Preview source={source} facts={found} />}
              </Shown>
            ),
          },
          {
            id: 'properties',
            label: 'Properties',
            content: tab === 'properties' && (
              <Shown live={facts} what="The object can't be read">
                {(found) => <ObjectProperties bucket={bucket} objectKey={key} version={version || undefined} facts={found} />}
              </Shown>
            ),
          },
          { id: 'versions', label: 'Versions', content: tab === 'versions' && <Versions bucket={bucket} objectKey={key} onChange={() => void facts.refresh()} /> },
        ]}
      />
      {dialog === 'share' && <ShareLink bucket={bucket} objectKey={key} version={version || undefined} onClose={close} />}
      {dialog === 'delete' && <ConfirmDelete what={version ? `this version of ${baseName(key)}` : baseName(key)} onConfirm={remove} onClose={close} />}
    </Frame>
  );
}

function Place({ bucket, keyed, facts }: { bucket: string; keyed: string; facts: ObjectFacts | undefined }) {
  const folder = folderOf(keyed);
  return (
    <>
      In <Link href={bucketHref(bucket, folder)}>{`s3://${bucket}/${folder}`}</Link>
      {facts && (
        <>
          {' '}
          · {bytes(facts.size)} · {facts.contentType} · <Time at={facts.modified} />
        </>
      )}
    </>
  );
}
