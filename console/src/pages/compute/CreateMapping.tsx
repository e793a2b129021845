/** Gives a function the messages of a queue. */
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { listFunctions } from '../../aws/lambda';
import { createMapping } from '../../aws/lambda-settings';
import { listQueues, queueAttributes } from '../../aws/sqs';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { shortName } from '../../lib/format';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';

export function CreateMapping({ onClose }: { onClose: () => void }) {
  const queues = useLive('sqs/queues', () => listQueues());
  const functions = useLive('lambda/functions', () => listFunctions());
  const [queue, setQueue] = useState('');
  const [name, setName] = useState('');
  const [size, setSize] = useState('10');
  const [window, setWindow] = useState('0');
  const ready = queue !== '' && name !== '' && Number(size) > 0;
  const save = useDeed(async () => {
    const { QueueArn = '' } = await queueAttributes(queue);
    await createMapping({ FunctionName: name, EventSourceArn: QueueArn, BatchSize: Number(size), MaximumBatchingWindowInSeconds: Number(window) });
    invalidate('lambda/');
    notify('success', `${name} gets the messages of ${shortName(queue)}`);
    onClose();
  }, ready);
  const options = (values: readonly string[] | undefined) => (values ?? []).map((value) => ({ value, label: shortName(value) }));
  const select = (label: string, value: string, set: (value: string) => void, values: readonly string[] | undefined, hint?: string) => (
    <FormField label={label} constraintText={hint}>
      <Select selectedOption={value ? { value, label: shortName(value) } : null} placeholder={`Choose a ${label.toLowerCase()}`} filteringType="auto" options={options(values)} empty={`No ${label.toLowerCase()}s yet`} onChange={({ detail }) => set(detail.selectedOption.value ?? '')} />
    </FormField>
  );
  return (
    <FormDialog title="Create an event source mapping" action="Create" size="large" deed={save} ready={ready} failed="The mapping was not created" onClose={onClose}>
      <ColumnLayout columns={2}>
        {select('Queue', queue, setQueue, queues.data)}
        {select('Function', name, setName, functions.data?.map(({ FunctionName }) => FunctionName), 'Its role must be allowed to receive and delete messages of the queue.')}
        <FormField label="Messages at once" constraintText="Up to 10, or 10,000 with a window">
          <Input type="number" value={size} onChange={({ detail }) => setSize(detail.value)} />
        </FormField>
        <FormField label="Window (seconds)" constraintText="How long messages are gathered">
          <Input type="number" value={window} onChange={({ detail }) => setWindow(detail.value)} />
        </FormField>
      </ColumnLayout>
    </FormDialog>
  );
}
