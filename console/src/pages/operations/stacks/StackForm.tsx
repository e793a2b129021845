/** The form of a stack, new or changed: its template, its parameters, and what else there is to say. It ends in a change set. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Stack, type TemplateSummary, createChangeSet } from '../../../aws/cloudformation';
import { type AwsError, asAwsError } from '../../../aws/error';
import { invalidate } from '../../../lib/live';
import { navigate } from '../../../lib/router';
import { ErrorBox } from '../../../lib/states';
import { type Draft, inputOf, isReady, problemsOf } from './drafts';
import { changesHref } from './hrefs';
import { Options } from './Options';
import { ParameterFields } from './ParameterFields';
import { TemplateField } from './TemplateField';
import { useTemplate } from './useTemplate';

export interface StackFormProps {
  start: Draft;
  /** The stack that is changed; a new one without. */
  stack?: Stack;
  cancel: string;
}

export function StackForm({ start, stack, cancel }: StackFormProps) {
  const [draft, setDraft] = useState(start);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const change = (part: Partial<Draft>) => setDraft((known) => ({ ...known, ...part }));
  const checked = useTemplate(draft);
  const problems = problemsOf(draft, checked.summary, stack);
  const review = async () => {
    setAsked(true);
    if (!checked.summary || !isReady(problems) || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const input = inputOf(draft, checked.summary, stack, new Date());
      await createChangeSet(input);
      invalidate('cloudformation/');
      navigate(changesHref(input.StackName, input.ChangeSetName));
    } catch (failed) {
      setError(asAwsError(failed));
      setBusy(false);
    }
  };
  const shown = asked ? problems : { parameters: {} };
  const summary = checked.last;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void review();
      }}
    >
      <Form
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" formAction="none" href={cancel}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy}>
              Review changes
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          {!stack && (
            <Container>
              <FormField label="Stack name" errorText={shown.name}>
                <Input value={draft.name} onChange={({ detail }) => change({ name: detail.value })} placeholder="flights-lake" autoFocus autoComplete={false} />
              </FormField>
            </Container>
          )}
          <TemplateField draft={draft} onChange={change} checked={checked} problem={shown.template} />
          {summary && summary.parameters.length > 0 && (
            <ParameterFields declared={summary.parameters} draft={draft} stack={stack} problems={shown.parameters} onChange={(parameters) => change({ parameters })} />
          )}
          {summary && summary.capabilities.length > 0 && (
            <Capabilities summary={summary} acknowledged={draft.acknowledged} problem={shown.capabilities} onChange={(acknowledged) => change({ acknowledged })} />
          )}
          <ExpandableSection variant="container" headerText="Tags, role and failures">
            <Options draft={draft} onChange={change} isNew={!stack} />
          </ExpandableSection>
          {error && <ErrorBox error={error} what="The changes could not be reviewed" />}
        </SpaceBetween>
      </Form>
    </form>
  );
}

interface CapabilitiesProps {
  summary: TemplateSummary;
  acknowledged: boolean;
  problem: string | undefined;
  onChange: (acknowledged: boolean) => void;
}

function Capabilities({ summary, acknowledged, problem, onChange }: CapabilitiesProps) {
  const named = summary.capabilities.includes('CAPABILITY_NAMED_IAM');
  return (
    <Container header={<Header variant="h2">Capabilities</Header>}>
      <SpaceBetween size="s">
        <Alert type="info">{summary.capabilitiesReason ?? summary.capabilities.join(', ')}</Alert>
        <FormField errorText={problem}>
          <Checkbox checked={acknowledged} onChange={({ detail }) => onChange(detail.checked)}>
            I acknowledge that this template may make IAM resources{named ? ' with names of their own' : ''} ({summary.capabilities.join(', ')})
          </Checkbox>
        </FormField>
      </SpaceBetween>
    </Container>
  );
}
