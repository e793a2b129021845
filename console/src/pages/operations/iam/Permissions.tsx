/** The policies of a user, role or group: what each one allows, and attaching, writing and taking them away. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import type { HolderKind } from '../../../aws/iam';
import { deleteInline, detach, setBoundary } from '../../../aws/iam-policies';
import { ConfirmDelete } from '../../../lib/confirm';
import { groupHref, policyHref } from '../../../lib/links';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { Empty, Shown } from '../../../lib/states';
import { AttachPolicy } from './AttachPolicy';
import { BoundaryDialog } from './BoundaryDialog';
import { type HeldPolicy, allPolicies, documentOfHeld, keyOf, sortOf } from './held';
import { InlinePolicy } from './InlinePolicy';
import { PolicyText } from './PolicyText';
import { SummaryTable } from './SummaryTable';

type Asked = { what: 'attach' | 'write' | 'boundary' | 'unbound' } | { what: 'edit' | 'remove'; policy: HeldPolicy };

export function Permissions({ kind, name, boundary }: { kind: HolderKind; name: string; boundary?: string | undefined }) {
  const policies = useLive(`iam/held/${kind}/${name}`, () => allPolicies(kind, name), { every: 15_000 });
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      <Button onClick={() => setAsked({ what: 'write' })}>Write inline policy</Button>
      <Button variant="primary" onClick={() => setAsked({ what: 'attach' })}>
        Attach policies
      </Button>
    </SpaceBetween>
  );
  return (
    <SpaceBetween size="l">
      <SpaceBetween size="s">
        <Header variant="h2" counter={policies.data ? `(${policies.data.length})` : ''} actions={actions} description="What all of them allow together, less what any of them denies.">
          Policies
        </Header>
        <Shown live={policies} what="The policies can't be read">
          {(found) =>
            found.length === 0 ? (
              <Empty title="No policies">Without one, every call is denied. Attach a policy, or write one of its own.</Empty>
            ) : (
              <SpaceBetween size="xs">
                {found.map((policy) => (
                  <Held key={keyOf(policy)} policy={policy} own={policy.holder.kind === kind} onEdit={() => setAsked({ what: 'edit', policy })} onRemove={() => setAsked({ what: 'remove', policy })} />
                ))}
              </SpaceBetween>
            )
          }
        </Shown>
      </SpaceBetween>
      {kind !== 'Group' && <Boundary arn={boundary} onSet={() => setAsked({ what: 'boundary' })} onRemove={() => setAsked({ what: 'unbound' })} />}
      {asked?.what === 'attach' && <AttachPolicy kind={kind} name={name} held={policies.data ?? []} onClose={close} />}
      {asked?.what === 'write' && <InlinePolicy kind={kind} name={name} onClose={close} />}
      {asked?.what === 'edit' && <InlinePolicy kind={kind} name={name} policy={asked.policy.name} onClose={close} />}
      {asked?.what === 'boundary' && kind !== 'Group' && <BoundaryDialog kind={kind} name={name} present={boundary} onClose={close} />}
      {asked?.what === 'remove' && <RemovePolicy policy={asked.policy} onClose={close} />}
      {asked?.what === 'unbound' && kind !== 'Group' && <Unbind kind={kind} name={name} onClose={close} />}
    </SpaceBetween>
  );
}

interface HeldProps {
  policy: HeldPolicy;
  /** Not a group's. */
  own: boolean;
  onEdit: () => void;
  onRemove: () => void;
}

function Held({ policy, own, onEdit, onRemove }: HeldProps) {
  const [open, setOpen] = useState(false);
  const through = own ? undefined : policy.holder.name;
  const actions = own && (
    <SpaceBetween direction="horizontal" size="xs">
      {policy.arn === undefined && (
        <Button onClick={onEdit} ariaLabel={`Edit ${policy.name}`}>
          Edit
        </Button>
      )}
      <Button onClick={onRemove} ariaLabel={`${policy.arn ? 'Detach' : 'Delete'} ${policy.name}`}>
        {policy.arn ? 'Detach' : 'Delete'}
      </Button>
    </SpaceBetween>
  );
  return (
    <ExpandableSection
      variant="container"
      expanded={open}
      onChange={({ detail }) => setOpen(detail.expanded)}
      headerText={policy.name}
      headerDescription={through ? `${sortOf(policy)}, through group ${through}` : sortOf(policy)}
      headerActions={actions}
    >
      {open && <Document policy={policy} through={through} />}
    </ExpandableSection>
  );
}

function Document({ policy, through }: { policy: HeldPolicy; through: string | undefined }) {
  const document = useLive(`iam/document/${keyOf(policy)}`, () => documentOfHeld(policy));
  return (
    <SpaceBetween size="s">
      <SpaceBetween direction="horizontal" size="m">
        {policy.arn && <Link href={policyHref(policy.arn)}>To the policy</Link>}
        {through && <Link href={groupHref(through)}>To the group</Link>}
      </SpaceBetween>
      <Shown live={document} what="The document can't be read">
        {(text) => (
          <Tabs
            ariaLabel={`Policy ${policy.name}`}
            tabs={[
              { id: 'summary', label: 'What it allows', content: <SummaryTable document={text} label={`What ${policy.name} allows`} /> },
              { id: 'json', label: 'JSON', content: <PolicyText document={text} label={`Document of ${policy.name}`} /> },
            ]}
          />
        )}
      </Shown>
    </SpaceBetween>
  );
}

function Boundary({ arn, onSet, onRemove }: { arn: string | undefined; onSet: () => void; onRemove: () => void }) {
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      {arn && <Button onClick={onRemove}>Remove boundary</Button>}
      <Button onClick={onSet}>{arn ? 'Change boundary' : 'Set boundary'}</Button>
    </SpaceBetween>
  );
  return (
    <SpaceBetween size="xs">
      <Header variant="h2" actions={actions} description="Whatever policies allow, nothing beyond the boundary is.">
        Permissions boundary
      </Header>
      {arn ? <Link href={policyHref(arn)}>{arn}</Link> : <Box color="text-body-secondary">None: only the policies bound what is allowed.</Box>}
    </SpaceBetween>
  );
}

function RemovePolicy({ policy, onClose }: { policy: HeldPolicy; onClose: () => void }) {
  const { arn, name, holder } = policy;
  const remove = async () => {
    await (arn ? detach(holder.kind, holder.name, arn) : deleteInline(holder.kind, holder.name, name));
    notify('success', `${holder.name} is without ${name}`);
    invalidate('iam/');
  };
  return (
    <ConfirmDelete what={`policy ${name}`} verb={arn ? 'Detach' : 'Delete'} onConfirm={remove} onClose={onClose}>
      <Alert type="warning">
        {holder.name} loses what {name} allows, from the next call on. {arn ? 'The policy itself stays.' : 'The document is gone with it.'}
      </Alert>
    </ConfirmDelete>
  );
}

function Unbind({ kind, name, onClose }: { kind: 'User' | 'Role'; name: string; onClose: () => void }) {
  const remove = async () => {
    await setBoundary(kind, name, undefined);
    notify('success', `${name} has no boundary any more`);
    invalidate('iam/');
  };
  return (
    <ConfirmDelete what={`the boundary of ${name}`} verb="Remove" onConfirm={remove} onClose={onClose}>
      <Alert type="warning">Then {name} may do everything that its policies allow.</Alert>
    </ConfirmDelete>
  );
}
