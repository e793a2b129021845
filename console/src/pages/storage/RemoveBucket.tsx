/** Deletes a bucket, or all that is in it, after its name was typed; a bucket with objects is emptied first. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useRef, useState } from 'react';

import { deleteBucket } from '../../aws/s3';
import { listVersions } from '../../aws/s3-objects';
import { ConfirmDelete } from '../../lib/confirm';
import { count } from '../../lib/format';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { emptyBucket } from './removal';

interface RemoveBucketProps {
  bucket: string;
  /** Leaves the bucket itself. */
  onlyEmpty?: boolean;
  onDone?: () => void;
  onClose: () => void;
}

export function RemoveBucket({ bucket, onlyEmpty = false, onDone, onClose }: RemoveBucketProps) {
  const first = useLive(`s3/doomed/${bucket}`, (signal) => listVersions(bucket, { signal }));
  const [deleted, setDeleted] = useState<number>();
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const found = first.data?.versions.length ?? 0;
  const many = first.data?.next ? `more than ${count(found)}` : count(found);
  const act = async () => {
    if (found > 0 || onlyEmpty) await emptyBucket(bucket, { signal: stop.current.signal, onProgress: setDeleted });
    if (!onlyEmpty) await deleteBucket(bucket);
    notify('success', onlyEmpty ? `Bucket ${bucket} is empty` : `Bucket ${bucket} is deleted`);
    invalidate('s3/');
    onDone?.();
  };
  return (
    <ConfirmDelete what={`bucket ${bucket}`} verb={onlyEmpty ? 'Empty' : 'Delete'} typed={bucket} onConfirm={act} onClose={onClose}>
      <SpaceBetween size="s">
        {found > 0 ? (
          <Alert type="warning" header={`It holds ${many} ${found === 1 ? 'object or version' : 'objects and versions'}`}>
            All of them go, older versions and delete markers too. This can't be undone.
          </Alert>
        ) : (
          <Alert type="info">{first.loading ? 'Looking whether something is in it …' : 'It is empty.'}</Alert>
        )}
        {!onlyEmpty && <Box color="text-body-secondary">Functions, crawlers and tables that read here will fail from then on.</Box>}
        {deleted !== undefined && (
          <Box>
            <span role="status">{count(deleted)} deleted so far</span>
          </Box>
        )}
      </SpaceBetween>
    </ConfirmDelete>
  );
}
