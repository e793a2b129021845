/** What kind of job it is, and what it is given. */
import type { Job } from '../../aws/glue';
import { jsonProblems } from '../../lib/json';

export const isVisual = (job: Job): boolean => job.CodeGenConfigurationNodes !== undefined;

/** Whether a Python script is what it runs. */
export const isScript = (job: Job): boolean => !isVisual(job) && job.Command?.Name === 'pythonshell';

export const kindOf = (job: Job): string => (isVisual(job) ? 'Visual' : isScript(job) ? 'Python shell' : (job.Command?.Name ?? '–'));

/** Arguments are names and texts; nothing while the text is anything else. */
export function readArguments(text: string): Record<string, string> | undefined {
  if (jsonProblems(text).length > 0) return undefined;
  const found: unknown = JSON.parse(text);
  const fits = typeof found === 'object' && found !== null && !Array.isArray(found) && Object.values(found).every((value) => typeof value === 'string');
  return fits ? (found as Record<string, string>) : undefined;
}

export interface Place {
  bucket: string;
  key: string;
}

/** Bucket and key of `s3://bucket/key`. */
export function placeOf(location: string | undefined): Place | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location ?? '') ?? [];
  return bucket && key ? { bucket, key } : undefined;
}
