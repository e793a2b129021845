/**
 * The rows of a result, as they come in: the first page by GetQueryResults, which knows the columns' types, and what follows
 * as one stream from the object in S3. It is read as far as somebody looks.
 */
import { useEffect, useSyncExternalStore } from 'react';

import { type ColumnInfo, type QueryExecution, getResults } from '../../aws/athena';
import { type AwsError, asAwsError, isAbort } from '../../aws/error';
import { onSession } from '../../aws/session';
import { getObject } from '../../aws/s3';
import { CsvReader, type Row } from './csv';

/** Rows that are read without being asked for, and each time somebody comes near the end. */
export const AT_ONCE = 20_000;

export interface ResultState {
  columns: readonly ColumnInfo[];
  /** Grows in place; `version` tells when. */
  rows: Row[];
  version: number;
  complete: boolean;
  reading: boolean;
  error: AwsError | undefined;
}

/** A bucket and a key out of `s3://bucket/key`. */
export function s3Place(location: string | undefined): { bucket: string; key: string } | undefined {
  const found = /^s3:\/\/([^/]+)\/(.+)$/.exec(location ?? '');
  return found ? { bucket: found[1] ?? '', key: found[2] ?? '' } : undefined;
}

interface Page {
  rows: readonly Row[];
  /** Whether nothing follows. */
  last: boolean;
}

type Pages = AsyncGenerator<Page, void>;

export class Result {
  private state: ResultState = { columns: [], rows: [], version: 0, complete: false, reading: false, error: undefined };
  private readonly listeners = new Set<() => void>();
  private readonly given = new AbortController();
  private pages: Pages | undefined;
  private wanted = 0;

  constructor(private readonly execution: QueryExecution) {}

  snapshot = (): ResultState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Reads until there are so many rows; all of them for infinity. */
  async read(upTo: number): Promise<void> {
    this.wanted = Math.max(this.wanted, upTo);
    if (this.state.reading || this.state.complete) return;
    this.set({ reading: true, error: undefined });
    try {
      this.pages ??= this.open();
      while (this.state.rows.length < this.wanted) {
        const { value } = await this.pages.next();
        for (const row of value?.rows ?? []) this.state.rows.push(row);
        this.set({ version: this.state.version + 1 });
        if (!value || value.last) {
          this.set({ complete: true });
          break;
        }
      }
    } catch (error) {
      this.pages = undefined;
      if (!isAbort(error)) this.set({ error: asAwsError(error), rows: [], version: this.state.version + 1 });
    }
    this.set({ reading: false });
  }

  dispose(): void {
    this.given.abort();
  }

  private set(part: Partial<ResultState>): void {
    this.state = { ...this.state, ...part };
    this.listeners.forEach((listener) => listener());
  }

  private async *open(): Pages {
    const { signal } = this.given;
    const id = this.execution.QueryExecutionId;
    const first = await getResults(id, undefined, { signal });
    this.set({ columns: first.columns });
    yield { rows: first.rows, last: !first.next };
    if (!first.next) return;
    const place = s3Place(this.execution.ResultConfiguration?.OutputLocation);
    const object = place?.key.endsWith('.csv') ? await this.object(place) : undefined;
    yield* object ? streamed(object, first.rows.length + 1) : this.paged(first.next);
  }

  /** Whoever may not read the object reads page by page. */
  private async object({ bucket, key }: { bucket: string; key: string }): Promise<ReadableStream<Uint8Array> | undefined> {
    try {
      return (await getObject(bucket, key, { signal: this.given.signal })).body ?? undefined;
    } catch (error) {
      if (isAbort(error)) throw error;
      return undefined;
    }
  }

  private async *paged(token: string): Pages {
    for (let next: string | undefined = token; next; ) {
      const page = await getResults(this.execution.QueryExecutionId, next, { signal: this.given.signal });
      yield { rows: page.rows, last: !page.next };
      next = page.next;
    }
  }
}

/** The rows of an object behind the first `skip`. */
async function* streamed(body: ReadableStream<Uint8Array>, skip: number): Pages {
  const csv = new CsvReader();
  const text = new TextDecoder();
  const reader = body.getReader();
  let left = skip;
  const behind = (rows: readonly Row[]) => {
    const kept = rows.slice(left);
    left = Math.max(0, left - rows.length);
    return kept;
  };
  try {
    let piece = await reader.read();
    while (!piece.done) {
      const rows = behind(csv.push(text.decode(piece.value, { stream: true })));
      // Reading ahead tells whether these are the last.
      piece = await reader.read();
      if (piece.done) rows.push(...behind([...csv.push(text.decode()), ...csv.end()]));
      yield { rows, last: piece.done };
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Results are large: those looked at last are kept. */
const KEPT = 6;
const results = new Map<string, Result>();
onSession(() => {
  results.forEach((result) => result.dispose());
  results.clear();
});

export function resultOf(execution: QueryExecution): Result {
  const id = execution.QueryExecutionId;
  const found = results.get(id) ?? new Result(execution);
  results.delete(id);
  results.set(id, found);
  for (const [old, result] of results) {
    if (results.size <= KEPT) break;
    result.dispose();
    results.delete(old);
  }
  return found;
}

/** The result of an execution that succeeded; its beginning is read at once. */
export function useResult(execution: QueryExecution): { state: ResultState; result: Result } {
  const result = resultOf(execution);
  useEffect(() => {
    void result.read(AT_ONCE);
  }, [result]);
  return { state: useSyncExternalStore(result.subscribe, result.snapshot), result };
}
