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
import { duration } from '../../lib/format';
import { jobHref, logGroupHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { useParam } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { Time } from '../../lib/time';
import { Cause } from './Cause';
import { LogReader } from './log-reader';
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
        ]}
      />
      <Container header={<Header variant="h2">Arguments</Header>}>
        <JsonView label="Arguments of the run" value={run.Arguments ?? {}} />
      </Container>
      {run.LogGroupName && <Logs base={run.LogGroupName} run={run} />}
    </SpaceBetween>
  );
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
  const reader = useMemo(() => new LogReader(group, run.Id), [group, run.Id]);
  // The state is part of the key, so that what comes last is read when the run has ended.
  const live = useLive(`logs/run/${group}/${run.Id}/${run.JobRunState}`, () => reader.more(), hasEnded(run) ? {} : { every: 1_500 });
  return (
    <SpaceBetween size="xs">
      <Link href={logGroupHref(group, { stream: run.Id })}>{group}</Link>
      <Shown live={live} what="The log can't be read">
        {(lines) =>
          lines.length === 0 ? (
            <Empty title="Nothing was written">{hasEnded(run) ? 'The run has said nothing here.' : 'Lines show up here while it runs.'}</Empty>
          ) : (
            <pre className="bh-log" tabIndex={0} aria-label="Log">
              {lines.map(({ timestamp, message }, at) => (
                <div key={at}>
                  <Time at={new Date(timestamp)} />
                  {message}
                </div>
              ))}
            </pre>
          )
        }
      </Shown>
    </SpaceBetween>
  );
}
