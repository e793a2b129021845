/** Why was this denied? Takes who, what and on which resource; shows what every policy says, and what to add. */
import Alert from '@cloudscape-design/components/alert';
import Autosuggest from '@cloudscape-design/components/autosuggest';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useEffect, useState } from 'react';

import { listGroups, listRoles, listUsers } from '../../../aws/iam';
import { Frame } from '../../../lib/frame';
import { auditHref, explainHref, roleHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { navigate, useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { ActionInput } from './ActionInput';
import { type Denial, parseContext, parseDenial, sourceOf } from './denial';
import { Explanation } from './Explanation';
import { type Question as Asked, explain } from './explain';
import './iam.css';

const ACTION = /^[\w-]+:\w+$/;

export default function Explain() {
  const [principal] = useParam('principal');
  const [action] = useParam('action');
  const [resource] = useParam('resource', '*');
  const [context] = useParam('context');
  const asked = principal !== '' && ACTION.test(action);
  return (
    <Frame title="Why was this denied?" description="Asks the policies the way the platform asks them at every call, and shows which one decides.">
      <Question key={`${principal} ${action} ${resource}`} present={{ principal, action, resource }} context={context} />
      {asked ? <Answer denial={{ principal, action, resource }} context={context} /> : <Nothing />}
    </Frame>
  );
}

const ask = (denial: Denial, context: string) => navigate(explainHref({ ...denial, context }));

function Nothing() {
  return (
    <Empty title="Nothing asked yet" action={<Button href={auditHref({ kind: 'denied' })}>Calls that were denied</Button>}>
      Choose who called and what was called, or paste the error that came back. The audit log leads here from each call that was denied.
    </Empty>
  );
}

function Question({ present, context }: { present: Denial; context: string }) {
  const [draft, setDraft] = useState(present);
  const [keys, setKeys] = useState(context);
  const [message, setMessage] = useState('');
  useEffect(() => setKeys(context), [context]);
  const change = (what: Partial<Denial>) => setDraft((now) => ({ ...now, ...what }));
  const ready = draft.principal !== '' && ACTION.test(draft.action);
  const submit = () => ready && ask({ ...draft, resource: draft.resource || '*' }, keys);
  const paste = (text: string) => {
    setMessage(text);
    const found = parseDenial(text);
    if (found) ask(found, keys);
  };
  return (
    <Container>
      <SpaceBetween size="m">
        <div className="bh-question">
          <FormField label="Who" description="A user, role or group, or the session of a role">
            <PrincipalInput value={draft.principal} onChange={(value) => change({ principal: value })} />
          </FormField>
          <FormField label="Did what" description="The action">
            <ActionInput value={draft.action} onChange={(value) => change({ action: value })} />
          </FormField>
          <FormField label="To what" description="The resource's ARN, or *">
            <Input ariaLabel="Resource" value={draft.resource} onChange={({ detail }) => change({ resource: detail.value })} onKeyDown={({ detail }) => detail.key === 'Enter' && submit()} />
          </FormField>
        </div>
        <div className="bh-beside">
          <ExpandableSection headerText="Paste an error message" defaultExpanded={present.principal === ''}>
            <FormField label="Error message" errorText={message.trim() !== '' && !parseDenial(message) && 'It does not say “… is not authorized to perform: …”, so it is not from a policy.'} stretch>
              <Textarea rows={3} value={message} onChange={({ detail }) => paste(detail.value)} placeholder="User: arn:aws:iam::000000000000:user/ann is not authorized to perform: glue:GetTable on resource: …" />
            </FormField>
          </ExpandableSection>
          <ExpandableSection headerText="What else was known of the call" defaultExpanded={context !== ''}>
            <FormField label="Condition keys" description="One a line, such as aws:SourceIp = 10.0.0.1" stretch>
              <Textarea rows={3} value={keys} onChange={({ detail }) => setKeys(detail.value)} />
            </FormField>
          </ExpandableSection>
        </div>
        <Button variant="primary" disabled={!ready} onClick={submit}>
          Explain
        </Button>
      </SpaceBetween>
    </Container>
  );
}

function PrincipalInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const users = useLive('iam/users', () => listUsers());
  const roles = useLive('iam/roles', () => listRoles());
  const groups = useLive('iam/groups', () => listGroups());
  const options = [
    { label: 'Users', options: (users.data ?? []).map(({ arn, name }) => ({ value: arn, label: arn, description: name })) },
    { label: 'Roles', options: (roles.data ?? []).map(({ arn, name }) => ({ value: arn, label: arn, description: name })) },
    { label: 'Groups', options: (groups.data ?? []).map(({ arn, name }) => ({ value: arn, label: arn, description: name })) },
  ].filter((group) => group.options.length > 0);
  return (
    <Autosuggest
      ariaLabel="Who"
      value={value}
      options={options}
      placeholder="arn:aws:iam::000000000000:user/ann"
      enteredTextLabel={(text) => `Use ${text}`}
      empty="Type an ARN"
      virtualScroll
      onChange={({ detail }) => onChange(detail.value.trim())}
    />
  );
}

function Answer({ denial, context }: { denial: Denial; context: string }) {
  const { kind, name } = sourceOf(denial.principal);
  if (kind === 'root') return <Alert type="info" header="Root may do everything">No policy of IAM holds for root. Only the policy of a bucket can deny it something.</Alert>;
  if (kind === 'service') return <OfService service={name} denial={denial} />;
  if (kind === 'other') return <Alert type="warning" header="Nobody with policies of their own">IAM knows users, roles and groups; {name} is none of them. What a federated session may do, its user and its session policies say together.</Alert>;
  return <Weighing question={{ ...denial, kind, name }} denial={denial} context={context} />;
}

interface WeighingProps {
  question: Omit<Asked, 'context'>;
  denial: Denial;
  context: string;
}

function Weighing({ question, denial, context }: WeighingProps) {
  const key = `iam/explain/${denial.principal} ${denial.action} ${denial.resource} ${context}`;
  const explained = useLive(key, () => explain({ ...question, context: parseContext(context) }));
  return (
    <Shown live={explained} what="It can't be explained">
      {(found) => <Explanation question={question} explained={found} context={context} onContext={(next) => ask(denial, next)} />}
    </Shown>
  );
}

function OfService({ service, denial }: { service: string; denial: Denial }) {
  const role = /:role\/(?:.*\/)?([^/]+)$/.exec(denial.resource)?.[1];
  return (
    <Alert type="warning" header={`${service} asked in its own name`}>
      {role ? (
        <>
          The trust policy of <Link href={`${roleHref(role)}?tab=trust`}>{role}</Link> must say that {service} may work in it.
        </>
      ) : (
        `What ${service} may do, the policy of ${denial.resource} says.`
      )}
    </Alert>
  );
}
