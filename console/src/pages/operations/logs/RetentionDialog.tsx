/** How long groups keep their events: asked for one or for several at once. */
import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { type LogGroup, setRetention } from '../../../aws/logs';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { invalidate } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { DAYS, retentionText } from './retention';

const OPTIONS = [undefined, ...DAYS].map((days) => ({ value: String(days ?? 'never'), label: retentionText(days) }));

export function RetentionField({ days, onChange }: { days: number | undefined; onChange: (days: number | undefined) => void }) {
  const value = String(days ?? 'never');
  return (
    <FormField label="Retention" description="Older events are hidden at once, and deleted within the hour.">
      <Select
        options={OPTIONS}
        selectedOption={OPTIONS.find((one) => one.value === value) ?? null}
        expandToViewport
        onChange={({ detail }) => onChange(detail.selectedOption.value === 'never' ? undefined : Number(detail.selectedOption.value))}
      />
    </FormField>
  );
}

export function RetentionDialog({ groups, onClose }: { groups: readonly LogGroup[]; onClose: () => void }) {
  const [days, setDays] = useState(groups[0]?.retentionInDays);
  const shorter = groups.some(({ retentionInDays }) => days !== undefined && days < (retentionInDays ?? Infinity));
  const deed = useDeed(async () => {
    for (const { logGroupName } of groups) await setRetention(logGroupName, days);
    notify('success', `Retention: ${retentionText(days).toLowerCase()}`);
    invalidate('logs/');
    onClose();
  });
  const title = groups.length === 1 ? `Retention of ${groups[0]?.logGroupName}` : `Retention of ${groups.length} log groups`;
  return (
    <FormDialog title={title} action="Save" deed={deed} failed="The retention was not set" onClose={onClose}>
      <RetentionField days={days} onChange={setDays} />
      {shorter && <Alert type="warning">What is older than that is deleted for good.</Alert>}
    </FormDialog>
  );
}
