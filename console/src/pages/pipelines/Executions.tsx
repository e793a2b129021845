/** A machine's executions, the newest first. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useCallback, useMemo } from 'react';

import { platformNow } from '../../aws/session';
import type { Execution, MachineDetails } from '../../aws/states';
import { duration } from '../../lib/format';
import { executionHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { ExecutionsReader } from './executions-reader';

export function executionMs({ startDate, stopDate }: Pick<Execution, 'startDate' | 'stopDate'>): number {
  return Math.max(0, (stopDate ?? platformNow() / 1000) - startDate) * 1000;
}

export function Executions({ machine, onStart }: { machine: MachineDetails; onStart: () => void }) {
  if (machine.type === 'EXPRESS') {
    return (
      <Alert type="info" header="Express executions are not kept">
        Step Functions lists no executions of express machines. Started from here, one answers with its output.
      </Alert>
    );
  }
  return <Kept machine={machine} onStart={onStart} />;
}

function Kept({ machine, onStart }: { machine: MachineDetails; onStart: () => void }) {
  const arn = machine.stateMachineArn;
  const reader = useMemo(() => new ExecutionsReader(arn), [arn]);
  const running = (found: readonly Execution[] | undefined) => found?.some(({ status }) => status === 'RUNNING');
  const executions = useLive(`states/executions/${arn}`, () => reader.look(), { every: (found) => (running(found) ? 1_500 : 5_000) });
  const { refresh } = executions;
  const known = executions.data?.length ?? 0;
  const more = useCallback(() => {
    if (reader.complete || known === 0) return;
    reader.wantOlder();
    void refresh();
  }, [reader, known, refresh]);
  return (
    <DataTable
      label="Executions"
      description={known > 0 && !reader.complete ? 'The newest; older ones are read as you scroll.' : undefined}
      live={executions}
      onEnd={more}
      rowKey={(execution) => execution.executionArn}
      columns={[
        { id: 'name', header: 'Name', value: (execution) => execution.name, cell: (execution) => <Link href={executionHref(execution.executionArn)}>{execution.name}</Link> },
        { id: 'status', header: 'Status', width: 150, value: (execution) => execution.status, cell: (execution) => <Status state={execution.status} /> },
        { id: 'start', header: 'Started', width: 190, value: (execution) => execution.startDate, cell: (execution) => <Time at={execution.startDate} /> },
        { id: 'stop', header: 'Ended', width: 190, value: (execution) => execution.stopDate, cell: (execution) => <Time at={execution.stopDate} /> },
        { id: 'duration', header: 'Duration', width: 130, align: 'right', value: executionMs, cell: (execution) => duration(executionMs(execution)) },
      ]}
      empty={
        <Empty title="Not run yet" action={<Button onClick={onStart}>Start execution</Button>}>
          Schedules, rules of EventBridge, other machines and StartExecution start executions too.
        </Empty>
      }
    />
  );
}
