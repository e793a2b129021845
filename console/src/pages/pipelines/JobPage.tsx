/** A Glue job: its runs, its nodes, what it is. */
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type Job, type JobRun, getJob, getJobRuns } from '../../aws/glue';
import type { PageProps } from '../../lib/area';
import { JsonView } from '../../lib/editor';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { duration } from '../../lib/format';
import { arnHref, jobRunHref, objectHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { useParam } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { ArnLink } from './ArnLink';
import { JobGraph } from './JobGraph';
import { kindOf } from './Jobs';
import { hasEnded, runMs } from './runs';
import { StartRun } from './StartRun';
import './pipelines.css';

/** Runs that are listed. */
const MOST = 1000;

export default function JobPage({ params }: PageProps) {
  const name = params.name ?? '';
  const job = useLive(`glue/job/${name}`, () => getJob(name), { every: 15_000 });
  const [starting, setStarting] = useState(false);
  return (
    <Frame
      title={name}
      description={job.data?.Description}
      info={job.data && <Badge>{kindOf(job.data)}</Badge>}
      actions={
        <Button variant="primary" disabled={!job.data} onClick={() => setStarting(true)}>
          Run
        </Button>
      }
    >
      <Shown live={job} what="The job can't be read">
        {(found) => <Body job={found} onStart={() => setStarting(true)} />}
      </Shown>
      {job.data && starting && <StartRun job={job.data} onClose={() => setStarting(false)} />}
    </Frame>
  );
}

function Body({ job, onStart }: { job: Job; onStart: () => void }) {
  const visual = job.CodeGenConfigurationNodes !== undefined;
  const [tab, setTab] = useParam('tab', visual ? 'nodes' : 'runs');
  return (
    <Tabs
      activeTabId={tab}
      onChange={({ detail }) => setTab(detail.activeTabId)}
      ariaLabel="Job"
      tabs={[
        ...(visual ? [{ id: 'nodes', label: 'Nodes', content: tab === 'nodes' && <JobGraph job={job} /> }] : []),
        { id: 'runs', label: 'Runs', content: tab === 'runs' && <Runs job={job} onStart={onStart} /> },
        { id: 'details', label: 'Details', content: tab === 'details' && <Details job={job} /> },
      ]}
    />
  );
}

function Runs({ job, onStart }: { job: Job; onStart: () => void }) {
  const runs = useLive(`glue/runs/${job.Name}`, () => getJobRuns(job.Name, MOST), { every: (found) => (found?.every(hasEnded) ? 5_000 : 1_500) });
  return (
    <DataTable<JobRun>
      label="Runs"
      live={runs}
      rowKey={({ Id }) => Id}
      columns={[
        { id: 'id', header: 'Run', value: ({ Id }) => Id, cell: ({ Id }) => <Link href={jobRunHref(job.Name, Id)}>{Id}</Link> },
        { id: 'state', header: 'State', width: 140, value: ({ JobRunState }) => JobRunState, cell: ({ JobRunState }) => <Status state={JobRunState} /> },
        { id: 'started', header: 'Started', width: 185, value: ({ StartedOn }) => StartedOn, cell: ({ StartedOn }) => <Time at={StartedOn} /> },
        { id: 'duration', header: 'Duration', width: 110, align: 'right', value: runMs, cell: (run) => duration(runMs(run)) },
        { id: 'error', header: 'Error', value: ({ ErrorMessage }) => ErrorMessage, cell: ({ ErrorMessage }) => <span title={ErrorMessage}>{ErrorMessage ?? '–'}</span> },
      ]}
      empty={<Empty title="Not run yet" action={<Button onClick={onStart}>Run</Button>}>State machines, schedules and StartJobRun run it too.</Empty>}
    />
  );
}

function Details({ job }: { job: Job }) {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(job.Command?.ScriptLocation ?? '') ?? [];
  return (
    <SpaceBetween size="l">
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'Role', value: arnHref(job.Role) ? <ArnLink arn={job.Role} /> : job.Role },
          { label: 'Script', value: bucket && kindOf(job) !== 'Visual' ? <Link href={objectHref(bucket, key)}>{job.Command?.ScriptLocation}</Link> : '–' },
          { label: 'Glue version', value: job.GlueVersion ?? '–' },
          { label: 'Retries', value: job.MaxRetries ?? 0 },
          { label: 'Timeout', value: job.Timeout === undefined ? '–' : `${job.Timeout} min` },
          { label: 'Created', value: <Time at={job.CreatedOn} /> },
        ]}
      />
      <JsonView label="Default arguments" value={job.DefaultArguments ?? {}} />
    </SpaceBetween>
  );
}
