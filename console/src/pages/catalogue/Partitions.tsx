/** A table's partitions, page by page, found by a condition on their keys. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useEffect, useRef, useState } from 'react';

import { type AwsError, asAwsError, isAbort } from '../../aws/error';
import type { Partition, Table } from '../../aws/glue';
import { type PartitionsPage, partitionsPage } from '../../aws/glue-catalog';
import { count } from '../../lib/format';
import { useParam } from '../../lib/router';
import { Empty } from '../../lib/states';
import { type Column, DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { Place } from './TableList';
import { isProjected } from './tables';

function usePartitions(table: Table, expression: string) {
  const [state, setState] = useState<PartitionsPage>();
  const [error, setError] = useState<AwsError>();
  const stop = useRef<AbortController>(undefined);
  const { DatabaseName, Name } = table;
  const read = useCallback(
    async (before?: PartitionsPage) => {
      stop.current?.abort();
      const mine = new AbortController();
      stop.current = mine;
      setError(undefined);
      try {
        const page = await partitionsPage(DatabaseName, Name, { expression, token: before?.next, signal: mine.signal });
        setState({ partitions: [...(before?.partitions ?? []), ...page.partitions], next: page.next });
      } catch (failed) {
        if (!isAbort(failed)) setError(asAwsError(failed));
      }
    },
    [DatabaseName, Name, expression],
  );
  useEffect(() => {
    setState(undefined);
    void read();
    return () => stop.current?.abort();
  }, [read]);
  const more = useCallback(() => void (state?.next && read(state)), [state, read]);
  return { partitions: state?.partitions, hasMore: state?.next !== undefined, error, more };
}

export function Partitions({ table }: { table: Table }) {
  const [expression, setExpression] = useParam('where');
  const [draft, setDraft] = useState(expression);
  const { partitions, hasMore, error, more } = usePartitions(table, expression);
  const keys = table.PartitionKeys ?? [];
  const columns: Column<Partition>[] = [
    ...keys.map((key, at): Column<Partition> => ({ id: key.Name, header: key.Name, width: 180, value: (one) => one.Values[at], cell: (one) => one.Values[at] ?? '–' })),
    { id: 'location', header: 'Location', value: (one) => one.StorageDescriptor?.Location, cell: (one) => <Place location={one.StorageDescriptor?.Location} /> },
    { id: 'created', header: 'Created', width: 200, value: (one) => one.CreationTime, cell: (one) => <Time at={one.CreationTime} /> },
  ];
  return (
    <SpaceBetween size="s">
      {isProjected(table) && <Alert type="info">Queries compute this table's partitions from its properties (partition projection); the catalogue's own are not asked.</Alert>}
      <form
        className="bh-place"
        onSubmit={(event) => {
          event.preventDefault();
          setExpression(draft.trim());
        }}
      >
        <Input type="search" value={draft} onChange={({ detail }) => setDraft(detail.value)} ariaLabel="Condition on the partition keys" placeholder={`${keys[0]?.Name ?? 'key'} = '…'`} clearAriaLabel="Clear" />
        <Button formAction="submit">Find</Button>
      </form>
      <span className="bh-soft" role="status">
        {partitions && `${count(partitions.length)} ${partitions.length === 1 ? 'partition' : 'partitions'}${hasMore ? ' so far: scroll for more' : ''}`}
      </span>
      <DataTable
        label="Partitions"
        title={false}
        filter={false}
        items={partitions}
        error={error}
        onEnd={more}
        rowKey={(one) => one.Values.join('\n')}
        columns={columns}
        height="max(240px, calc(100vh - 560px))"
        empty={<Empty title={expression ? 'No partition matches' : 'No partitions yet'}>{expression ? 'Change the condition.' : 'A crawler, ALTER TABLE ADD PARTITION or MSCK REPAIR TABLE brings them in.'}</Empty>}
      />
    </SpaceBetween>
  );
}
