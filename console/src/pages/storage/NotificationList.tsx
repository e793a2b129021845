import Link from '@cloudscape-design/components/link';

import { shortName } from '../../lib/format';
import { arnHref } from '../../lib/links';
import { DataTable } from '../../lib/table';
import type { Notification } from './rules';

/** Who is told about which events. */
export function NotificationList({ items }: { items: readonly Notification[] }) {
  return (
    <DataTable
      label="Event notifications"
      title={false}
      filter={false}
      items={items}
      height={300}
      rowKey={(item) => item.id}
      columns={[
        { id: 'target', header: 'Target', value: (item) => item.target, cell: (item) => <Target item={item} /> },
        { id: 'kind', header: 'Kind', width: 160, value: (item) => item.kind, cell: (item) => item.kind },
        { id: 'events', header: 'Events', value: (item) => item.events.join(', '), cell: (item) => item.events.join(', ') },
        { id: 'filter', header: 'Filter', value: (item) => item.filter, cell: (item) => item.filter || 'All keys' },
      ]}
      empty={<p className="bh-soft">Nobody is told.</p>}
    />
  );
}

function Target({ item }: { item: Notification }) {
  const href = arnHref(item.target);
  const name = item.target ? shortName(item.target) : 'The default event bus';
  return href ? <Link href={href}>{name}</Link> : <span title={item.target}>{name}</span>;
}
