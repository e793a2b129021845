/** A visual job's nodes with what a run has read and written there. */
import { useMemo } from 'react';

import { type JobRun, getJob } from '../../aws/glue';
import { Graph } from '../../lib/graph';
import { jobHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { navigate } from '../../lib/router';
import { LogReader } from './log-reader';
import { factsOf, paintRun } from './run-facts';
import { hasEnded } from './runs';
import { drawNodes, visualNodes } from './visual';

export function RunGraph({ run }: { run: JobRun }) {
  const job = useLive(`glue/job/${run.JobName}`, () => getJob(run.JobName));
  const drawing = useMemo(() => drawNodes(visualNodes(job.data?.CodeGenConfigurationNodes)), [job.data]);
  const group = `${run.LogGroupName ?? '/aws-glue/jobs'}/output`;
  const reader = useMemo(() => new LogReader(group, run.Id), [group, run.Id]);
  // The state is part of the key, so that what comes last is read when the run has ended.
  const lines = useLive(`logs/facts/${group}/${run.Id}/${run.JobRunState}`, () => reader.more(), hasEnded(run) ? {} : { every: 1_500 });
  const facts = useMemo(() => factsOf((lines.data ?? []).map(({ message }) => message)), [lines.data]);
  const { nodes, edges } = paintRun(drawing, facts, run);
  if (nodes.length === 0) return null;
  return <Graph label="Nodes of the run" nodes={nodes} edges={edges} onSelect={(node) => node && navigate(`${jobHref(run.JobName)}?node=${encodeURIComponent(node)}`)} />;
}
