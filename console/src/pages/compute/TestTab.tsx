/** Tries a function: an event goes in, and what comes back is seen whole. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useMemo, useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { type FunctionConfiguration, type Invocation, invoke } from '../../aws/lambda';
import { platformNow } from '../../aws/session';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { invalidate } from '../../lib/live';
import { useParam } from '../../lib/router';
import { Empty, ErrorBox, Loading } from '../../lib/states';
import { isDirty, useDraft } from './draft';
import { TEMPLATES, keepEvent, keptEvents, templateText } from './events';
import { Outcome } from './Outcome';

/** An invocation that has come back, and how long that took here. */
export interface Tried extends Invocation {
  ms: number;
}

interface Attempt {
  busy: boolean;
  tried?: Tried;
  error?: AwsError;
}

/** What was tried last, of each function: it stays when somebody looks into the code and comes back. */
const attempts = new Map<string, { body: string; attempt: Attempt }>();

export function TestTab({ config }: { config: FunctionConfiguration }) {
  const name = config.FunctionName;
  const place = useMemo(() => {
    const [, , , region = '', account = ''] = config.FunctionArn.split(':');
    return { region, account, arn: config.FunctionArn, now: new Date(platformNow()) };
  }, [config.FunctionArn]);
  const [kept, setKept] = useState(() => keptEvents(name));
  const [event, setEvent] = useParam('event');
  const before = attempts.get(name);
  const [body, setBody] = useState(() => kept.find((one) => one.name === event)?.body ?? before?.body ?? templateText('hello', place));
  const [attempt, setAttempt] = useState<Attempt>(before?.attempt ?? { busy: false });
  const [keeping, setKeeping] = useState(false);
  const dirty = isDirty(useDraft(name));
  const wrong = useMemo(() => notJson(body), [body]);
  useEffect(() => {
    attempts.set(name, { body, attempt: { ...attempt, busy: false } });
  }, [name, body, attempt]);
  const run = async () => {
    if (wrong || attempt.busy) return;
    setAttempt({ ...attempt, busy: true });
    const begun = performance.now();
    try {
      setAttempt({ busy: false, tried: { ...(await invoke(name, body)), ms: performance.now() - begun } });
      invalidate('logs/');
    } catch (error) {
      setAttempt({ busy: false, error: asAwsError(error) });
    }
  };
  const choose = (id: string) => {
    const saved = kept.find((one) => `kept:${one.name}` === id);
    setEvent(saved?.name ?? '');
    setBody(saved?.body ?? templateText(id, place));
  };
  const options = [
    ...(kept.length > 0 ? [{ label: 'Kept in this browser', options: kept.map((one) => ({ value: `kept:${one.name}`, label: one.name })) }] : []),
    { label: 'Templates', options: TEMPLATES.map(({ id, label }) => ({ value: id, label })) },
  ];
  return (
    <div className="bh-try">
      <SpaceBetween size="s">
        {dirty && <Alert type="info">The code has changes that are not deployed: this runs the code from before.</Alert>}
        <div className="bh-codebar">
          <div className="bh-try-event">
            <Select
              ariaLabel="Event"
              selectedOption={event ? { value: `kept:${event}`, label: event } : null}
              placeholder="Choose an event or a template"
              options={options}
              expandToViewport
              onChange={({ detail }) => choose(detail.selectedOption.value ?? 'empty')}
            />
          </div>
          <SpaceBetween direction="horizontal" size="xs">
            <ButtonDropdown
              items={[
                { id: 'keep', text: 'Keep this event…' },
                { id: 'format', text: 'Lay out the JSON', disabled: wrong !== undefined },
                { id: 'forget', text: `Forget ${event || 'this event'}`, disabled: !event },
              ]}
              onItemClick={({ detail }) => {
                if (detail.id === 'keep') setKeeping(true);
                if (detail.id === 'format') setBody(JSON.stringify(JSON.parse(body), null, 2));
                if (detail.id === 'forget') {
                  setKept(keepEvent(name, { name: event }));
                  setEvent('');
                }
              }}
            >
              Event
            </ButtonDropdown>
            <Button variant="primary" iconName="caret-right-filled" loading={attempt.busy} disabled={wrong !== undefined} onClick={() => void run()}>
              Test
            </Button>
          </SpaceBetween>
        </div>
        <CodeEditor label="Event" language="json" value={body} onChange={setBody} onRun={() => void run()} height="max(300px, calc(100vh - 420px))" />
        <span className="bh-soft" role="status">
          {wrong ? `No JSON yet: ${wrong}` : 'Ctrl+Enter runs it.'}
        </span>
      </SpaceBetween>
      <section aria-label="Result" className="bh-try-result">
        {attempt.error && <ErrorBox error={attempt.error} what="The function was not invoked" onRetry={run} />}
        {attempt.busy ? (
          <Loading text="Running" />
        ) : attempt.tried ? (
          <Outcome name={name} tried={attempt.tried} />
        ) : (
          !attempt.error && <Empty title="Not tried yet">The answer, the error with its stack trace, the log, the time and the memory that it took show up here.</Empty>
        )}
      </section>
      {keeping && (
        <KeepEvent
          name={name}
          body={body}
          suggestion={event}
          onKept={(as) => {
            setKept(keptEvents(name));
            setEvent(as);
            setKeeping(false);
          }}
          onClose={() => setKeeping(false)}
        />
      )}
    </div>
  );
}

function notJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

interface KeepEventProps {
  name: string;
  body: string;
  suggestion: string;
  onKept: (as: string) => void;
  onClose: () => void;
}

function KeepEvent({ name, body, suggestion, onKept, onClose }: KeepEventProps) {
  const [as, setAs] = useState(suggestion);
  const ready = as.trim() !== '';
  const keep = useDeed(async () => {
    keepEvent(name, { name: as.trim(), body });
    onKept(as.trim());
  }, ready);
  return (
    <FormDialog title="Keep this event" action="Keep" deed={keep} ready={ready} onClose={onClose}>
      <FormField label="Name of the event" constraintText="It is kept in this browser; one of the same name is replaced.">
        <Input value={as} onChange={({ detail }) => setAs(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void keep.run()} autoFocus />
      </FormField>
    </FormDialog>
  );
}
