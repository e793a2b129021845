/** All Glue jobs, and how the last run of each went. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';

import { type Job, getJobRuns, getJobs } from '../../aws/glue';
import { Frame } from '../../lib/frame';
import { jobHref, jobRunHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { Status, stateText } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { JobForm } from './JobForm';
import { kindOf } from './jobs';
import { StartRun } from './StartRun';

export default function Jobs() {
  const jobs = useLive('glue/jobs', () => getJobs(), { every: 10_000 });
  const [starting, setStarting] = useState<Job>();
  const [creating, setCreating] = useState(false);
  return (
    <Frame
      title="Glue jobs"
      counter={jobs.data?.length}
      description="Jobs that read, transform and write data: drawn as nodes, or written as Python scripts."
      actions={
        <Button variant="primary" onClick={() => setCreating(true)}>
          Create script job
        </Button>
      }
    >
      <DataTable<Job>
        label="Glue jobs"
        title={false}
        live={jobs}
        sort={{ column: 'name' }}
        rowKey={({ Name }) => Name}
        columns={[
          { id: 'name', header: 'Name', value: ({ Name }) => Name, cell: ({ Name }) => <Link href={jobHref(Name)}>{Name}</Link> },
          { id: 'kind', header: 'Kind', width: 130, value: kindOf, cell: kindOf },
          { id: 'last', header: 'Last run', width: 160, cell: (job) => <Last job={job} /> },
          { id: 'when', header: 'Started', width: 140, cell: (job) => <When job={job} /> },
          { id: 'changed', header: 'Last changed', width: 190, value: ({ LastModifiedOn }) => LastModifiedOn, cell: ({ LastModifiedOn }) => <Time at={LastModifiedOn} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 100,
            cell: (job) => (
              <Button variant="inline-link" onClick={() => setStarting(job)} ariaLabel={`Run ${job.Name}`}>
                Run
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No Glue jobs yet" action={<Button onClick={() => setCreating(true)}>Create the first script job</Button>}>
            A Python shell job runs a script. Visual jobs, made of nodes, come from stacks and from CreateJob.
          </Empty>
        }
      />
      {starting && <StartRun job={starting} onClose={() => setStarting(undefined)} />}
      {creating && <JobForm onClose={() => setCreating(false)} />}
    </Frame>
  );
}

/** Read for the rows in sight only. */
const useLast = ({ Name }: Job) => useLive(`glue/last/${Name}`, () => getJobRuns(Name, 1), { every: 5_000 }).data?.[0];

function Last({ job }: { job: Job }) {
  const last = useLast(job);
  if (!last) return <span>–</span>;
  return (
    <Link href={jobRunHref(job.Name, last.Id)} ariaLabel={`${stateText(last.JobRunState)}: last run of ${job.Name}`}>
      <Status state={last.JobRunState} />
    </Link>
  );
}

function When({ job }: { job: Job }) {
  return <Time at={useLast(job)?.StartedOn} relative />;
}
