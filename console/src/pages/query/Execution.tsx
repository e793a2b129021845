/** One execution: its statement, how it went, what it gave. */
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';

import { type QueryExecution, getQuery, isOver, stopQuery } from '../../aws/athena';
import type { PageProps } from '../../lib/area';
import { CodeEditor } from '../../lib/editor';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { notifyError } from '../../lib/notify';
import { navigate, to, useParam } from '../../lib/router';
import { ErrorBox, Loading } from '../../lib/states';
import { reopen } from './History';
import './query.css';
import { ResultPanel } from './ResultPanel';
import { reasonOf } from './RunState';
import { type PlanKind } from './PlanPanel';
import { run, useRuns } from './runs';
import { placeOf } from './statements';
import { blank, open } from './tabs';

export default function Execution({ params: { id = '' } }: PageProps) {
  const query = useLive(`athena/execution/${id}`, () => getQuery(id), { every: (data) => (data && isOver(data.Status.State) ? undefined : 500) });
  const { data: execution } = query;
  const over = execution !== undefined && isOver(execution.Status.State);
  const stop = () => stopQuery(id).then(query.refresh, (error: unknown) => notifyError('The query was not cancelled', error));
  return (
    <Frame
      title="Query execution"
      description={<span className="bh-wrap">{id}</span>}
      actions={
        execution && (
          <SpaceBetween direction="horizontal" size="xs">
            {!over && <Button onClick={() => void stop()}>Cancel</Button>}
            <Button variant="primary" onClick={() => reopen(execution)}>
              Open in the editor
            </Button>
          </SpaceBetween>
        )
      }
    >
      {query.error && <ErrorBox error={query.error} what="The execution can't be read" onRetry={query.refresh} />}
      {query.loading && <Loading />}
      {execution && <Shown execution={execution} />}
    </Frame>
  );
}

function Shown({ execution }: { execution: QueryExecution }) {
  const [view, setView] = useParam('view', 'result');
  const [kind, setKind] = useParam('plan', 'plan');
  const { Query: sql, QueryExecutionId: id } = execution;
  const tab = useMemo(
    () => ({ ...blank(), id: `execution/${id}`, sql, database: execution.QueryExecutionContext?.Database, workGroup: execution.WorkGroup }),
    [id, sql],
  );
  const plan = useRuns(tab);
  const reason = execution.Status.State === 'FAILED' ? reasonOf(execution) : '';
  const problems = useMemo(() => {
    const place = placeOf(reason);
    return place ? [{ ...place, message: reason }] : [];
  }, [reason]);
  const explain = (wanted: PlanKind) => {
    setKind(wanted);
    const verb = wanted === 'plan' ? 'EXPLAIN (FORMAT JSON)' : 'EXPLAIN ANALYZE';
    const statement = { text: `${verb}\n${sql}`, from: 0, to: sql.length, line: 1, column: 1, lead: 1 };
    void run(tab, { statements: [statement], parameters: execution.ExecutionParameters ?? [], location: folder(execution.ResultConfiguration?.OutputLocation) });
  };
  const openSql = (text: string) => {
    open({ sql: text, database: tab.database, workGroup: tab.workGroup });
    navigate(to('/query'));
  };
  return (
    <div className="bh-query">
      <CodeEditor label="Statement" language="sql" value={sql} readOnly problems={problems} />
      <ResultPanel
        run={{ statement: undefined, executionId: id, execution, error: undefined }}
        plan={plan.runs[0]}
        planKind={kind === 'analyze' ? 'analyze' : 'plan'}
        view={view}
        onView={setView}
        onExplain={explain}
        onOpenSql={openSql}
      />
    </div>
  );
}

/** Where an execution's result lies, for what explains it. */
const folder = (location: string | undefined) => location?.replace(/[^/]*$/, '');
