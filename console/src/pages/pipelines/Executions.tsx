/** A machine's executions, the newest first. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import { useCallback, useEffect, useMemo } from 'react';

import { platformNow } from '../../aws/session';
import type { Execution, MachineDetails } from '../../aws/states';
import { duration } from '../../lib/format';
import { executionHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { useParam } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status, stateText } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { ExecutionsReader } from './executions-reader';

const STATES = [
  { value: '', label: 'Any status' },
  ...['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'].map((value) => ({ value, label: stateText(value) })),
];

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
  const [status, setStatus] = useParam('status');
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
  const shown = status ? executions.data?.filter((one) => one.status === status) : executions.data;
  const none = status !== '' && shown?.length === 0;
  useEffect(() => {
    if (none) more();
  }, [none, more]);
  const states = <Select ariaLabel="Status" selectedOption={STATES.find(({ value }) => value === status) ?? null} options={STATES} onChange={({ detail }) => setStatus(detail.selectedOption.value ?? '')} />;
  return (
    <DataTable
      label="Executions"
      description={known > 0 && !reader.complete ? 'The newest; older ones are read as you scroll.' : undefined}
      items={shown}
      error={executions.error}
      {...(known > 0 ? { actions: states } : {})}
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
        known > 0 ? (
          <Empty title={reader.complete ? 'There are none like this' : 'Looking among older ones'} />
        ) : (
          <Empty title="Not run yet" action={<Button onClick={onStart}>Start execution</Button>}>
            Schedules, rules of EventBridge, other machines and StartExecution start executions too.
          </Empty>
        )
      }
    />
  );
}
