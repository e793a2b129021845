/** Deleting a lot: everything below prefixes, a bucket's every version. A thousand with each call, with progress. */
import { AwsError } from '../../aws/error';
import { deleteObjects, listObjects } from '../../aws/s3';
import { abortUpload, listUploads, listVersions } from '../../aws/s3-objects';

export interface Progress {
  signal: AbortSignal;
  /** How many are deleted so far. */
  onProgress: (deleted: number) => void;
}

const BATCH = 1000;

interface Doomed {
  key: string;
  versionId?: string;
}

async function removeBatch(bucket: string, batch: readonly Doomed[]): Promise<void> {
  const failed = await deleteObjects(bucket, batch);
  const [first] = failed;
  if (!first) return;
  const others = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
  throw new AwsError(first.code, `${first.key}${others}: ${first.message}`, 403);
}

/** Deletes the keys given, and whatever lies below the prefixes. In a bucket with versions that adds delete markers. */
export async function removeKeys(bucket: string, keys: readonly string[], prefixes: readonly string[], progress: Progress): Promise<number> {
  let deleted = 0;
  const remove = async (batch: readonly Doomed[]) => {
    progress.signal.throwIfAborted();
    await removeBatch(bucket, batch);
    deleted += batch.length;
    progress.onProgress(deleted);
  };
  for (let at = 0; at < keys.length; at += BATCH) await remove(keys.slice(at, at + BATCH).map((key) => ({ key })));
  for (const prefix of prefixes) {
    let token: string | undefined;
    do {
      const page = await listObjects(bucket, { prefix, token, signal: progress.signal });
      if (page.objects.length > 0) await remove(page.objects.map(({ key }) => ({ key })));
      token = page.next;
    } while (token);
  }
  return deleted;
}

/** Deletes every version of every object, and gives up what was never completed. */
export async function emptyBucket(bucket: string, progress: Progress): Promise<number> {
  let deleted = 0;
  for (const { key, uploadId } of await listUploads(bucket, { signal: progress.signal })) await abortUpload(bucket, key, uploadId);
  for (;;) {
    // From the beginning each time: what was listed is gone.
    const { versions } = await listVersions(bucket, { signal: progress.signal });
    if (versions.length === 0) return deleted;
    progress.signal.throwIfAborted();
    await removeBatch(bucket, versions.map(({ key, versionId }) => ({ key, versionId })));
    deleted += versions.length;
    progress.onProgress(deleted);
  }
}
