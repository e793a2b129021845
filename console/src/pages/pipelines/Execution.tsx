/** An execution: its picture in the colours of its steps, each step's input, output and error, its times and events. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useMemo, useState } from 'react';

import { platformNow } from '../../aws/session';
import { type ExecutionDetails, describeExecution, machineOfExecution, redriveExecution, stopExecution } from '../../aws/states';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { duration, shortName } from '../../lib/format';
import { Graph } from '../../lib/graph';
import { arnHref, machineHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { useParam } from '../../lib/router';
import { Loading, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { Time } from '../../lib/time';
import { draw, parseDefinition } from './asl';
import { Cause } from './Cause';
import { EventList } from './EventList';
import { executionMs } from './Executions';
import { onlyItem, tell } from './history';
import { ItemBar, useItem } from './items';
import { byState, paint } from './paint';
import { HistoryReader } from './reader';
import { StartExecution } from './StartExecution';
import { StepPanel } from './StepPanel';
import { Timeline } from './Timeline';
import './pipelines.css';

const LIVE_MS = 1_000;
/** An ended execution may be redriven by somebody else. */
const CALM_MS = 10_000;
const HEIGHT = 560;

export default function ExecutionPage({ params }: PageProps) {
  const arn = params.arn ?? '';
  const execution = useLive(`states/execution/${arn}`, () => describeExecution(arn), { every: pace });
  return (
    <Frame title={shortName(arn)} info={execution.data && <Status state={execution.data.status} />} actions={execution.data && <Actions execution={execution.data} />}>
      <Shown live={execution} what="The execution can't be read">
        {(found) => <Run execution={found} />}
      </Shown>
    </Frame>
  );
}

const pace = (execution: ExecutionDetails | undefined) => (execution?.status === 'RUNNING' ? LIVE_MS : CALM_MS);

function useHistory(execution: ExecutionDetails) {
  const { executionArn: arn, status, redriveCount = 0 } = execution;
  const reader = useMemo(() => new HistoryReader(arn), [arn]);
  // Another state means other events: it is read once more, then.
  return useLive(`states/history/${arn}/${status}/${redriveCount}`, () => reader.more(), status === 'RUNNING' ? { every: LIVE_MS } : {});
}

function Run({ execution }: { execution: ExecutionDetails }) {
  const arn = execution.executionArn;
  const machine = useLive(`states/definition/${arn}`, () => machineOfExecution(arn));
  const history = useHistory(execution);
  const [tab, setTab] = useParam('tab', 'timeline');
  const [chosen, setChosen] = useParam('step');
  const drawing = useMemo(() => draw(parseDefinition(machine.data?.definition ?? '') ?? {}), [machine.data]);
  const all = useMemo(() => tell(history.data ?? []), [history.data]);
  const now = platformNow();
  const { item, choose: chooseItem } = useItem(all);
  const steps = useMemo(() => (item ? onlyItem(all, item.map, item.index) : all), [all, item?.map, item?.index]);
  const picture = paint(drawing, steps, now);
  const failed = all.find(({ status }) => status === 'FAILED');
  const name = chosen || (execution.status === 'FAILED' ? failed?.name : undefined);
  return (
    <SpaceBetween size="l">
      {execution.error !== undefined && name !== failed?.name && <Cause error={execution.error} cause={execution.cause} />}
      <Facts execution={execution} />
      <Shown live={machine} what="The definition can't be read">
        {() => (
          <div className="bh-two bh-two-wide">
            <div className="bh-below">
              {item && <ItemBar item={item} onChoose={chooseItem} />}
              <Graph label="Steps of the execution" {...picture} direction="down" height={HEIGHT} selected={name} onSelect={(id) => setChosen(id ?? '')} />
            </div>
            <StepPanel
              execution={execution}
              name={name}
              state={name ? drawing.states.get(name) : undefined}
              steps={(name && byState(steps).get(name)) || []}
              item={item}
              onItem={chooseItem}
              height={HEIGHT}
            />
          </div>
        )}
      </Shown>
      <Tabs
        activeTabId={tab}
        onChange={({ detail }) => setTab(detail.activeTabId)}
        ariaLabel="What happened"
        tabs={[
          { id: 'timeline', label: 'Timeline', content: tab === 'timeline' && (history.loading ? <Loading /> : <Timeline steps={steps} now={now} onChoose={setChosen} />) },
          { id: 'events', label: 'Events', content: tab === 'events' && <EventList history={history} /> },
        ]}
      />
    </SpaceBetween>
  );
}

function Facts({ execution }: { execution: ExecutionDetails }) {
  const machine = shortName(execution.stateMachineArn);
  const { redriveCount = 0 } = execution;
  return (
    <KeyValuePairs
      columns={4}
      items={[
        { label: 'State machine', value: <Link href={arnHref(execution.stateMachineArn) ?? machineHref(machine)}>{machine}</Link> },
        { label: 'Started', value: <Time at={execution.startDate} /> },
        { label: 'Ended', value: <Time at={execution.stopDate} /> },
        { label: 'Duration', value: `${duration(executionMs(execution))}${redriveCount > 0 ? `, redriven ${redriveCount === 1 ? 'once' : `${redriveCount} times`}` : ''}` },
      ]}
    />
  );
}

function Actions({ execution }: { execution: ExecutionDetails }) {
  const [asked, setAsked] = useState<'stop' | 'again'>();
  const { executionArn, stateMachineArn, status } = execution;
  const redrive = async () => {
    try {
      await redriveExecution(executionArn);
      notify('success', 'Redriven', 'It goes on from where it failed.');
    } catch (error) {
      notifyError('It was not redriven', error);
    }
    invalidate('states/');
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {status === 'RUNNING' && <Button onClick={() => setAsked('stop')}>Stop</Button>}
      {execution.redriveStatus === 'REDRIVABLE' && <Button onClick={() => void redrive()}>Redrive</Button>}
      <Button onClick={() => setAsked('again')}>New execution</Button>
      {asked === 'again' && (
        <StartExecution machine={{ name: shortName(stateMachineArn), stateMachineArn, type: 'STANDARD' }} input={execution.input} onClose={() => setAsked(undefined)} />
      )}
      {asked === 'stop' && (
        <ConfirmDelete
          what="this execution"
          verb="Stop"
          onClose={() => setAsked(undefined)}
          onConfirm={async () => {
            await stopExecution(executionArn, 'Stopped in the console');
            invalidate('states/');
          }}
        >
          It ends as aborted. Jobs and queries that it waits for are ended with it; what they have written stays.
        </ConfirmDelete>
      )}
    </SpaceBetween>
  );
}
