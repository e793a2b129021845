/** What a function did in the last hour, as far as one read tells. */
import { platformNow } from '../../aws/session';
import { LogFeed } from '../../lib/log-feed';
import { type Invoked, PATTERN, invocationsOf } from './invocations';

const HOUR_MS = 3_600_000;

export async function readInvocations(group: string, signal: AbortSignal): Promise<Invoked[]> {
  const { lines } = await new LogFeed({ group, pattern: PATTERN, from: platformNow() - HOUR_MS }).more(signal);
  return invocationsOf(lines);
}
