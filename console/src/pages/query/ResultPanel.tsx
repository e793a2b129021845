/** What a statement gave: its state, and its result as grid or chart, its plan, its details. */
import Tabs from '@cloudscape-design/components/tabs';
import type { ReactNode } from 'react';

import { isOver } from '../../aws/athena';
import { Empty, ErrorBox, Loading } from '../../lib/states';
import { ChartPanel } from './ChartPanel';
import { ExecutionDetails } from './ExecutionDetails';
import { type PlanKind, PlanPanel } from './PlanPanel';
import { ResultGrid } from './ResultGrid';
import { ExecutionError, RunLine } from './RunState';
import type { Run } from './runs';

export interface ResultPanelProps {
  run: Run | undefined;
  plan: Run | undefined;
  planKind: PlanKind;
  view: string;
  onView: (view: string) => void;
  onExplain: (kind: PlanKind) => void;
  onOpenSql: (sql: string) => void;
}

export function ResultPanel({ run, plan, planKind, view, onView, onExplain, onOpenSql }: ResultPanelProps) {
  const execution = run?.execution;
  const done = execution?.Status.State === 'SUCCEEDED' ? execution : undefined;
  const whenDone = (content: (execution: NonNullable<typeof done>) => ReactNode) => {
    if (run?.error) return <ErrorBox error={run.error} what="The statement did not start" />;
    if (done) return content(done);
    if (!run) return <Empty title="No result yet">Run the statement to have its result.</Empty>;
    return execution && isOver(execution.Status.State) ? <ExecutionError execution={execution} /> : <Loading text={execution?.Status.State === 'QUEUED' || !execution ? 'Waiting to start' : 'Running'} />;
  };
  return (
    <>
      {execution && <RunLine execution={execution} />}
      <Tabs
        ariaLabel="Outcome"
        activeTabId={view}
        onChange={({ detail }) => onView(detail.activeTabId)}
        tabs={[
          { id: 'result', label: 'Result', content: whenDone((one) => <ResultGrid key={one.QueryExecutionId} execution={one} />) },
          { id: 'chart', label: 'Chart', content: whenDone((one) => <ChartPanel key={one.QueryExecutionId} execution={one} onOpenSql={onOpenSql} />) },
          { id: 'plan', label: 'Plan', content: <PlanPanel run={plan} kind={planKind} onExplain={onExplain} /> },
          { id: 'details', label: 'Details', content: execution ? <ExecutionDetails execution={execution} /> : whenDone(() => null) },
        ]}
      />
    </>
  );
}
