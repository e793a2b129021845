/** Runs of Glue jobs. */
import type { JobRun, JobRunState } from '../../aws/glue';
import { platformNow } from '../../aws/session';

const ENDED: ReadonlySet<JobRunState> = new Set(['STOPPED', 'SUCCEEDED', 'FAILED', 'TIMEOUT', 'ERROR']);

export const hasEnded = ({ JobRunState }: JobRun): boolean => ENDED.has(JobRunState);

export function runMs({ StartedOn, CompletedOn }: JobRun): number | undefined {
  return StartedOn === undefined ? undefined : Math.max(0, (CompletedOn ?? platformNow() / 1000) - StartedOn) * 1000;
}
