/** Deletes a user, role or group after saying what hangs on it. */
import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { HolderKind } from '../../../aws/iam';
import { ConfirmDelete } from '../../../lib/confirm';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate, to } from '../../../lib/router';
import { Shown } from '../../../lib/states';
import { removeHolder, whatHangsOn } from './removal';
import { usesOfRole } from './uses';

const MEANING: Record<HolderKind, string> = {
  User: 'Whoever signs with its keys is refused from the next call on.',
  Role: 'Whatever works in the role is refused from the next call on.',
  Group: 'Its members stay, without what the group allows.',
};

export function RemoveHolder({ kind, name, arn, onClose }: { kind: HolderKind; name: string; arn: string; onClose: () => void }) {
  const hanging = useLive(`iam/hanging/${kind}/${name}`, () => whatHangsOn(kind, name));
  const remove = async () => {
    await removeHolder(kind, name);
    notify('success', `${kind} ${name} is deleted`);
    navigate(to(`/operations/iam/${kind.toLowerCase()}s`));
    invalidate('iam/');
  };
  return (
    <ConfirmDelete what={`${kind.toLowerCase()} ${name}`} typed={name} onConfirm={remove} onClose={onClose}>
      <SpaceBetween size="s">
        <Alert type="warning">{MEANING[kind]} This can't be undone.</Alert>
        {kind === 'Role' && <Uses arn={arn} />}
        <Shown live={hanging} what="What hangs on it can't be read">
          {(found) =>
            found.length === 0 ? (
              <span className="bh-soft">Nothing hangs on it.</span>
            ) : (
              <div>
                This goes with it:
                <ul className="bh-words">
                  {found.map(({ what }) => (
                    <li key={what}>{what}</li>
                  ))}
                </ul>
              </div>
            )
          }
        </Shown>
      </SpaceBetween>
    </ConfirmDelete>
  );
}

function Uses({ arn }: { arn: string }) {
  const uses = useLive(`iam/uses/${arn}`, () => usesOfRole(arn));
  if (!uses.data || uses.data.length === 0) return null;
  return (
    <Alert type="error" header="It is in use">
      {uses.data.map(({ kind, name }) => `${kind} ${name}`).join(', ')}
    </Alert>
  );
}
