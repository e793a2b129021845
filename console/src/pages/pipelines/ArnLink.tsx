/** What an ARN names, as a link to its page where there is one. */
import Link from '@cloudscape-design/components/link';

import { shortName } from '../../lib/format';
import { arnHref } from '../../lib/links';

export function ArnLink({ arn }: { arn: string | undefined }) {
  if (!arn) return <span>–</span>;
  const href = arnHref(arn);
  return href ? <Link href={href}>{shortName(arn)}</Link> : <span>{arn}</span>;
}
