/** An event pattern, and an event to try it with: EventBridge says while somebody types whether it fits. */
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useEffect, useMemo, useState } from 'react';

import { testPattern } from '../../aws/events';
import { platformNow, requireSession } from '../../aws/session';
import { CodeEditor } from '../../lib/editor';
import { jsonProblems } from '../../lib/json';
import { useLive } from '../../lib/live';
import { eventFor } from './patterns';

/** How long somebody must have stopped typing before the server is asked. */
const PAUSE_MS = 350;

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

const sample = (pattern: string) => {
  const { account, region } = requireSession();
  return eventFor(pattern, account, region, platformNow());
};

interface PatternEditorProps {
  pattern: string;
  onChange: (pattern: string) => void;
  onRun?: () => void;
}

export function PatternEditor({ pattern, onChange, onRun }: PatternEditorProps) {
  const problems = jsonProblems(pattern);
  return (
    <SpaceBetween size="m">
      <FormField label="Event pattern" description="An event fits if it has every member that stands here, with one of the values." errorText={problems[0]?.message} stretch>
        <CodeEditor label="Event pattern" language="json" value={pattern} onChange={onChange} problems={problems} minHeight={150} {...(onRun ? { onRun } : {})} />
      </FormField>
      <ExpandableSection headerText="Test it with an event" variant="footer">
        <PatternTest pattern={pattern} />
      </ExpandableSection>
    </SpaceBetween>
  );
}

/** Whether an event fits a pattern. The event is one that the pattern suggests, until somebody writes another. */
export function PatternTest({ pattern }: { pattern: string }) {
  const [own, setOwn] = useState<string>();
  const settled = useSettled(pattern);
  const suggestion = useMemo(() => sample(settled), [settled]);
  const event = own ?? suggestion;
  const asked = useSettled(event);
  const problems = jsonProblems(event);
  const enabled = problems.length === 0 && jsonProblems(asked).length === 0 && jsonProblems(settled).length === 0;
  // The time of a suggested event is no difference.
  const key = own === undefined ? '' : asked;
  const answer = useLive(`events/test/${settled}/${key}`, () => testPattern(settled, asked), { enabled });
  return (
    <FormField label="Event" errorText={problems[0]?.message} stretch>
      <SpaceBetween size="xs">
        <CodeEditor label="Event to test with" language="json" value={event} onChange={(text) => setOwn(text === suggestion ? undefined : text)} problems={problems} minHeight={150} />
        <Verdict enabled={enabled} fits={answer.data} error={answer.error && `${answer.error.code}: ${answer.error.message}`} />
      </SpaceBetween>
    </FormField>
  );
}

function Verdict({ enabled, fits, error }: { enabled: boolean; fits: boolean | undefined; error: string | undefined }) {
  if (!enabled) return <StatusIndicator type="info">Both must be JSON</StatusIndicator>;
  if (error) return <StatusIndicator type="error">{error}</StatusIndicator>;
  if (fits === undefined) return <StatusIndicator type="loading">Asking EventBridge</StatusIndicator>;
  return fits ? <StatusIndicator type="success">The event fits the pattern</StatusIndicator> : <StatusIndicator type="stopped">The event doesn't fit the pattern</StatusIndicator>;
}
