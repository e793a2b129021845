/**
 * Uploads: several at once, large files in parts, each with its progress, cancelled at will. They go on while people look at
 * other pages, and what is given up leaves no parts behind.
 */
import { useSyncExternalStore } from 'react';

import { type AwsError, asAwsError, isAbort } from '../../aws/error';
import { s3Call } from '../../aws/call';
import { abortUpload, beginUpload, completeUpload, uploadPart } from '../../aws/s3-objects';
import { contentType } from './types';

export type UploadState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface UploadItem {
  id: number;
  bucket: string;
  key: string;
  size: number;
  sent: number;
  state: UploadState;
  error: AwsError | undefined;
}

export interface Picked {
  /** Below the folder that it is put into. */
  path: string;
  file: File;
}

/** S3 takes parts of 5 MiB and more, and ten thousand of them. */
const PART = 8 * 1024 * 1024;
const MOST_PARTS = 10_000;
/** What a browser sends to one server at the same time is six; the rest of the page needs some. */
const AT_ONCE = 4;

interface Job {
  item: UploadItem;
  file: File;
  stop: AbortController;
}

let items: readonly UploadItem[] = [];
const jobs = new Map<number, Job>();
const listeners = new Set<() => void>();
const watchers = new Set<(bucket: string) => void>();
let last = 0;

function set(next: readonly UploadItem[]): void {
  items = next;
  listeners.forEach((listener) => listener());
}

/** Changes of a moment are shown together: thousands of small files are thousands of changes. */
let due = false;
function change(job: Job, what: Partial<UploadItem>): void {
  job.item = { ...job.item, ...what };
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    set(items.map((item) => jobs.get(item.id)?.item ?? item));
  }, 60);
}

export const isActive = ({ state }: UploadItem) => state === 'waiting' || state === 'running';

/** The size of a file's parts, so that there are not too many of them. */
export function partSize(size: number): number {
  return Math.max(PART, Math.ceil(size / MOST_PARTS / PART) * PART);
}

/** Puts files below a prefix. */
export function upload(bucket: string, prefix: string, picked: readonly Picked[]): void {
  const added = picked.map(({ path, file }) => {
    last += 1;
    const item: UploadItem = { id: last, bucket, key: prefix + path, size: file.size, sent: 0, state: 'waiting', error: undefined };
    jobs.set(item.id, { item, file, stop: new AbortController() });
    return item;
  });
  set([...items, ...added]);
  addEventListener('beforeunload', warn);
  pump();
}

function warn(event: BeforeUnloadEvent): void {
  if (items.some(isActive)) event.preventDefault();
}

let running = 0;

function pump(): void {
  for (const job of jobs.values()) {
    if (running >= AT_ONCE) return;
    if (job.item.state !== 'waiting') continue;
    running += 1;
    change(job, { state: 'running' });
    void carry(job).finally(() => {
      running -= 1;
      pump();
    });
  }
  if (running === 0) removeEventListener('beforeunload', warn);
}

async function carry(job: Job): Promise<void> {
  try {
    if (job.file.size <= PART) await whole(job);
    else await inParts(job);
    change(job, { state: 'done', sent: job.file.size });
    watchers.forEach((watcher) => watcher(job.item.bucket));
  } catch (error) {
    if (isAbort(error)) change(job, { state: 'cancelled' });
    else change(job, { state: 'failed', error: asAwsError(error) });
  }
}

async function whole({ item, file, stop }: Job): Promise<void> {
  const headers = { 'content-type': contentType(item.key, file.type) };
  await s3Call('PUT', item.bucket, item.key, { headers, body: file, signal: stop.signal });
}

async function inParts(job: Job): Promise<void> {
  const { item, file, stop } = job;
  const { bucket, key } = item;
  const uploadId = await beginUpload(bucket, key, contentType(key, file.type), { signal: stop.signal });
  try {
    const size = partSize(file.size);
    const etags: string[] = [];
    for (let at = 0; at < file.size; at += size) {
      const body = file.slice(at, at + size);
      etags.push(await uploadPart(bucket, key, { uploadId, number: etags.length + 1, body }, { signal: stop.signal }));
      change(job, { sent: at + body.size });
    }
    await completeUpload(bucket, key, uploadId, etags);
  } catch (error) {
    // Parts that nobody completes would stay for ever. What can't be removed now is listed in the bucket's management.
    await abortUpload(bucket, key, uploadId).catch(() => undefined);
    throw error;
  }
}

/** Gives uploads up; without ids, all that are not over. */
export function cancel(ids: readonly number[] = items.filter(isActive).map(({ id }) => id)): void {
  for (const id of ids) {
    const job = jobs.get(id);
    if (!job) continue;
    if (job.item.state === 'waiting') change(job, { state: 'cancelled' });
    job.stop.abort();
  }
}

export function retry(id: number): void {
  const job = jobs.get(id);
  if (!job || isActive(job.item)) return;
  job.stop = new AbortController();
  change(job, { state: 'waiting', sent: 0, error: undefined });
  pump();
}

/** Takes those that are over from the list. */
export function clear(): void {
  const kept = items.filter((item) => isActive(jobs.get(item.id)?.item ?? item));
  const ids = new Set(kept.map(({ id }) => id));
  for (const id of jobs.keys()) if (!ids.has(id)) jobs.delete(id);
  set(kept);
}

/** Tells when an object has arrived in a bucket. */
export function onUploaded(watcher: (bucket: string) => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useUploads(): readonly UploadItem[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => items,
  );
}
