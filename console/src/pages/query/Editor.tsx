import Button from '@cloudscape-design/components/button';
import { useState } from 'react';

import { type ResultPage, getQuery, getResults, isOver, startQuery } from '../../aws/athena';
import { CodeEditor } from '../../lib/editor';
import { Frame } from '../../lib/frame';
import { notifyError } from '../../lib/notify';
import { DataTable } from '../../lib/table';

export default function Editor() {
  const [sql, setSql] = useState('SELECT 1 AS one');
  const [result, setResult] = useState<ResultPage>();
  const run = async () => {
    try {
      const id = await startQuery({ QueryString: sql });
      let query = await getQuery(id);
      while (!isOver(query.Status.State)) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        query = await getQuery(id);
      }
      setResult(await getResults(id));
    } catch (error) {
      notifyError('The query failed', error);
    }
  };
  return (
    <Frame title="SQL editor" actions={<Button variant="primary" onClick={() => void run()}>Run</Button>}>
      <CodeEditor label="Statement" language="sql" value={sql} onChange={setSql} onRun={() => void run()} minHeight={160} />
      {result && (
        <DataTable
          label="Result"
          items={result.rows}
          rowKey={(row) => String(result.rows.indexOf(row))}
          columns={result.columns.map((column, at) => ({ id: String(at), header: column.Name, value: (row: ResultPage['rows'][number]) => row[at], cell: (row: ResultPage['rows'][number]) => row[at] }))}
        />
      )}
    </Frame>
  );
}
