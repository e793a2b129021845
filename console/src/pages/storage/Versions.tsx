/** An object's versions: look at an old one, bring it back, delete it for good. */
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type ObjectVersion, copyObject, deleteObject, versionsOf } from '../../aws/s3-objects';
import { ConfirmDelete } from '../../lib/confirm';
import { bytes } from '../../lib/format';
import { objectHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';

interface VersionsProps {
  bucket: string;
  objectKey: string;
  onChange: () => void;
}

export function Versions({ bucket, objectKey, onChange }: VersionsProps) {
  const live = useLive(`s3/versions/${bucket}/${objectKey}`, (signal) => versionsOf(bucket, objectKey, { signal }));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [id] = chosen;
  const version = live.data?.find(({ versionId }) => versionId === id);
  const changed = async () => {
    setChosen(new Set());
    await live.refresh();
    onChange();
  };
  const restore = async (wanted: ObjectVersion) => {
    setBusy(true);
    try {
      // Without its delete marker an object is what it was before; an older version becomes the newest by a copy.
      if (wanted.marker) await deleteObject(bucket, objectKey, wanted.versionId);
      else await copyObject(bucket, objectKey, objectKey, wanted.versionId);
      notify('success', wanted.marker ? 'The delete marker is removed' : 'The version is the current one now');
      await changed();
    } catch (error) {
      notifyError('The version was not restored', error);
    } finally {
      setBusy(false);
    }
  };
  const remove = async () => {
    if (version) await deleteObject(bucket, objectKey, version.versionId);
    await changed();
  };
  const restorable = version !== undefined && (version.marker ? version.latest : !version.latest);
  return (
    <>
      <DataTable
        label="Versions"
        filter={false}
        live={live}
        rowKey={(one: ObjectVersion) => one.versionId}
        single
        selected={chosen}
        onSelect={setChosen}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={!version} onClick={() => setAsked(true)}>
              Delete version
            </Button>
            <Button disabled={!restorable} loading={busy} onClick={() => version && void restore(version)}>
              Restore
            </Button>
          </SpaceBetween>
        }
        columns={[
          { id: 'id', header: 'Version', cell: (one) => <Name bucket={bucket} version={one} /> },
          { id: 'modified', header: 'Last modified', width: 220, value: (one) => one.modified, cell: (one) => <Time at={one.modified} /> },
          { id: 'size', header: 'Size', width: 120, align: 'right', value: (one) => one.size, cell: (one) => (one.marker ? '–' : bytes(one.size)) },
          { id: 'class', header: 'Storage class', width: 160, cell: (one) => one.storageClass || '–' },
        ]}
        empty={<Empty title="There is no version of this object">It was deleted in a bucket that keeps none.</Empty>}
      />
      {asked && version && (
        <ConfirmDelete what={version.marker ? 'this delete marker' : `version ${version.versionId}`} onConfirm={remove} onClose={() => setAsked(false)} />
      )}
    </>
  );
}

function Name({ bucket, version }: { bucket: string; version: ObjectVersion }) {
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {version.marker ? (
        <span className="bh-code">{version.versionId}</span>
      ) : (
        <Link href={objectHref(bucket, version.key, version.versionId)}>
          <span className="bh-code">{version.versionId}</span>
        </Link>
      )}
      {version.latest && <Badge color="blue">Current</Badge>}
      {version.marker && <Badge color="grey">Delete marker</Badge>}
    </SpaceBetween>
  );
}
