/** A machine's definition: text that is checked while somebody types, and its picture beside it. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useEffect, useMemo, useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { type Diagnostic, type MachineDetails, updateMachine, validateDefinition } from '../../aws/states';
import { CodeEditor, type Problem } from '../../lib/editor';
import { count, prettyJson } from '../../lib/format';
import { Graph } from '../../lib/graph';
import { useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { ErrorBox } from '../../lib/states';
import { type Flow, draw, parseDefinition } from './asl';
import { jsonProblems, locate } from './locate';

/** How long somebody must have stopped typing before the server is asked. */
const PAUSE_MS = 350;
const HEIGHT = 'max(420px, calc(100vh - 330px))';

export function Definition({ machine, onSaved }: { machine: MachineDetails; onSaved: () => Promise<void> }) {
  const original = useMemo(() => prettyJson(machine.definition), [machine.definition]);
  const [draft, setDraft] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const text = draft ?? original;
  const changed = draft !== undefined && draft !== original;
  const check = useCheck(text, machine.type);
  const drawing = useDrawing(text);
  const wrong = check.problems.some(({ severity }) => severity !== 'warning');
  const save = async () => {
    if (!changed || wrong || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await updateMachine(machine.stateMachineArn, text);
      notify('success', `${machine.name} is saved`, 'Executions that start from now on run by it.');
      await onSaved();
      setDraft(undefined);
    } catch (failed) {
      setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  };
  return (
    <SpaceBetween size="s">
      {error && <ErrorBox error={error} what="It was not saved" />}
      <div className="bh-bar-of-actions">
        <Verdict check={check} />
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setDraft(undefined)} disabled={!changed}>
            Discard changes
          </Button>
          <Button variant="primary" onClick={() => void save()} disabled={!changed || wrong} loading={busy}>
            Save
          </Button>
        </SpaceBetween>
      </div>
      <div className="bh-two">
        <div>
          <CodeEditor label="Definition" language="json" value={text} onChange={setDraft} onRun={() => void save()} problems={check.problems} height={HEIGHT} />
        </div>
        <Graph label="States of the machine" nodes={drawing.nodes} edges={drawing.edges} frames={drawing.frames} direction="down" height={HEIGHT} />
      </div>
      {check.problems.length > 0 && <Problems problems={check.problems} />}
    </SpaceBetween>
  );
}

/** The picture of the last text that could be drawn. */
function useDrawing(text: string) {
  const flow = useMemo(() => parseDefinition(text), [text]);
  const [last, setLast] = useState<Flow>(flow ?? {});
  useEffect(() => {
    if (flow) setLast(flow);
  }, [flow]);
  return useMemo(() => draw(last), [last]);
}

interface Check {
  problems: readonly Problem[];
  /** Nothing until the server has said something of this very text. */
  state: 'asking' | 'valid' | 'invalid' | 'unasked';
  error?: AwsError | undefined;
}

function useCheck(text: string, type: MachineDetails['type']): Check {
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

function Verdict({ check }: { check: Check }) {
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
