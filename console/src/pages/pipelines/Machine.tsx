/** A state machine: its executions, its definition as text and picture, what it is. */
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type MachineDetails, deleteMachine, describeMachine, updateMachine } from '../../aws/states';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { arnHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to, useParam } from '../../lib/router';
import { Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { Time } from '../../lib/time';
import { machineArn } from './arns';
import { Definition } from './Definition';
import { Executions } from './Executions';
import { RoleField } from './fields';
import { StartExecution } from './StartExecution';
import './pipelines.css';

export default function MachinePage({ params }: PageProps) {
  const name = params.name ?? '';
  const machine = useLive(`states/machine/${name}`, () => describeMachine(machineArn(name)), { every: 15_000 });
  const [tab, setTab] = useParam('tab', 'definition');
  const [asked, setAsked] = useState<'start' | 'delete' | 'role'>();
  const ready = machine.data;
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      <Button onClick={() => setAsked('delete')} disabled={!ready}>
        Delete
      </Button>
      <Button variant="primary" onClick={() => setAsked('start')} disabled={!ready}>
        Start execution
      </Button>
    </SpaceBetween>
  );
  const type = ready?.type === 'EXPRESS' ? 'Express' : 'Standard';
  return (
    <Frame title={name} info={ready && <Badge>{type}</Badge>} actions={actions}>
      <Shown live={machine} what="The state machine can't be read">
        {(found) => (
          <Tabs
            activeTabId={tab}
            onChange={({ detail }) => setTab(detail.activeTabId)}
            ariaLabel="State machine"
            tabs={[
              // What somebody is writing is still there when they come back from another tab.
              { id: 'definition', label: 'Definition', contentRenderStrategy: 'lazy', content: <Definition machine={found} onSaved={machine.refresh} /> },
              { id: 'executions', label: 'Executions', content: tab === 'executions' && <Executions machine={found} onStart={() => setAsked('start')} /> },
              { id: 'details', label: 'Details', content: tab === 'details' && <Details machine={found} onRole={() => setAsked('role')} /> },
            ]}
          />
        )}
      </Shown>
      {ready && asked === 'start' && <StartExecution machine={ready} onClose={() => setAsked(undefined)} />}
      {ready && asked === 'role' && <ChangeRole machine={ready} onClose={() => setAsked(undefined)} />}
      {ready && asked === 'delete' && (
        <ConfirmDelete
          what={`state machine ${name}`}
          typed={name}
          onClose={() => setAsked(undefined)}
          onConfirm={async () => {
            await deleteMachine(ready.stateMachineArn);
            notify('success', `${name} is being deleted`);
            invalidate('states/');
            navigate(to('/pipelines'));
          }}
        >
          Executions that run come to their end first. Their histories go with the machine.
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function ChangeRole({ machine, onClose }: { machine: MachineDetails; onClose: () => void }) {
  const [role, setRole] = useState(machine.roleArn);
  const ready = role !== '' && role !== machine.roleArn;
  const change = useDeed(async () => {
    await updateMachine(machine.stateMachineArn, { roleArn: role });
    invalidate('states/');
    notify('success', `${machine.name} has another role`, 'Executions that start from now on act as it.');
    onClose();
  }, ready);
  return (
    <FormDialog title={`Role of ${machine.name}`} action="Change role" deed={change} ready={ready} failed="It was not changed" onClose={onClose}>
      <RoleField service="states.amazonaws.com" value={role} onChange={setRole} />
    </FormDialog>
  );
}

function Details({ machine, onRole }: { machine: MachineDetails; onRole: () => void }) {
  const role = arnHref(machine.roleArn);
  return (
    <KeyValuePairs
      columns={3}
      items={[
        { label: 'ARN', value: machine.stateMachineArn },
        {
          label: 'Role',
          value: (
            <>
              {role ? <Link href={role}>{machine.roleArn}</Link> : machine.roleArn}{' '}
              <Button variant="inline-link" onClick={onRole}>
                Change role
              </Button>
            </>
          ),
        },
        { label: 'Status', value: <Status state={machine.status} /> },
        { label: 'Created', value: <Time at={machine.creationDate} /> },
        { label: 'Revision', value: machine.revisionId ?? 'The first' },
        { label: 'Description', value: machine.description ?? '–' },
      ]}
    />
  );
}
