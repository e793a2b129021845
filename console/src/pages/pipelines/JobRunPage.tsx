/** A run of a Glue job: how it goes, its arguments, its logs. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useMemo, useState } from 'react';

import { type JobRun, getJobRun, stopJobRun } from '../../aws/glue';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { JsonView } from '../../lib/editor';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { count, duration } from '../../lib/format';
import { jobHref, logGroupHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { LogView } from '../../lib/log-view';
import { useParam } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { Time } from '../../lib/time';
import { Cause } from './Cause';
import { RunGraph } from './RunGraph';
import { hasEnded, runMs } from './runs';
import './pipelines.css';

export default function JobRunPage({ params }: PageProps) {
  const { name = '', run: id = '' } = params;
  const run = useLive(`glue/run/${name}/${id}`, () => getJobRun(name, id), { every: (found) => (found && hasEnded(found) ? undefined : 1_000) });
  const [stopping, setStopping] = useState(false);
  const found = run.data;
  return (
    <Frame title={`Run of ${name}`} description={id} info={found && <Status state={found.JobRunState} />} actions={found && !hasEnded(found) && <Button onClick={() => setStopping(true)}>Stop</Button>}>
      <Shown live={run} what="The run can't be read">
        {(one) => <Body run={one} />}
      </Shown>
      {stopping && (
        <ConfirmDelete
          what="this run"
          verb="Stop"
          onClose={() => setStopping(false)}
          onConfirm={async () => {
            await stopJobRun(name, id);
            invalidate('glue/');
          }}
        >
          What it has written so far stays.
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Body({ run }: { run: JobRun }) {
  return (
    <SpaceBetween size="l">
      {run.ErrorMessage && <Cause error="The run failed" cause={run.ErrorMessage} />}
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Job', value: <Link href={jobHref(run.JobName)}>{run.JobName}</Link> },
          { label: 'Started', value: <Time at={run.StartedOn} /> },
          { label: 'Ended', value: <Time at={run.CompletedOn} /> },
          { label: 'Duration', value: `${duration(runMs(run))}${run.Attempt ? `, attempt ${run.Attempt + 1}` : ''}` },
          { label: 'Execution time', value: run.ExecutionTime === undefined ? '–' : `${count(run.ExecutionTime)} s` },
          { label: 'Timeout', value: run.Timeout === undefined ? '–' : duration(run.Timeout * 60_000) },
          { label: 'Capacity', value: capacityOf(run) },
          { label: 'Started by', value: run.TriggerName ?? 'A call of StartJobRun' },
        ]}
      />
      <RunGraph run={run} />
      <Container header={<Header variant="h2">Arguments</Header>}>
        <JsonView label="Arguments of the run" value={run.Arguments ?? {}} />
      </Container>
      {run.LogGroupName && <Logs base={run.LogGroupName} run={run} />}
    </SpaceBetween>
  );
}

function capacityOf({ WorkerType: type, NumberOfWorkers: workers, MaxCapacity: capacity }: JobRun): string {
  if (type) return `${workers ?? 1} × ${type}`;
  return capacity === undefined ? "The machine's" : `${capacity} DPU`;
}

/** A run writes into two groups, under a stream of its id in each. */
function Logs({ base, run }: { base: string; run: JobRun }) {
  const [tab, setTab] = useParam('log', 'output');
  return (
    <Tabs
      ariaLabel="Logs"
      activeTabId={tab}
      onChange={({ detail }) => setTab(detail.activeTabId)}
      tabs={['output', 'error'].map((id) => ({
        id,
        label: id === 'output' ? 'Output log' : 'Error log',
        content: tab === id && <Log key={id} group={`${base}/${id}`} run={run} />,
      }))}
    />
  );
}

function Log({ group, run }: { group: string; run: JobRun }) {
  const ended = hasEnded(run);
  const streams = useMemo(() => [run.Id], [run.Id]);
  return (
    <SpaceBetween size="xs">
      <Link href={logGroupHref(group, { stream: run.Id })}>{group}</Link>
      <LogView
        // What comes last is read when the run has ended.
        key={String(ended)}
        group={group}
        streams={streams}
        range="all"
        tail={!ended}
        height={420}
        empty={<Empty title="Nothing was written">{ended ? 'The run has said nothing here.' : 'Lines show up here while it runs.'}</Empty>}
      />
    </SpaceBetween>
  );
}
