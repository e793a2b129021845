import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';

import { createGroup, setRetention } from '../../../aws/logs';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { logGroupHref } from '../../../lib/links';
import { invalidate } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate } from '../../../lib/router';
import { RetentionField } from './RetentionDialog';

/** What a group may be called. */
const NAME = /^[.\-_/#A-Za-z0-9]{1,512}$/;

export function CreateGroup({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [days, setDays] = useState<number>();
  const ready = NAME.test(name);
  const deed = useDeed(async () => {
    await createGroup(name);
    if (days !== undefined) await setRetention(name, days);
    notify('success', `${name} is created`);
    invalidate('logs/');
    onClose();
    navigate(logGroupHref(name));
  }, ready);
  return (
    <FormDialog title="Create log group" action="Create" deed={deed} ready={ready} failed="The log group was not created" onClose={onClose}>
      <FormField label="Name" constraintText="Letters, digits and . - _ / #" errorText={name !== '' && !ready ? 'There is a character that names must not have.' : undefined}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} placeholder="/apps/flights" autoFocus autoComplete={false} />
      </FormField>
      <RetentionField days={days} onChange={setDays} />
    </FormDialog>
  );
}
