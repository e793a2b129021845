/** A definition as text that is checked while somebody types, and its picture beside it. */
import Alert from '@cloudscape-design/components/alert';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useEffect, useMemo, useState } from 'react';

import type { AwsError } from '../../aws/error';
import { type Diagnostic, type MachineDetails, validateDefinition } from '../../aws/states';
import { CodeEditor, type Problem } from '../../lib/editor';
import { count } from '../../lib/format';
import { Graph } from '../../lib/graph';
import { jsonProblems } from '../../lib/json';
import { useLive } from '../../lib/live';
import { type Flow, draw, parseDefinition } from './asl';
import { locate } from './locate';
import './pipelines.css';

/** How long somebody must have stopped typing before the server is asked. */
const PAUSE_MS = 350;

interface DefinitionEditorProps {
  text: string;
  check: Check;
  onChange: (text: string) => void;
  onRun: () => void;
  height: string;
}

export function DefinitionEditor({ text, check, onChange, onRun, height }: DefinitionEditorProps) {
  const drawing = useDrawing(text);
  return (
    <>
      <div className="bh-two">
        <CodeEditor label="Definition" language="json" value={text} onChange={onChange} onRun={onRun} problems={check.problems} height={height} />
        <Graph label="States of the machine" nodes={drawing.nodes} edges={drawing.edges} frames={drawing.frames} direction="down" height={height} />
      </div>
      {check.problems.length > 0 && <Problems problems={check.problems} />}
    </>
  );
}

/** Whether it may be saved. */
export const isWrong = (check: Check): boolean => check.problems.some(({ severity }) => severity !== 'warning');

/** The picture of the last text that could be drawn. */
function useDrawing(text: string) {
  const flow = useMemo(() => parseDefinition(text), [text]);
  const [last, setLast] = useState<Flow>(flow ?? {});
  useEffect(() => {
    if (flow) setLast(flow);
  }, [flow]);
  return useMemo(() => draw(last), [last]);
}

export interface Check {
  problems: readonly Problem[];
  /** Nothing until the server has said something of this very text. */
  state: 'asking' | 'valid' | 'invalid' | 'unasked';
  error?: AwsError | undefined;
}

export function useCheck(text: string, type: MachineDetails['type']): Check {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const syntax = useMemo(() => jsonProblems(text), [text]);
  const answer = useLive(`states/validate/${type}/${settled}`, () => validateDefinition(settled, type), { enabled: jsonProblems(settled).length === 0 });
  const found = settled === text ? answer.data?.diagnostics : undefined;
  const problems = useMemo(() => (found ? found.map((diagnostic) => problemOf(text, diagnostic)) : syntax), [found, syntax, text]);
  if (syntax.length > 0) return { problems: syntax, state: 'invalid' };
  if (found) return { problems, state: problems.some(({ severity }) => severity === 'error') ? 'invalid' : 'valid' };
  return { problems, state: answer.error ? 'unasked' : 'asking', error: answer.error };
}

function problemOf(text: string, { severity, message, location }: Diagnostic): Problem {
  return { ...locate(text, location ?? ''), message, severity: severity === 'ERROR' ? 'error' : 'warning' };
}

export function Verdict({ check }: { check: Check }) {
  switch (check.state) {
    case 'asking':
      return <StatusIndicator type="loading">Checking</StatusIndicator>;
    case 'valid':
      return <StatusIndicator type={check.problems.length > 0 ? 'warning' : 'success'}>Valid</StatusIndicator>;
    case 'invalid':
      return <StatusIndicator type="error">{check.problems.length === 1 ? '1 problem' : `${count(check.problems.length)} problems`}</StatusIndicator>;
    case 'unasked':
      return (
        <Alert type="info">
          Checked as JSON only: {check.error?.code}: {check.error?.message}
        </Alert>
      );
  }
}

function Problems({ problems }: { problems: readonly Problem[] }) {
  return (
    <ul className="bh-problems" aria-label="Problems">
      {problems.map(({ line, column, message, severity }) => (
        <li key={`${line}:${column}:${message}`}>
          <StatusIndicator type={severity === 'warning' ? 'warning' : 'error'}>
            Line {line}: {message}
          </StatusIndicator>
        </li>
      ))}
    </ul>
  );
}
