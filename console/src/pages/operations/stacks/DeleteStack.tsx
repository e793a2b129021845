/** Asks before a stack goes, with all that goes with it. */
import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Multiselect from '@cloudscape-design/components/multiselect';
import { useState } from 'react';

import { type Stack, type StackResource, deleteStack, listResources } from '../../../aws/cloudformation';
import { ConfirmDelete } from '../../../lib/confirm';
import { count } from '../../../lib/format';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate } from '../../../lib/router';
import { eventsHref } from './hrefs';

/** Resources that are named one by one. */
const NAMED = 12;

export function DeleteStack({ stack, onClose }: { stack: Stack; onClose: () => void }) {
  const resources = useLive(`cloudformation/resources/${stack.id}`, () => listResources(stack.id));
  const [kept, setKept] = useState<readonly string[]>([]);
  const there = (resources.data ?? []).filter(({ status }) => status !== 'DELETE_COMPLETE');
  const stuck = there.filter(({ status }) => status === 'DELETE_FAILED');
  return (
    <ConfirmDelete
      what={`stack ${stack.name}`}
      typed={stack.name}
      onClose={onClose}
      onConfirm={async () => {
        await deleteStack(stack.id, [...kept]);
        notify('info', `${stack.name} is being deleted`);
        invalidate('cloudformation/');
        // By its id, under which it can still be seen when it is gone.
        navigate(eventsHref(stack.id));
      }}
    >
      {there.length > 0 && (
        <Alert type="warning" header={`${count(there.length)} ${there.length === 1 ? 'resource goes' : 'resources go'} with it`}>
          <Names resources={there} />
          What has a deletion policy of Retain stays.
        </Alert>
      )}
      {stack.status === 'DELETE_FAILED' && stuck.length > 0 && (
        <FormField label="Keep" description="What could not be deleted: what you choose is left alone, and no longer belongs to a stack.">
          <Multiselect
            options={stuck.map(({ logicalId, type }) => ({ value: logicalId, label: logicalId, description: type }))}
            selectedOptions={kept.map((value) => ({ value, label: value }))}
            onChange={({ detail }) => setKept(detail.selectedOptions.flatMap(({ value }) => value ?? []))}
            placeholder="Nothing is kept"
          />
        </FormField>
      )}
    </ConfirmDelete>
  );
}

function Names({ resources }: { resources: readonly StackResource[] }) {
  const rest = resources.length - NAMED;
  return (
    <ul className="bh-plain">
      {resources.slice(0, NAMED).map(({ logicalId, physicalId, type }) => (
        <li key={logicalId}>
          <strong>{physicalId ?? logicalId}</strong> <span className="bh-soft">{type}</span>
        </li>
      ))}
      {rest > 0 && <li>and {count(rest)} more</li>}
    </ul>
  );
}
