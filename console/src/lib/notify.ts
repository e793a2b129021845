/** Messages at the top of the page: what was done, what failed. */
import { useSyncExternalStore } from 'react';

import { advice, asAwsError, isAbort } from '../aws/error';

export interface Note {
  id: number;
  type: 'success' | 'error' | 'info' | 'warning' | 'in-progress';
  header: string;
  content?: string | undefined;
}

/** How long what went well is said. */
const SHOWN_MS = 6_000;
/** How many messages of what did not are kept. */
const MOST = 5;

const isPassing = ({ type }: Pick<Note, 'type'>) => type === 'success' || type === 'info';

let notes: readonly Note[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Note[]): void {
  notes = next;
  listeners.forEach((listener) => listener());
}

export function dismiss(id: number): void {
  set(notes.filter((note) => note.id !== id));
}

/** Says something; answers the id by which it can be taken back. */
export function notify(type: Note['type'], header: string, content?: string): number {
  last += 1;
  const id = last;
  // Of what went well only the latest is said.
  const kept = isPassing({ type }) ? notes.filter((note) => !isPassing(note)) : notes;
  set([{ id, type, header, content }, ...kept].slice(0, MOST));
  if (isPassing({ type })) setTimeout(() => dismiss(id), SHOWN_MS);
  return id;
}

/** Says what failed and why. What was given up failed nobody. */
export function notifyError(what: string, error: unknown): void {
  if (isAbort(error)) return;
  const known = asAwsError(error);
  const said = [`${known.code}: ${known.message}`, advice(known)].filter(Boolean).join(' — ');
  notify('error', what, said);
}

export function useNotes(): readonly Note[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notes,
  );
}
