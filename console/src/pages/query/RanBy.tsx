/** Who ran a query, asked for when it is shown. */
import Link from '@cloudscape-design/components/link';

import type { QueryExecution } from '../../aws/athena';
import { date } from '../../lib/format';
import { roleHref, userHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { type Caller, callers } from './callers';

export function RanBy({ query }: { query: QueryExecution }) {
  const submitted = (date(query.Status.SubmissionDateTime)?.getTime() ?? 0) / 1000;
  const caller = useLive(`athena/caller/${query.QueryExecutionId}`, () => callers.of(query.QueryExecutionId, submitted).then((found) => ({ found })));
  if (caller.error) return <span title={`${caller.error.code}: ${caller.error.message}`}>–</span>;
  if (!caller.data) return <span className="bh-soft">…</span>;
  const { found } = caller.data;
  if (!found) return <span title="The event history doesn't know it any more">–</span>;
  const href = hrefOf(found);
  return href ? (
    <Link href={href}>
      <span title={found.arn}>{found.name}</span>
    </Link>
  ) : (
    <span title={found.arn}>{found.name}</span>
  );
}

function hrefOf({ name, arn = '' }: Caller): string | undefined {
  const [kind = ''] = (arn.split(':')[5] ?? '').split('/');
  if (kind === 'user') return userHref(name);
  return kind === 'assumed-role' ? roleHref(name) : undefined;
}
