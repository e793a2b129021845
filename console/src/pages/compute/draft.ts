/** What somebody has changed in a function's code and not deployed yet. It outlives the page, until the browser's tab goes. */
import { useSyncExternalStore } from 'react';

import { type Packed, pack, writeArchive } from './archive';

export interface Draft {
  /** Texts of files that are changed or new. */
  changed: ReadonlyMap<string, string>;
  removed: ReadonlySet<string>;
}

export const NO_DRAFT: Draft = { changed: new Map(), removed: new Set() };

export const isDirty = ({ changed, removed }: Draft) => changed.size > 0 || removed.size > 0;

/** A file's text is now this; `before` is what it was in the archive, none of a new file. */
export function edited(draft: Draft, path: string, text: string, before: string | undefined): Draft {
  const changed = new Map(draft.changed);
  const removed = new Set(draft.removed);
  removed.delete(path);
  if (text === before) changed.delete(path);
  else changed.set(path, text);
  return { changed, removed };
}

export function without(draft: Draft, path: string, isPacked: boolean): Draft {
  const changed = new Map(draft.changed);
  changed.delete(path);
  return { changed, removed: isPacked ? new Set([...draft.removed, path]) : draft.removed };
}

/** The paths of all files as they would be deployed, in order. */
export function pathsOf(files: readonly Packed[], { changed, removed }: Draft): string[] {
  const paths = new Set([...files.map(({ path }) => path), ...changed.keys()]);
  removed.forEach((path) => paths.delete(path));
  return [...paths].sort();
}

/** The archive to deploy. */
export async function archiveOf(files: readonly Packed[], draft: Draft): Promise<Uint8Array<ArrayBuffer>> {
  const known = new Map(files.map((file) => [file.path, file]));
  const text = new TextEncoder();
  const next = pathsOf(files, draft).map(async (path) => {
    const [content, before] = [draft.changed.get(path), known.get(path)];
    return content === undefined ? (before as Packed) : pack(path, text.encode(content), before);
  });
  return writeArchive(await Promise.all(next));
}

/** What is wrong with a new file's path; nothing if it can be one. */
export function wrongPath(path: string, paths: readonly string[]): string | undefined {
  if (!/^[^/\0\\]+(\/[^/\0\\]+)*$/.test(path) || path.split('/').some((part) => part === '.' || part === '..')) return 'A path such as lib/helper.py';
  return paths.includes(path) ? 'There is one already' : undefined;
}

const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();

export function setDraft(name: string, draft: Draft): void {
  if (isDirty(draft)) drafts.set(name, draft);
  else drafts.delete(name);
  listeners.forEach((listener) => listener());
}

export function draftOf(name: string): Draft {
  return drafts.get(name) ?? NO_DRAFT;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useDraft = (name: string) => useSyncExternalStore(subscribe, () => draftOf(name));

/** The browser asks before its tab goes with something that is not deployed. */
addEventListener('beforeunload', (event) => {
  if (drafts.size > 0) event.preventDefault();
});
