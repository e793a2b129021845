/** How a statement is executed: its plan as a graph, node by node, and what each step took when it ran. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useMemo, useState } from 'react';

import type { QueryExecution } from '../../aws/athena';
import { asAwsError } from '../../aws/error';
import { count } from '../../lib/format';
import { Graph } from '../../lib/graph';
import { Empty, ErrorBox, Loading } from '../../lib/states';
import { ExecutionError } from './RunState';
import { type PlanNode, expectedRows, facts, flat, parsePlan, planGraph, words } from './plan';
import { type ResultState, useResult } from './results';
import type { Run } from './runs';

export type PlanKind = 'plan' | 'analyze';

export interface PlanPanelProps {
  /** What explains the statement, if it was asked to. */
  run: Run | undefined;
  kind: PlanKind;
  onExplain: (kind: PlanKind) => void;
}

export function PlanPanel({ run, kind, onExplain }: PlanPanelProps) {
  return (
    <SpaceBetween size="m">
      <SpaceBetween direction="horizontal" size="xs" alignItems="center">
        <Button onClick={() => onExplain('plan')}>Explain</Button>
        <Button onClick={() => onExplain('analyze')}>Explain analyze</Button>
        <Box color="text-body-secondary">Explain plans the statement at the cursor. Explain analyze runs it, and tells what each step took.</Box>
      </SpaceBetween>
      {run && <Explained key={run.executionId} run={run} kind={kind} />}
    </SpaceBetween>
  );
}

function Explained({ run, kind }: { run: Run; kind: PlanKind }) {
  if (run.error) return <ErrorBox error={run.error} what="The statement can't be explained" />;
  const state = run.execution?.Status.State;
  if (run.execution && state === 'SUCCEEDED') return <Plan execution={run.execution} kind={kind} />;
  if (run.execution && (state === 'FAILED' || state === 'CANCELLED')) return <ExecutionError execution={run.execution} />;
  return <Loading text={kind === 'plan' ? 'Planning' : 'Running'} />;
}

const textOf = ({ rows }: ResultState) => rows.map((row) => row[0] ?? '').join('\n');

/** The plan that an EXPLAIN has given. */
export function Plan({ execution, kind }: { execution: QueryExecution; kind: PlanKind }) {
  const { state, result } = useResult(execution);
  useEffect(() => void result.read(Infinity), [result]);
  if (state.error) return <ErrorBox error={asAwsError(state.error)} what="The plan can't be read" />;
  if (!state.complete) return <Loading text="Reading the plan" />;
  return kind === 'plan' ? <Tree text={textOf(state)} /> : <PlanText text={textOf(state)} />;
}

function PlanText({ text }: { text: string }) {
  return (
    <pre className="bh-plan-text" tabIndex={0} aria-label="Plan as text">
      {text}
    </pre>
  );
}

function Tree({ text }: { text: string }) {
  const root = useMemo(() => parsePlan(text), [text]);
  const [view, setView] = useState('graph');
  const [selected, setSelected] = useState<string>();
  const graph = useMemo(() => root && planGraph(root), [root]);
  if (!root || !graph) return <PlanText text={text} />;
  const node = flat(root).find(({ id }) => id === selected);
  return (
    <SpaceBetween size="s">
      <SegmentedControl
        label="How the plan is shown"
        selectedId={view}
        options={[
          { id: 'graph', text: 'Graph' },
          { id: 'tree', text: 'Tree' },
          { id: 'json', text: 'JSON' },
        ]}
        onChange={({ detail }) => setView(detail.selectedId)}
      />
      {view === 'json' && <PlanText text={text} />}
      {view === 'tree' && (
        <ul className="bh-plan-tree">
          <Branch node={root} />
        </ul>
      )}
      {view === 'graph' && (
        <div className="bh-plan">
          <Graph label="Plan of the statement" nodes={graph.nodes} edges={graph.edges} direction="down" selected={selected} onSelect={setSelected} />
          <aside aria-label="Step of the plan">{node ? <Step node={node} /> : <Empty title={`${count(graph.nodes.length)} steps`}>Choose a step to see what it reads, keeps and gives. Data flows along the arrows.</Empty>}</aside>
        </div>
      )}
    </SpaceBetween>
  );
}

function Step({ node }: { node: PlanNode }) {
  return (
    <SpaceBetween size="m">
      <Box variant="h3">{words(node.name)}</Box>
      <KeyValuePairs items={facts(node).map(([label, value]) => ({ label, value: <span className="bh-wrap">{value}</span> }))} />
      {node.outputs.length > 0 && (
        <div>
          <Box variant="awsui-key-label">Gives</Box>
          <ul className="bh-plan-outputs">
            {node.outputs.map(({ symbol, type }) => (
              <li key={symbol}>
                {symbol} <small>{type}</small>
              </li>
            ))}
          </ul>
        </div>
      )}
      {node.details.length > 0 && (
        <div>
          <Box variant="awsui-key-label">Details</Box>
          {node.details.map((line) => (
            <code key={line} className="bh-plan-line">
              {line}
            </code>
          ))}
        </div>
      )}
    </SpaceBetween>
  );
}

function Branch({ node }: { node: PlanNode }) {
  const rows = expectedRows(node);
  const said = Object.entries(node.descriptor).filter(([, value]) => value !== '').map(([name, value]) => `${words(name).toLowerCase()}: ${value}`);
  return (
    <li>
      <details open>
        <summary>
          <strong>{words(node.name)}</strong> {rows !== undefined && <small>{count(Math.round(rows))} rows</small>} <span>{said.join(' · ')}</span>
        </summary>
        {node.children.length > 0 && (
          <ul>
            {node.children.map((child) => (
              <Branch key={child.id} node={child} />
            ))}
          </ul>
        )}
      </details>
    </li>
  );
}
