/**
 * Hears from the server when a log has something new, by a Live Tail session, so that nobody asks again and again. What is new is
 * read by the viewer's own search: a session leaves events out when there are very many. The session is closed while the tab is
 * hidden. Where there can be none (no permission, too many sessions) the answer is false, and the viewer asks.
 */
import { useEffect, useRef, useState } from 'react';

import { AwsError, isAbort } from '../aws/error';
import { type LiveTail, startLiveTail } from '../aws/logs';
import { currentSession } from '../aws/session';

/** After a session has ended by itself, as it does when the server starts anew. */
const PAUSE_MS = 3_000;
/** More streams are watched as the whole group. */
const MOST_STREAMS = 100;

/** Whether a failure is worth another session. */
export const isPassing = (error: unknown) =>
  !(error instanceof AwsError) || error.status === 0 || error.status >= 500 || error.code === 'LimitExceededException';

export function tailInput(groups: readonly string[], streams: readonly string[] | undefined, pattern: string): LiveTail {
  const session = currentSession();
  const arn = (group: string) => `arn:aws:logs:${session?.region ?? 'us-east-1'}:${session?.account ?? ''}:log-group:${group}`;
  return {
    logGroupIdentifiers: groups.map(arn),
    ...(groups.length === 1 && streams?.length && streams.length <= MOST_STREAMS ? { logStreamNames: [...streams] } : {}),
    ...(pattern ? { logEventFilterPattern: pattern } : {}),
  };
}

/** Calls `onNews` when something has come, and once as the session begins; answers whether there is a session. */
export function useTail(input: LiveTail, enabled: boolean, onNews: () => void): boolean {
  const [listening, setListening] = useState(false);
  const hidden = useHidden();
  const latest = useRef(onNews);
  latest.current = onNews;
  const text = JSON.stringify(input);
  useEffect(() => {
    if (!enabled || hidden) return undefined;
    const ending = new AbortController();
    void listen(JSON.parse(text) as LiveTail, ending.signal, setListening, () => latest.current());
    return () => {
      ending.abort();
      setListening(false);
    };
  }, [text, enabled, hidden]);
  return listening;
}

async function listen(input: LiveTail, signal: AbortSignal, onState: (listening: boolean) => void, onNews: () => void): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { sessionStart, sessionUpdate } of startLiveTail(input, signal)) {
        if (signal.aborted) return;
        if (sessionStart) onState(true);
        if (sessionStart || sessionUpdate?.sessionResults.length) onNews();
      }
    } catch (error) {
      if (isAbort(error) || signal.aborted || !isPassing(error)) return;
    } finally {
      if (!signal.aborted) onState(false);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function useHidden(): boolean {
  const [hidden, setHidden] = useState(document.hidden);
  useEffect(() => {
    const look = () => setHidden(document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return hidden;
}
