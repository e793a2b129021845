/** The invocations of a function in a range of time, followed as they come. */
import { useMemo } from 'react';

import { platformNow } from '../../aws/session';
import { LogFeed, type LogState } from '../../lib/log-feed';
import { rangeOf } from '../../lib/log-range';
import { useLive } from '../../lib/live';
import { PATTERN, invocationsOf } from './invocations';

const EVERY_MS = 3_000;

export function useInvocations(group: string, range: string) {
  // The search begins anew when range or group change, and goes on from where it was in between.
  const { feed, span } = useMemo(() => {
    const span = rangeOf(range, platformNow());
    return { span, feed: new LogFeed({ group, pattern: PATTERN, ...span }) };
  }, [group, range]);
  const live = useLive<LogState>(`logs/invocations/${group}/${range}`, (signal) => feed.more(signal), {
    every: (state) => (state && !state.ended ? 0 : span.to === undefined ? EVERY_MS : undefined),
  });
  const lines = live.data?.lines;
  const invocations = useMemo(() => (lines ? invocationsOf(lines) : undefined), [lines]);
  return { live, invocations, span };
}
