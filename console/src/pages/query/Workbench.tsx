/** One tab of the editor. */
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Select from '@cloudscape-design/components/select';
import { useEffect, useMemo, useRef, useState } from 'react';

import { getPrepared, getWorkGroup, isOver, listWorkGroups } from '../../aws/athena';
import { getDatabases } from '../../aws/glue';
import { CodeEditor, type EditorHandle, type Problem } from '../../lib/editor';
import { useLive } from '../../lib/live';
import { notifyError } from '../../lib/notify';
import { Empty } from '../../lib/states';
import { Parameters } from './Parameters';
import type { PlanKind } from './PlanPanel';
import { ResultPlace, keptLocation, needsLocation } from './ResultPlace';
import { ResultPanel } from './ResultPanel';
import { reasonOf } from './RunState';
import { SaveQuery } from './SaveQuery';
import { SidePanel } from './SidePanel';
import { catalogueCompletion } from './completion';
import { type Run, type TabRuns, cancel, run, useRuns } from './runs';
import { type Statement, executes, placeInText, placeOf, placeholders, quoted, split, statementAt } from './statements';
import { type QueryTab, change, open } from './tabs';

/** Of each tab, while the page is open: values are not kept. */
const values = new Map<string, string[]>();
/** Tabs that run as soon as they are shown. */
const eager = new Set<string>();

/** The names of the placeholders that the statements at hand ask values for. */
function useParameters(tab: QueryTab): string[] {
  const statements = useMemo(() => split(tab.sql), [tab.sql]);
  const only = statements.length === 1 ? statements[0] : undefined;
  const prepared = only ? executes(only.text) : undefined;
  const group = tab.workGroup ?? 'primary';
  const found = useLive(`athena/prepared/${group}/${prepared}`, () => getPrepared(prepared ?? '', group), { enabled: prepared !== undefined });
  const asked = placeholders(prepared !== undefined ? (found.data?.QueryStatement ?? '') : (only?.text ?? ''));
  return Array.from({ length: asked }, (_, at) => `Parameter ${at + 1}`);
}

/** What is wrong in the text, as long as it is the text that ran. */
function problemsOf({ runs, text }: TabRuns, sql: string): Problem[] {
  if (text !== sql) return [];
  return runs.flatMap(({ statement, execution, error }) => {
    const message = error?.message ?? (execution && execution.Status.State === 'FAILED' ? reasonOf(execution) : '');
    const place = placeOf(message);
    return statement && place ? [{ ...placeInText(statement, place), message, severity: 'error' as const }] : [];
  });
}

export function Workbench({ tab, onRename }: { tab: QueryTab; onRename: () => void }) {
  const editor = useRef<EditorHandle>(null);
  const [, setKept] = useState(0);
  // As high as the text when the tab is opened, within reason; people draw it as they like.
  const [height] = useState(() => Math.min(Math.max(tab.sql.split('\n').length + 2, 6), 14) * 20);
  const [saving, setSaving] = useState(false);
  const [side, setSide] = useState(() => localStorage.getItem('boathouse.query.side') !== 'hidden');
  const [planKind, setPlanKind] = useState<PlanKind>('plan');
  const [view, setView] = useState('result');
  const runs = useRuns(tab);
  const planTab = useMemo(() => ({ ...tab, id: `${tab.id}/plan`, executions: [] }), [tab]);
  const plan = useRuns(planTab);
  const groupName = tab.workGroup ?? 'primary';
  const group = useLive(`athena/workgroup/${groupName}`, () => getWorkGroup(groupName));
  const location = keptLocation();
  const homeless = needsLocation(group.data) && !location;
  const names = useParameters(tab);
  const [given, setGiven] = useState<string[]>(() => values.get(tab.id) ?? []);
  useEffect(() => void values.set(tab.id, given), [given, tab.id]);
  const database = useRef(tab.database);
  database.current = tab.database;
  const completions = useMemo(() => catalogueCompletion(() => database.current ?? 'default'), []);
  const problems = useMemo(() => [...problemsOf(runs, tab.sql), ...problemsOf(plan, tab.sql)], [runs, plan, tab.sql]);

  const order = (statements: readonly Statement[]) => {
    // A selection may ask for other values than the whole text.
    const [only] = statements;
    const needed = statements.length !== 1 || !only ? 0 : executes(only.text) ? names.length : placeholders(only.text);
    const asked = needed === names.length ? names.map((_, at) => (given[at] ?? '').trim()) : [];
    return { statements, parameters: asked, location: needsLocation(group.data) ? location : undefined };
  };
  const chosen = (): readonly Statement[] => {
    const { from, to } = editor.current?.range() ?? { from: 0, to: 0 };
    if (from === to) return split(tab.sql);
    const [line, column] = [tab.sql.slice(0, from).split('\n').length, from - tab.sql.lastIndexOf('\n', from - 1)];
    return split(tab.sql.slice(from, to)).map((one) => ({
      ...one,
      from: one.from + from,
      to: one.to + from,
      line: one.line + line - 1,
      column: one.line === 1 ? one.column + column - 1 : one.column,
    }));
  };
  const start = () => {
    const statements = chosen();
    if (statements.length === 0 || homeless || runs.busy) return;
    setView((now) => (now === 'plan' ? 'result' : now));
    void run(tab, order(statements));
  };
  const explain = (kind: PlanKind) => {
    const at = statementAt(tab.sql, editor.current?.range().from ?? 0);
    if (!at || homeless) return;
    setPlanKind(kind);
    setView('plan');
    const verb = kind === 'plan' ? 'EXPLAIN (FORMAT JSON)' : 'EXPLAIN ANALYZE';
    void run(planTab, order([{ ...at, text: `${verb}\n${at.text}`, lead: 1 }]));
  };
  useEffect(() => {
    if (group.loading || !eager.delete(tab.id)) return;
    start();
  }, [group.loading]);
  const stop = () => void Promise.all([cancel(tab.id), cancel(planTab.id)]).catch((error: unknown) => notifyError('The query was not cancelled', error));
  const preview = (from: string, table: string) => {
    const made = open({ name: table, sql: `SELECT *\nFROM ${quoted(from)}.${quoted(table)}\nLIMIT 100`, database: from });
    eager.add(made.id);
  };
  const toggleSide = () => {
    localStorage.setItem('boathouse.query.side', side ? 'hidden' : 'shown');
    setSide(!side);
  };
  const busy = runs.busy || plan.busy;
  return (
    <div className={`bh-bench ${side ? '' : 'bh-bench-narrow'}`}>
      {side && (
        <SidePanel
          database={tab.database}
          onInsert={(text) => {
            editor.current?.insert(text);
            editor.current?.focus();
          }}
          onPreview={preview}
        />
      )}
      <div className="bh-bench-main">
        <div className="bh-bench-tools">
          <Button variant="icon" iconName={side ? 'angle-left-double' : 'angle-right-double'} ariaLabel={side ? 'Hide tables' : 'Show tables'} onClick={toggleSide} />
          <Choosers tab={tab} />
          <span className="bh-spring" />
          {busy ? (
            <Button iconName="status-stopped" onClick={stop}>
              Cancel
            </Button>
          ) : (
            <Button variant="primary" iconName="caret-right-filled" onClick={start} disabled={tab.sql.trim() === '' || homeless} ariaLabel="Run">
              Run
            </Button>
          )}
          <ButtonDropdown
            items={[
              { id: 'plan', text: 'Explain' },
              { id: 'analyze', text: 'Explain analyze' },
            ]}
            disabled={tab.sql.trim() === '' || homeless || busy}
            onItemClick={({ detail }) => explain(detail.id as PlanKind)}
          >
            Explain
          </ButtonDropdown>
          <Button onClick={() => setSaving(true)}>Save</Button>
          <ButtonDropdown
            variant="icon"
            ariaLabel="More"
            items={[
              { id: 'rename', text: 'Rename the tab' },
              { id: 'clear', text: 'Clear the text' },
            ]}
            onItemClick={({ detail }) => (detail.id === 'rename' ? onRename() : change(tab.id, { sql: '' }))}
          />
        </div>
        <div className="bh-bench-editor" style={{ height }}>
          <CodeEditor
            label="Statement"
            language="sql"
            value={tab.sql}
            onChange={(sql) => change(tab.id, { sql })}
            onRun={start}
            height="100%"
            placeholder="SELECT … — Ctrl-Enter runs the selection, or everything; Ctrl-Space completes"
            completions={completions}
            problems={problems}
            handle={editor}
          />
        </div>
        {names.length > 0 && <Parameters names={names} values={given} onChange={setGiven} onRun={start} />}
        {homeless && <ResultPlace workGroup={groupName} onChosen={() => setKept((n) => n + 1)} />}
        <Outcome tab={tab} runs={runs} plan={plan.runs[0]} planKind={planKind} view={view} onView={setView} onExplain={explain} />
      </div>
      {saving && <SaveQuery tab={tab} onClose={() => setSaving(false)} />}
    </div>
  );
}

function Choosers({ tab }: { tab: QueryTab }) {
  const databases = useLive('glue/databases', () => getDatabases(), { every: 30_000 });
  const groups = useLive('athena/workgroups', () => listWorkGroups(), { every: 60_000 });
  const names = (databases.data ?? []).map(({ Name }) => Name);
  useEffect(() => {
    const first = names.find((name) => name !== 'default') ?? names[0];
    if (tab.database === undefined && first !== undefined) change(tab.id, { database: first });
  }, [tab.database, names.length]);
  const option = (value: string) => ({ value, label: value });
  const group = tab.workGroup ?? 'primary';
  return (
    <>
      <Select
        inlineLabelText="Database"
        selectedOption={tab.database ? option(tab.database) : null}
        placeholder="None"
        filteringType={names.length > 10 ? 'auto' : 'none'}
        options={names.map(option)}
        statusType={databases.loading ? 'loading' : 'finished'}
        loadingText="Loading databases"
        empty="No databases yet"
        virtualScroll={names.length > 100}
        onChange={({ detail }) => change(tab.id, { database: detail.selectedOption.value })}
      />
      <Select
        inlineLabelText="Work group"
        selectedOption={option(group)}
        options={(groups.data ?? [{ Name: group }]).map(({ Name, Description, State }) => ({ ...option(Name), ...(Description ? { description: Description } : {}), disabled: State === 'DISABLED' }))}
        onChange={({ detail }) => change(tab.id, { workGroup: detail.selectedOption.value })}
      />
    </>
  );
}

interface OutcomeProps {
  tab: QueryTab;
  runs: TabRuns;
  plan: Run | undefined;
  planKind: PlanKind;
  view: string;
  onView: (view: string) => void;
  onExplain: (kind: PlanKind) => void;
}

/** The statement that is shown of those that ran: the one that runs or came last, unless somebody chooses. */
function Outcome({ tab, runs, ...rest }: OutcomeProps) {
  const [picked, setPicked] = useState<number>();
  useEffect(() => setPicked(undefined), [runs.text, runs.runs.length]);
  const running = runs.runs.findIndex(({ executionId, execution, error }) => executionId && !error && !isOver(execution?.Status.State ?? 'QUEUED'));
  const started = runs.runs.findLastIndex(({ executionId, error }) => executionId ?? error);
  const at = picked ?? (running >= 0 ? running : Math.max(started, 0));
  const shown = runs.runs[at];
  if (!shown && !rest.plan) {
    return <Empty title="No result yet">Ctrl-Enter runs the selection, or every statement one after the other. The result comes here, to sort, copy, export and draw.</Empty>;
  }
  const options = runs.runs.map(({ statement, execution }, place) => ({
    value: String(place),
    label: `${place + 1}: ${(statement?.text ?? execution?.Query ?? '').replace(/\s+/g, ' ').slice(0, 60)}`,
  }));
  return (
    <div className="bh-outcome">
      {runs.runs.length > 1 && (
        <Select inlineLabelText={`Statement of ${runs.runs.length}`} selectedOption={options[at] ?? null} options={options} onChange={({ detail }) => setPicked(Number(detail.selectedOption.value))} />
      )}
      <ResultPanel run={shown} onOpenSql={(sql) => open({ sql, database: tab.database, workGroup: tab.workGroup, name: `${tab.name} chart` })} {...rest} />
    </div>
  );
}
