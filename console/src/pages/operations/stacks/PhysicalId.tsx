/** What a resource is called by its service, as a link to its page where there is one. */
import Link from '@cloudscape-design/components/link';

import type { StackResource } from '../../../aws/cloudformation';
import { shortName } from '../../../lib/format';
import { resourceHref } from '../../../lib/links';

export function PhysicalId({ resource, href }: { resource: StackResource; href?: string | undefined }) {
  const id = resource.physicalId;
  if (!id) return <span>–</span>;
  const gone = resource.status === 'DELETE_COMPLETE';
  const target = gone ? undefined : (href ?? resourceHref(resource.type, id));
  const text = id.startsWith('arn:') || id.includes('://') ? shortName(id) : id;
  return target ? (
    <Link href={target}>
      <span title={id}>{text}</span>
    </Link>
  ) : (
    <span title={id}>{text}</span>
  );
}
