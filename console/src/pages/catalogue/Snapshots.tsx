/** The snapshots of an Iceberg table: what each commit did, and how the table was then. */
import Link from '@cloudscape-design/components/link';

import type { Table } from '../../aws/glue';
import { count } from '../../lib/format';
import { statementHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { Asked, Cost } from './Asked';
import { type Answer, ask } from './ask';
import { quoted } from './tables';

export interface Snapshot {
  id: string;
  parent: string;
  committed: string;
  operation: string;
  summary: Record<string, string>;
}

/** A MAP as Athena writes it: `{a=1, b=two}`. */
export function mapOf(text: string): Record<string, string> {
  const inner = text.replace(/^\{|\}$/g, '');
  const pairs = inner.split(/, (?=[\w.-]+=)/).flatMap((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [] : [[pair.slice(0, at), pair.slice(at + 1)] as const];
  });
  return Object.fromEntries(pairs);
}

export function snapshotsOf(answer: Pick<Answer, 'columns' | 'rows'>): Snapshot[] {
  const at = (name: string) => answer.columns.findIndex((column) => column.Name === name);
  const [id, parent, committed, operation, summary] = ['snapshot_id', 'parent_id', 'committed_at', 'operation', 'summary'].map(at);
  const cell = (row: (string | undefined)[], place: number | undefined) => row[place ?? -1] ?? '';
  return answer.rows.map((row) => ({
    id: cell(row, id),
    parent: cell(row, parent),
    committed: cell(row, committed),
    operation: cell(row, operation),
    summary: mapOf(cell(row, summary)),
  }));
}

/** A time as Athena writes it with its zone, which is UTC here. */
const momentOf = (text: string) => text.replace(' ', 'T').replace(/ (UTC|\+00:00)$/, 'Z');

const number = (text: string | undefined) => (text === undefined ? '–' : count(Number(text)));

export function Snapshots({ table }: { table: Table }) {
  const { DatabaseName, Name } = table;
  const sql = `SELECT * FROM ${quoted(DatabaseName)}.${quoted(`${Name}$snapshots`)} ORDER BY committed_at DESC`;
  const live = useLive(`athena/snapshots/${DatabaseName}/${Name}/${table.Parameters?.metadata_location ?? ''}`, (signal) => ask(sql, DatabaseName, signal));
  const then = (id: string) => `SELECT * FROM ${quoted(DatabaseName)}.${quoted(Name)} FOR VERSION AS OF ${id} LIMIT 100`;
  return (
    <Asked live={live} what="The snapshots can't be read">
      {(answer) => (
        <DataTable
          label="Snapshots"
          description={<Cost execution={answer.execution} />}
          filter={false}
          items={snapshotsOf(answer)}
          rowKey={(one) => one.id}
          height="max(240px, calc(100vh - 560px))"
          columns={[
            { id: 'id', header: 'Snapshot', value: (one) => one.id, cell: (one) => <Link href={statementHref(then(one.id), DatabaseName)}>{one.id}</Link> },
            { id: 'committed', header: 'Committed', width: 220, value: (one) => one.committed, cell: (one) => <Time at={momentOf(one.committed)} /> },
            { id: 'operation', header: 'Operation', width: 120, value: (one) => one.operation, cell: (one) => one.operation },
            { id: 'added', header: 'Rows added', width: 130, align: 'right', value: (one) => Number(one.summary['added-records'] ?? 0), cell: (one) => number(one.summary['added-records']) },
            { id: 'total', header: 'Rows in all', width: 130, align: 'right', value: (one) => Number(one.summary['total-records'] ?? 0), cell: (one) => number(one.summary['total-records']) },
            { id: 'files', header: 'Files in all', width: 130, align: 'right', value: (one) => Number(one.summary['total-data-files'] ?? 0), cell: (one) => number(one.summary['total-data-files']) },
          ]}
          empty={<p className="bh-soft">Nothing has been written yet.</p>}
        />
      )}
    </Asked>
  );
}
