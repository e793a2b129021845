/** Chooses the managed policy that bounds a user or role. */
import { useState } from 'react';

import { listPolicies } from '../../../aws/iam';
import { setBoundary } from '../../../aws/iam-policies';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { PolicyChoice } from './AttachPolicy';

export function BoundaryDialog({ kind, name, present, onClose }: { kind: 'User' | 'Role'; name: string; present: string | undefined; onClose: () => void }) {
  const policies = useLive('iam/policies', () => listPolicies('All'));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(present ? [present] : []));
  const [arn] = chosen;
  const deed = useDeed(async () => {
    await setBoundary(kind, name, arn);
    notify('success', `${name} is bounded by ${arn?.split('/').at(-1) ?? ''}`);
    invalidate('iam/');
    onClose();
  }, arn !== undefined);
  return (
    <FormDialog title={`Permissions boundary of ${name}`} action="Set boundary" deed={deed} ready={arn !== undefined} size="large" failed="The boundary was not set" onClose={onClose}>
      <PolicyChoice policies={policies.data} error={policies.error} selected={chosen} onSelect={setChosen} single />
    </FormDialog>
  );
}
