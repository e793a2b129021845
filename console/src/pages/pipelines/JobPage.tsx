/** A Glue job: its runs, its nodes, what it is. */
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type Job, type JobRun, deleteJob, getBookmark, getJob, getJobRuns, resetBookmark } from '../../aws/glue';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { JsonView } from '../../lib/editor';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { duration } from '../../lib/format';
import { arnHref, jobRunHref, objectHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to, useParam } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { ArnLink } from './ArnLink';
import { JobGraph } from './JobGraph';
import { JobForm } from './JobForm';
import { isScript, isVisual, kindOf, placeOf } from './jobs';
import { RunMetrics } from './RunMetrics';
import { hasEnded, runMs } from './runs';
import { Script } from './Script';
import { StartRun } from './StartRun';
import './pipelines.css';

/** Runs that are listed. */
const MOST = 1000;

export default function JobPage({ params }: PageProps) {
  const name = params.name ?? '';
  const job = useLive(`glue/job/${name}`, () => getJob(name), { every: 15_000 });
  const [asked, setAsked] = useState<'start' | 'edit' | 'delete'>();
  const close = () => setAsked(undefined);
  return (
    <Frame
      title={name}
      description={job.data?.Description}
      info={job.data && <Badge>{kindOf(job.data)}</Badge>}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={!job.data} onClick={() => setAsked('delete')}>
            Delete
          </Button>
          <Button disabled={!job.data} onClick={() => setAsked('edit')}>
            Edit
          </Button>
          <Button variant="primary" disabled={!job.data} onClick={() => setAsked('start')}>
            Run
          </Button>
        </SpaceBetween>
      }
    >
      <Shown live={job} what="The job can't be read">
        {(found) => <Body job={found} onStart={() => setAsked('start')} />}
      </Shown>
      {job.data && asked === 'start' && <StartRun job={job.data} onClose={close} />}
      {job.data && asked === 'edit' && <JobForm job={job.data} onClose={close} />}
      {asked === 'delete' && (
        <ConfirmDelete
          what={`job ${name}`}
          typed={name}
          onClose={close}
          onConfirm={async () => {
            await deleteJob(name);
            notify('success', `${name} is deleted`);
            navigate(to('/pipelines/jobs'));
            invalidate('glue/');
          }}
        >
          Its runs and its bookmark go with it. What it has written stays, and so does its script.
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Body({ job, onStart }: { job: Job; onStart: () => void }) {
  const visual = isVisual(job);
  const [tab, setTab] = useParam('tab', visual ? 'nodes' : 'runs');
  return (
    <Tabs
      activeTabId={tab}
      onChange={({ detail }) => setTab(detail.activeTabId)}
      ariaLabel="Job"
      tabs={[
        ...(visual ? [{ id: 'nodes', label: 'Nodes', content: tab === 'nodes' && <JobGraph job={job} /> }] : []),
        // What somebody is writing is still there when they come back from another tab.
        ...(isScript(job) ? [{ id: 'script', label: 'Script', contentRenderStrategy: 'lazy' as const, content: <Script job={job} /> }] : []),
        { id: 'runs', label: 'Runs', content: tab === 'runs' && <Runs job={job} onStart={onStart} /> },
        { id: 'details', label: 'Details', content: tab === 'details' && <Details job={job} /> },
      ]}
    />
  );
}

function Runs({ job, onStart }: { job: Job; onStart: () => void }) {
  const runs = useLive(`glue/runs/${job.Name}`, () => getJobRuns(job.Name, MOST), { every: (found) => (found?.every(hasEnded) ? 5_000 : 1_500) });
  return (
    <SpaceBetween size="l">
      <RunMetrics runs={runs.data ?? []} />
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
    </SpaceBetween>
  );
}

function Details({ job }: { job: Job }) {
  const script = placeOf(job.Command?.ScriptLocation);
  return (
    <SpaceBetween size="l">
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'Role', value: arnHref(job.Role) ? <ArnLink arn={job.Role} /> : job.Role },
          { label: 'Script', value: script && !isVisual(job) ? <Link href={objectHref(script.bucket, script.key)}>{job.Command?.ScriptLocation}</Link> : '–' },
          { label: 'Glue version', value: job.GlueVersion ?? '–' },
          { label: 'Retries', value: job.MaxRetries ?? 0 },
          { label: 'Timeout', value: job.Timeout === undefined ? '–' : `${job.Timeout} min` },
          { label: 'Runs at once', value: job.ExecutionProperty?.MaxConcurrentRuns ?? 1 },
          { label: 'Created', value: <Time at={job.CreatedOn} /> },
          { label: 'Bookmark', value: <BookmarkOf job={job} /> },
        ]}
      />
      <JsonView label="Default arguments" value={job.DefaultArguments ?? {}} />
    </SpaceBetween>
  );
}

/** What runs remember of what earlier ones have read. */
function BookmarkOf({ job }: { job: Job }) {
  const bookmark = useLive(`glue/bookmark/${job.Name}`, () => getBookmark(job.Name));
  const [asked, setAsked] = useState(false);
  if (bookmark.error) return <span>{bookmark.error.message}</span>;
  if (!bookmark.data?.RunId) return <span>Nothing is remembered</span>;
  return (
    <>
      After run <Link href={jobRunHref(job.Name, bookmark.data.RunId)}>{bookmark.data.Run ?? 1}</Link>{' '}
      <Button variant="inline-link" onClick={() => setAsked(true)}>
        Reset bookmark
      </Button>
      {asked && (
        <ConfirmDelete
          what={`bookmark of ${job.Name}`}
          verb="Reset"
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await resetBookmark(job.Name);
            notify('success', 'The bookmark is reset', 'The next run reads everything again.');
            invalidate('glue/bookmark');
          }}
        >
          The next run reads everything again, and writes it again.
        </ConfirmDelete>
      )}
    </>
  );
}
