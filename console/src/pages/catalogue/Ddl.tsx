import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';

import type { Table } from '../../aws/glue';
import { CodeEditor } from '../../lib/editor';
import { useLive } from '../../lib/live';
import { Asked, Cost } from './Asked';
import { ask } from './ask';
import { isView, ticked } from './tables';

/** The statement that makes the same table again, as Athena writes it. */
export function Ddl({ table }: { table: Table }) {
  const sql = `SHOW CREATE ${isView(table) ? 'VIEW' : 'TABLE'} ${ticked(table.DatabaseName)}.${ticked(table.Name)}`;
  const live = useLive(`athena/ddl/${table.DatabaseName}/${table.Name}/${table.VersionId ?? ''}`, (signal) => ask(sql, table.DatabaseName, signal));
  return (
    <Asked live={live} what="The statement can't be had">
      {(answer) => {
        const text = answer.rows.map((row) => row[0] ?? '').join('\n');
        return (
          <div className="bh-asked">
            <div className="bh-asked-bar">
              <Cost execution={answer.execution} />
              <CopyToClipboard textToCopy={text} copyButtonText="Copy" copySuccessText="Copied" copyErrorText="It could not be copied" />
            </div>
            <CodeEditor label="Statement" language="sql" value={text} readOnly />
          </div>
        );
      }}
    </Asked>
  );
}
