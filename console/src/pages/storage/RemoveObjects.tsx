/** Deletes what is chosen; folders with all that lies below them. */
import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useRef, useState } from 'react';

import { ConfirmDelete } from '../../lib/confirm';
import { count } from '../../lib/format';
import { notify } from '../../lib/notify';
import { useVersioning } from './configuration';
import type { Entry } from './listing';
import { removeKeys } from './removal';

const SHOWN = 8;

/** `3 objects and 1 folder`. */
export function whatOf(objects: number, folders: number): string {
  const part = (n: number, one: string) => (n === 0 ? [] : [`${count(n)} ${one}${n === 1 ? '' : 's'}`]);
  return [...part(objects, 'object'), ...part(folders, 'folder')].join(' and ');
}

interface RemoveObjectsProps {
  bucket: string;
  chosen: readonly Entry[];
  onDone: () => void;
  onClose: () => void;
}

export function RemoveObjects({ bucket, chosen, onDone, onClose }: RemoveObjectsProps) {
  const versioning = useVersioning(bucket);
  const [deleted, setDeleted] = useState<number>();
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const folders = chosen.filter(({ folder }) => folder).map(({ key }) => key);
  const keys = chosen.filter(({ folder }) => !folder).map(({ key }) => key);
  const what = whatOf(keys.length, folders.length);
  const kept = versioning.data === 'Enabled';
  const act = async () => {
    const sum = await removeKeys(bucket, keys, folders, { signal: stop.current.signal, onProgress: setDeleted });
    notify('success', `${count(sum)} ${sum === 1 ? 'object is' : 'objects are'} deleted`);
    onDone();
  };
  return (
    <ConfirmDelete what={what} {...(folders.length > 0 && !kept ? { typed: 'delete' } : {})} onConfirm={act} onClose={onClose}>
      <SpaceBetween size="s">
        <ul className="bh-doomed">
          {chosen.slice(0, SHOWN).map(({ key }) => (
            <li key={key}>{key}</li>
          ))}
          {chosen.length > SHOWN && <li>… and {count(chosen.length - SHOWN)} more</li>}
        </ul>
        {folders.length > 0 && <Alert type="warning">Everything below a folder goes with it, also what is not listed here.</Alert>}
        {kept ? (
          <Alert type="info">The bucket keeps versions: each object gets a delete marker, and can be restored on its page.</Alert>
        ) : (
          <Alert type="warning">The bucket keeps no versions: this can't be undone.</Alert>
        )}
        {deleted !== undefined && <span role="status">{count(deleted)} deleted so far</span>}
      </SpaceBetween>
    </ConfirmDelete>
  );
}
