import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';

import type { Table } from '../../aws/glue';
import { shortName } from '../../lib/format';
import { crawlerHref, databaseHref } from '../../lib/links';
import { Time } from '../../lib/time';
import { Place } from './TableList';
import { crawlerOf, formatOf, isProjected } from './tables';

/** Where a table's files are, what reads them, who keeps the entry. */
export function Overview({ table }: { table: Table }) {
  const storage = table.StorageDescriptor;
  const crawler = crawlerOf(table);
  const serde = storage?.SerdeInfo?.SerializationLibrary;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Database', value: <Link href={databaseHref(table.DatabaseName)}>{table.DatabaseName}</Link> },
          { label: 'Format', value: formatOf(table) },
          { label: 'Location', value: <Place location={storage?.Location} /> },
          { label: 'SerDe', value: serde ? <span title={serde}>{shortName(serde.replaceAll('.', '/'))}</span> : '–' },
          { label: 'Kept by', value: crawler ? <>Crawler <Link href={crawlerHref(crawler)}>{crawler}</Link></> : (table.Owner ?? '–') },
          { label: 'Partitions', value: (table.PartitionKeys ?? []).length === 0 ? 'Not partitioned' : `By ${(table.PartitionKeys ?? []).map(({ Name }) => Name).join(', ')}${isProjected(table) ? ' (projected)' : ''}` },
          { label: 'Created', value: <Time at={table.CreateTime} /> },
          { label: 'Updated', value: <Time at={table.UpdateTime} /> },
        ]}
      />
    </Container>
  );
}
