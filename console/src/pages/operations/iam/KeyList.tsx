/** A user's access keys: made, rotated, put out of use, deleted. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type AccessKey, type NewKey, MOST_KEYS, createKey, deleteKey, listKeys, setKeyActive } from '../../../aws/iam-keys';
import { ConfirmDelete } from '../../../lib/confirm';
import { invalidate, useLive } from '../../../lib/live';
import { notify, notifyError } from '../../../lib/notify';
import { Empty } from '../../../lib/states';
import { Status } from '../../../lib/status';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { SecretOnce } from './SecretOnce';

/** When the last of some keys was used. */
export function lastUse(keys: readonly AccessKey[] | undefined): Date | undefined {
  const times = (keys ?? []).flatMap(({ used }) => (used ? [used.getTime()] : []));
  return times.length > 0 ? new Date(Math.max(...times)) : undefined;
}

export function KeyList({ user }: { user: string }) {
  const keys = useLive(`iam/keys/${user}`, () => listKeys(user), { every: 10_000 });
  const [made, setMade] = useState<NewKey>();
  const [doomed, setDoomed] = useState<AccessKey>();
  const [busy, setBusy] = useState(false);
  const create = async () => {
    setBusy(true);
    try {
      setMade(await createKey(user));
      invalidate('iam/');
    } catch (error) {
      notifyError('The key was not created', error);
    } finally {
      setBusy(false);
    }
  };
  const turn = async (key: AccessKey) => {
    try {
      await setKeyActive(user, key.id, !key.active);
      notify('success', `${key.id} is ${key.active ? 'out of use' : 'in use again'}`);
    } catch (error) {
      notifyError('The key was not changed', error);
    }
    invalidate('iam/');
  };
  const full = (keys.data?.length ?? 0) >= MOST_KEYS;
  return (
    <SpaceBetween size="m">
      <DataTable
        label="Access keys"
        filter={false}
        live={keys}
        rowKey={(key) => key.id}
        description={full ? 'A user has two keys at most: to rotate, move to the newer one, deactivate the older one, and delete it when nobody misses it.' : 'To rotate a key: create the second one, move to it, deactivate the old one, and delete it when nobody misses it.'}
        actions={
          <Button variant="primary" loading={busy} disabled={!keys.data || full} onClick={() => void create()}>
            {keys.data?.length === 1 ? 'Rotate: create the second key' : 'Create access key'}
          </Button>
        }
        columns={[
          { id: 'id', header: 'Access key ID', cell: (key) => <span className="bh-code">{key.id}</span> },
          { id: 'state', header: 'State', width: 130, cell: (key) => <Status state={key.active ? 'Active' : 'Inactive'} /> },
          { id: 'created', header: 'Created', width: 190, cell: (key) => <Time at={key.created} /> },
          { id: 'used', header: 'Last used', width: 210, cell: (key) => (key.used ? <span><Time at={key.used} relative /> in {key.service}</span> : 'Never') },
          {
            id: 'actions',
            header: 'Actions',
            width: 190,
            cell: (key) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" onClick={() => void turn(key)} ariaLabel={`${key.active ? 'Deactivate' : 'Activate'} ${key.id}`}>
                  {key.active ? 'Deactivate' : 'Activate'}
                </Button>
                <Button variant="inline-link" onClick={() => setDoomed(key)} ariaLabel={`Delete ${key.id}`}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Empty title="No keys">Without one, nobody can call as {user}, or sign in here.</Empty>}
      />
      {made && <SecretOnce user={user} secretKey={made} onClose={() => setMade(undefined)} />}
      {doomed && (
        <ConfirmDelete
          what={`access key ${doomed.id}`}
          {...(doomed.active ? { typed: doomed.id } : {})}
          onClose={() => setDoomed(undefined)}
          onConfirm={async () => {
            await deleteKey(user, doomed.id);
            notify('success', `${doomed.id} is deleted`);
            invalidate('iam/');
          }}
        >
          <Alert type="warning">{doomed.active ? 'It is active: whoever uses it is refused from the next call on. Deactivating it first can be taken back; this can’t.' : "It is out of use already. This can't be undone."}</Alert>
        </ConfirmDelete>
      )}
    </SpaceBetween>
  );
}
