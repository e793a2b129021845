/** The executions of the work groups, the newest first. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';

import { type QueryExecution, listWorkGroups, isOver } from '../../aws/athena';
import { bytes, date, duration } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { queryHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { navigate, to, useParam } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import './query.css';
import { readHistory } from './history';
import { RanBy } from './RanBy';
import { forget } from './runs';
import { open } from './tabs';

/** Opens an execution's statement in a tab of the editor, with its result. */
export function reopen(execution: QueryExecution): void {
  const tab = open({
    sql: execution.Query,
    database: execution.QueryExecutionContext?.Database,
    workGroup: execution.WorkGroup,
    executions: [execution.QueryExecutionId],
  });
  // What the tab ran before is not what it shows now.
  forget(tab.id);
  navigate(to('/query'));
}

const timeOf = ({ Statistics, Status: status }: QueryExecution) => (isOver(status.State) ? Statistics?.TotalExecutionTimeInMillis : undefined);

export default function History() {
  const groups = useLive('athena/workgroups', () => listWorkGroups(), { every: 60_000 });
  const [group, setGroup] = useParam('workgroup');
  const [state, setState] = useParam('state');
  const names = group ? [group] : (groups.data ?? []).map(({ Name }) => Name);
  const queries = useLive(`athena/history/${names.join('/')}`, () => readHistory(names), {
    enabled: names.length > 0,
    every: (data) => (data?.complete === false ? 20 : data?.executions.some((query) => !isOver(query.Status.State)) ? 2_000 : 10_000),
  });
  const all = queries.data?.executions;
  const shown = state ? all?.filter((query) => query.Status.State === state) : all;
  const option = (value: string, label = value) => ({ value, label });
  const states = [option('', 'Any state'), ...['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'].map((one) => option(one, one.charAt(0) + one.slice(1).toLowerCase()))];
  const choices = [option('', 'All work groups'), ...(groups.data ?? []).map(({ Name }) => option(Name))];
  return (
    <Frame
      title="Query history"
      counter={shown?.length}
      description={`Every statement that ran, from wherever it was sent.${queries.data?.complete === false ? ' Older ones are being read.' : ''}`}
      actions={<Button onClick={() => void queries.refresh()} iconName="refresh" ariaLabel="Read again" />}
    >
      <DataTable<QueryExecution>
        label="Query history"
        title={false}
        items={shown}
        error={groups.error ?? queries.error}
        rowKey={(query) => query.QueryExecutionId}
        tools={
          <>
            <Select ariaLabel="State" selectedOption={states.find(({ value }) => value === state) ?? null} options={states} onChange={({ detail }) => setState(detail.selectedOption.value ?? '')} />
            <Select ariaLabel="Work group" selectedOption={choices.find(({ value }) => value === group) ?? null} options={choices} onChange={({ detail }) => setGroup(detail.selectedOption.value ?? '')} />
          </>
        }
        columns={[
          { id: 'state', header: 'State', width: 120, value: (query) => query.Status.State, cell: (query) => <Status state={query.Status.State} /> },
          {
            id: 'query',
            header: 'Statement',
            value: (query) => query.Query,
            cell: (query) => (
              <Link href={queryHref(query.QueryExecutionId)}>
                <span className="bh-sql-cell" title={query.Query.slice(0, 1000)}>
                  {query.Query.replace(/\s+/g, ' ').slice(0, 200)}
                </span>
              </Link>
            ),
          },
          { id: 'submitted', header: 'Submitted', width: 168, value: (query) => date(query.Status.SubmissionDateTime), cell: (query) => <Time at={query.Status.SubmissionDateTime} /> },
          { id: 'time', header: 'Time', width: 84, align: 'right', value: timeOf, cell: (query) => duration(timeOf(query)) },
          { id: 'bytes', header: 'Scanned', width: 102, align: 'right', value: (query) => query.Statistics?.DataScannedInBytes, cell: (query) => bytes(query.Statistics?.DataScannedInBytes) },
          { id: 'database', header: 'Database', width: 104, value: (query) => query.QueryExecutionContext?.Database, cell: (query) => query.QueryExecutionContext?.Database ?? '–' },
          { id: 'by', header: 'Run by', width: 104, cell: (query) => <RanBy query={query} /> },
          ...(names.length > 1 ? [{ id: 'group', header: 'Work group', width: 112, value: (query: QueryExecution) => query.WorkGroup, cell: (query: QueryExecution) => query.WorkGroup ?? '–' }] : []),
          {
            id: 'reopen',
            header: 'Editor',
            width: 76,
            cell: (query) => (
              <Button variant="inline-link" onClick={() => reopen(query)} ariaLabel={`Open in the editor: ${query.Query.slice(0, 40)}`}>
                Open
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title={state ? 'No such execution' : 'No queries yet'} action={<Button href={to('/query')}>To the editor</Button>}>
            Statements that run here, or are sent by any client of Athena, are listed with their state, time and data.
          </Empty>
        }
      />
    </Frame>
  );
}
