/** Event source mappings: queues whose messages functions are given. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type EventSourceMapping, listMappings } from '../../aws/lambda';
import { deleteMapping, updateMapping } from '../../aws/lambda-settings';
import { ConfirmDelete } from '../../lib/confirm';
import { duration, shortName } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { arnHref, functionHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { useParam } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { CreateMapping } from './CreateMapping';
import './compute.css';

/** The function's name, and the version or alias if the mapping names one. */
const functionOf = ({ FunctionArn = '' }: EventSourceMapping) => FunctionArn.split(':').slice(6);
const isOn = ({ State = '' }: EventSourceMapping) => /^Enabl/.test(State);

export default function Mappings() {
  const mappings = useLive('lambda/mappings', () => listMappings(), { every: 5_000 });
  const [doomed, setDoomed] = useState<EventSourceMapping>();
  const [dialog, setDialog] = useParam('create');
  const toggle = async (mapping: EventSourceMapping) => {
    try {
      await updateMapping(mapping.UUID, { Enabled: !isOn(mapping) });
      invalidate('lambda/');
    } catch (error) {
      notifyError('The mapping was not changed', error);
    }
  };
  const create = (variant: 'primary' | 'normal') => (
    <Button variant={variant} onClick={() => setDialog('mapping')}>
      Create mapping
    </Button>
  );
  return (
    <Frame title="Event source mappings" counter={mappings.data?.length} description="Queues that are polled, and the functions that get their messages." actions={create('primary')}>
      <DataTable<EventSourceMapping>
        label="Event source mappings"
        title={false}
        live={mappings}
        rowKey={({ UUID }) => UUID}
        columns={[
          { id: 'source', header: 'Source', value: ({ EventSourceArn = '' }) => shortName(EventSourceArn), cell: ({ EventSourceArn = '' }) => <Link href={arnHref(EventSourceArn) ?? '#'}>{shortName(EventSourceArn)}</Link> },
          {
            id: 'function',
            header: 'Function',
            value: (one) => functionOf(one).join(':'),
            cell: (one) => {
              const [name = '', qualifier] = functionOf(one);
              return <Link href={functionHref(name)}>{qualifier ? `${name}:${qualifier}` : name}</Link>;
            },
          },
          { id: 'state', header: 'State', width: 115, value: ({ State }) => State, cell: ({ State }) => <Status state={State} /> },
          { id: 'result', header: 'Last result', width: 150, value: ({ LastProcessingResult }) => LastProcessingResult, cell: ({ LastProcessingResult }) => <span title={LastProcessingResult}>{LastProcessingResult ?? '–'}</span> },
          { id: 'batch', header: 'Batch', width: 150, value: ({ BatchSize }) => BatchSize, cell: batchText },
          { id: 'modified', header: 'Modified', width: 180, value: ({ LastModified }) => LastModified, cell: ({ LastModified }) => <Time at={LastModified} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 150,
            cell: (one) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" onClick={() => void toggle(one)} ariaLabel={`${isOn(one) ? 'Disable' : 'Enable'} ${one.UUID}`}>
                  {isOn(one) ? 'Disable' : 'Enable'}
                </Button>
                <Button variant="inline-link" onClick={() => setDoomed(one)} ariaLabel={`Delete ${one.UUID}`}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={
          <Empty title="No event source mappings yet" action={create('normal')}>
            A mapping polls a queue as the function's role, invokes the function with up to so many messages, and deletes those that it has processed.
          </Empty>
        }
      />
      {dialog === 'mapping' && <CreateMapping onClose={() => setDialog('')} />}
      {doomed && (
        <ConfirmDelete
          what={`the mapping of ${shortName(doomed.EventSourceArn ?? '')}`}
          onConfirm={async () => {
            await deleteMapping(doomed.UUID);
            invalidate('lambda/');
            notify('success', 'The mapping is deleted');
          }}
          onClose={() => setDoomed(undefined)}
        >
          Messages stay in the queue from then on.
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function batchText({ BatchSize = 10, MaximumBatchingWindowInSeconds: window = 0, ScalingConfig }: EventSourceMapping): string {
  const waits = window > 0 ? `, ${duration(window * 1000)}` : '';
  const most = ScalingConfig?.MaximumConcurrency;
  return `up to ${BatchSize}${waits}${most ? `, ${most} at once` : ''}`;
}
