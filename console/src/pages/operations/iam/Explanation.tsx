/** The answer: the verdict, what each document said, what was not known, what to add. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import { useState } from 'react';

import { AwsError } from '../../../aws/error';
import { groupHref, policyHref, roleHref, userHref } from '../../../lib/links';
import { ErrorBox } from '../../../lib/states';
import { conditionWords, many } from './document';
import { type Explained, type Question, type Weighed } from './explain';
import { keyOf, sortOf } from './held';
import { PolicyText } from './PolicyText';
import { TrustWords } from './Trust';
import { VerdictBox } from './VerdictBox';
import { WhatIf } from './WhatIf';

export interface ExplanationProps {
  question: Omit<Question, 'context'>;
  explained: Explained;
  context: string;
  onContext: (context: string) => void;
}

export function Explanation({ question, explained, context, onContext }: ExplanationProps) {
  const { verdict, trust } = explained;
  return (
    <SpaceBetween size="l">
      <VerdictBox verdict={verdict} action={question.action} beyondBoundary={verdict.withinBoundary === false && explained.allowedWithoutBoundary}>
        <p className="bh-soft">
          For {explained.arn} on {question.resource === '*' ? 'any resource' : question.resource}
        </p>
      </VerdictBox>
      {verdict.missing.length > 0 && verdict.decision !== 'explicitDeny' && <Missing keys={verdict.missing} context={context} onContext={onContext} />}
      <div className={verdict.decision === 'implicitDeny' ? 'bh-beside bh-beside-wide' : ''}>
        <Container header={<Header variant="h2" description="A deny anywhere wins; else a policy must allow it, within the boundary.">What was weighed</Header>}>
          <Documents explained={explained} question={question} />
        </Container>
        {verdict.decision === 'implicitDeny' && <WhatIf question={question} explained={explained} context={context} />}
      </div>
      {trust && (
        <Container header={<Header variant="h2" description="Whatever the caller's policies allow, the role must let it in as well.">Trust policy of {trust.role}</Header>}>
          <SpaceBetween size="s">
            <TrustWords document={trust.document} />
            <Link href={`${roleHref(trust.role)}?tab=trust`}>To the trust policy</Link>
          </SpaceBetween>
        </Container>
      )}
    </SpaceBetween>
  );
}

const SAID: Record<Weighed['says'], [StatusIndicatorProps.Type, string]> = {
  denies: ['error', 'Denies it'],
  allows: ['success', 'Allows it'],
  near: ['warning', 'Comes near'],
  nothing: ['stopped', 'Says nothing of it'],
};
const ORDER = ['denies', 'allows', 'near', 'nothing'];

function Documents({ explained, question }: { explained: Explained; question: ExplanationProps['question'] }) {
  const { policies, boundary, verdict, resource } = explained;
  const sorted = policies instanceof AwsError ? [] : [...policies].sort((a, b) => ORDER.indexOf(a.says) - ORDER.indexOf(b.says));
  return (
    <ul className="bh-weighed" aria-label="What was weighed">
      {policies instanceof AwsError && (
        <li>
          <ErrorBox error={policies} what="The policies were weighed, but you may not read them" />
        </li>
      )}
      {!(policies instanceof AwsError) && sorted.length === 0 && <li className="bh-soft">{question.name} has no policies: nothing allows it anything.</li>}
      {sorted.map((weighed) => (
        <OfPrincipal key={keyOf(weighed.policy)} weighed={weighed} />
      ))}
      {boundary && (
        <Row title="Permissions boundary" href={policyHref(boundary.arn)} name={boundary.arn.split('/').at(-1) ?? ''} type={verdict.withinBoundary ? 'success' : 'error'} said={verdict.withinBoundary ? 'Lets it through' : 'Does not let it through'}>
          {boundary.document !== undefined && <Text name="the boundary" document={boundary.document} marks={[]} open={false} />}
        </Row>
      )}
      {resource instanceof AwsError ? (
        <Row title="Policy of the resource" name="" type="info" said={`Not weighed: ${resource.code}`} />
      ) : (
        resource && (
          <Row title="Policy of the resource" name="" type={resource.marks.length === 0 ? 'stopped' : verdict.decision === 'allowed' ? 'success' : 'error'} said={resource.marks.length === 0 ? 'Says nothing of it' : verdict.decision === 'allowed' ? 'Allows it' : 'Denies it'}>
            <Text name="the resource's policy" document={resource.document} marks={resource.marks} open={resource.marks.length > 0} />
          </Row>
        )
      )}
    </ul>
  );
}

const HREF = { User: userHref, Role: roleHref, Group: groupHref };

function OfPrincipal({ weighed: { policy, document, says, marks, near } }: { weighed: Weighed }) {
  const [type, said] = SAID[says];
  const { arn, holder, name } = policy;
  const title = `${sortOf(policy)}, of ${holder.kind.toLowerCase()} ${holder.name}`;
  return (
    <Row title={title} name={name} href={arn ? policyHref(arn) : HREF[holder.kind](holder.name)} type={type} said={said}>
      {near.length > 0 && (
        <ul className="bh-words">
          {near.map(({ at, statement, lacks }) => (
            <li key={at}>
              {lacks === 'resource'
                ? `Statement ${statement.Sid ?? at + 1} allows the action, but on ${many(statement.Resource).join(', ') || 'other resources'} only.`
                : `Statement ${statement.Sid ?? at + 1} allows it only if ${conditionWords(statement.Condition).join(' and ')}.`}
            </li>
          ))}
        </ul>
      )}
      <Text name={name} document={document} marks={marks} open={marks.length > 0} />
    </Row>
  );
}

interface RowProps {
  title: string;
  name: string;
  href?: string;
  type: StatusIndicatorProps.Type;
  said: string;
  children?: React.ReactNode;
}

function Row({ title, name, href, type, said, children }: RowProps) {
  return (
    <li>
      <div className="bh-weighed-head">
        <span>
          {name && (href ? <Link href={href}>{name}</Link> : <strong>{name}</strong>)} <span className="bh-soft">{title}</span>
        </span>
        <StatusIndicator type={type}>{said}</StatusIndicator>
      </div>
      {children}
    </li>
  );
}

function Text({ name, document, marks, open }: { name: string; document: string; marks: Weighed['marks']; open: boolean }) {
  return (
    <ExpandableSection headerText="Document" defaultExpanded={open}>
      <PolicyText label={`Document of ${name}`} document={document} marks={marks} />
    </ExpandableSection>
  );
}

/** Condition keys that policies ask about and the question did not tell. */
function Missing({ keys, context, onContext }: { keys: readonly string[]; context: string; onContext: (context: string) => void }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const told = Object.entries(values).filter(([, value]) => value !== '');
  const submit = () => onContext([context, ...told.map(([key, value]) => `${key} = ${value}`)].filter(Boolean).join('\n'));
  return (
    <Alert type="info" header="Policies ask about something that is not known">
      <SpaceBetween size="s">
        <span>A condition on what is not known does not hold. Tell what the call had, and it is weighed anew.</span>
        {keys.map((key) => (
          <FormField key={key} label={key}>
            <Input value={values[key] ?? ''} onChange={({ detail }) => setValues({ ...values, [key]: detail.value })} onKeyDown={({ detail }) => detail.key === 'Enter' && submit()} />
          </FormField>
        ))}
        <Button disabled={told.length === 0} onClick={submit}>
          Ask again
        </Button>
      </SpaceBetween>
    </Alert>
  );
}
