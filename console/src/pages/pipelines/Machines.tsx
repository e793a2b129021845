/** All state machines, and how the last execution of each went. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';

import { type Machine, listExecutions, listMachines } from '../../aws/states';
import { Frame } from '../../lib/frame';
import { executionHref, machineHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { to } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status, stateText } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { StartExecution } from './StartExecution';

export default function Machines() {
  const machines = useLive('states/machines', () => listMachines(), { every: 10_000 });
  const [starting, setStarting] = useState<Machine>();
  const create = (
    <Button variant="primary" href={to('/pipelines/create')}>
      Create state machine
    </Button>
  );
  return (
    <Frame
      title="State machines"
      counter={machines.data?.length}
      description="Workflows of Step Functions: steps one after the other, beside each other, for every item, with retries and ways out of errors."
      actions={create}
    >
      <DataTable
        label="State machines"
        title={false}
        live={machines}
        sort={{ column: 'name' }}
        rowKey={(machine) => machine.stateMachineArn}
        columns={[
          { id: 'name', header: 'Name', value: (machine) => machine.name, cell: (machine) => <Link href={machineHref(machine.name)}>{machine.name}</Link> },
          { id: 'type', header: 'Type', width: 120, value: (machine) => machine.type, cell: (machine) => (machine.type === 'EXPRESS' ? 'Express' : 'Standard') },
          { id: 'last', header: 'Last execution', width: 170, cell: (machine) => <Last machine={machine} /> },
          { id: 'when', header: 'Started', width: 140, cell: (machine) => <When machine={machine} /> },
          { id: 'created', header: 'Created', width: 190, value: (machine) => machine.creationDate, cell: (machine) => <Time at={machine.creationDate} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 100,
            cell: (machine) => (
              <Button variant="inline-link" onClick={() => setStarting(machine)} ariaLabel={`Start ${machine.name}`}>
                Start
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No state machines yet" action={<Button href={to('/pipelines/create')}>Create the first one</Button>}>
            A state machine says which jobs, functions and queries run in which order. Stacks and CreateStateMachine make some too.
          </Empty>
        }
      />
      {starting && <StartExecution machine={starting} onClose={() => setStarting(undefined)} />}
    </Frame>
  );
}

/** Read for the rows in sight only. */
function useLast({ stateMachineArn, type }: Machine) {
  return useLive(`states/last/${stateMachineArn}`, () => listExecutions(stateMachineArn, 1), { every: 5_000, enabled: type !== 'EXPRESS' }).data?.[0];
}

function Last({ machine }: { machine: Machine }) {
  const last = useLast(machine);
  if (!last) return <span>–</span>;
  return (
    <Link href={executionHref(last.executionArn)} ariaLabel={`${stateText(last.status)}: last execution of ${machine.name}`}>
      <Status state={last.status} />
    </Link>
  );
}

function When({ machine }: { machine: Machine }) {
  return <Time at={useLast(machine)?.startDate} relative />;
}
