import Button from '@cloudscape-design/components/button';
import { useMemo } from 'react';

import type { Table } from '../../aws/glue';
import { Grid } from '../../lib/grid';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { Asked, Cost } from './Asked';
import { type Answer, ask } from './ask';
import { placeHref, selectFrom } from './tables';

const ROWS = 10;

/** The first rows that Athena finds: a real query, whose cost is said. */
export function Sample({ table }: { table: Table }) {
  const sql = selectFrom(table, ROWS);
  const live = useLive(`athena/sample/${table.DatabaseName}/${table.Name}/${table.VersionId ?? ''}`, (signal) => ask(sql, table.DatabaseName, signal));
  return (
    <Asked live={live} what="The sample can't be read">
      {(answer) => (
        <div className="bh-asked">
          <div className="bh-asked-bar">
            <code className="bh-code">{sql}</code>
            <Cost execution={answer.execution} />
            <Button iconName="refresh" onClick={() => void live.refresh()}>
              Run again
            </Button>
          </div>
          <Rows answer={answer} location={table.StorageDescriptor?.Location} />
        </div>
      )}
    </Asked>
  );
}

function Rows({ answer, location }: { answer: Answer; location: string | undefined }) {
  const columns = useMemo(() => answer.columns.map(({ Name }) => Name), [answer]);
  const rows = useMemo(() => answer.rows.map((cells, at) => ({ at, cells: cells.map((cell) => cell ?? '') })), [answer]);
  if (rows.length === 0) {
    const href = placeHref(location);
    return (
      <Empty title="The table has no rows" {...(href ? { action: <Button href={href}>Look at its files</Button> } : {})}>
        Its location holds no files, or none with rows in them.
      </Empty>
    );
  }
  return <Grid label="Sample rows" columns={columns} rows={rows} filter={false} height="auto" />;
}
