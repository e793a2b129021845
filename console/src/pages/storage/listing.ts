/** A folder of a bucket, page by page, as far as somebody has scrolled. */
import { useCallback, useEffect, useRef, useState } from 'react';

import { type AwsError, asAwsError, isAbort } from '../../aws/error';
import { type S3Object, listObjects } from '../../aws/s3';
import { onUploaded } from './uploads';

/** A row: a folder (whatever ends with a slash and has keys below it) or an object. */
export interface Entry {
  key: string;
  folder: boolean;
  object?: S3Object;
}

export interface Folder {
  entries: readonly Entry[] | undefined;
  error: AwsError | undefined;
  /** Whether there are keys beyond. */
  hasMore: boolean;
  busy: boolean;
  more: () => void;
  reload: () => void;
}

interface State {
  entries: Entry[];
  next: string | undefined;
}

/** Arrivals are listed together, at most this often. */
const CALM_MS = 700;

export function useFolder(bucket: string, prefix: string, find: string): Folder {
  const [state, setState] = useState<State>();
  const [error, setError] = useState<AwsError>();
  const [busy, setBusy] = useState(false);
  const stop = useRef<AbortController>(undefined);
  const size = useRef(0);

  /** Reads from a token on until at least so many entries are there. */
  const read = useCallback(
    async (from: State | undefined, wanted: number) => {
      stop.current?.abort();
      const mine = new AbortController();
      stop.current = mine;
      setBusy(true);
      setError(undefined);
      try {
        const entries = from ? [...from.entries] : [];
        let token = from?.next;
        do {
          const page = await listObjects(bucket, { prefix: prefix + find, delimiter: '/', token, signal: mine.signal });
          entries.push(...page.prefixes.map((key): Entry => ({ key, folder: true })));
          // A folder's own marker is the folder, not something in it.
          for (const object of page.objects) if (object.key !== prefix) entries.push({ key: object.key, folder: false, object });
          token = page.next;
        } while (token && entries.length < wanted);
        size.current = entries.length;
        setState({ entries, next: token });
      } catch (failed) {
        if (!isAbort(failed)) setError(asAwsError(failed));
      } finally {
        if (stop.current === mine) setBusy(false);
      }
    },
    [bucket, prefix, find],
  );

  useEffect(() => {
    setState(undefined);
    size.current = 0;
    void read(undefined, 1);
    return () => stop.current?.abort();
  }, [read]);

  const reload = useCallback(() => void read(undefined, size.current), [read]);
  const more = useCallback(() => {
    if (state?.next && !busy) void read(state, state.entries.length + 1);
  }, [state, busy, read]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = onUploaded((where) => {
      if (where !== bucket || timer) return;
      timer = setTimeout(() => {
        timer = undefined;
        reload();
      }, CALM_MS);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [bucket, reload]);

  return { entries: state?.entries, error, hasMore: state?.next !== undefined, busy, more, reload };
}
