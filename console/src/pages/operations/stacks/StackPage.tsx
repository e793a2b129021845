/** A stack: how it is, what happened, what belongs to it, what it was made from, what could change. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type Stack, type StackEvent, describeStack, describeStackEvents, setProtection } from '../../../aws/cloudformation';
import type { PageProps } from '../../../lib/area';
import { Frame } from '../../../lib/frame';
import { invalidate, useLive } from '../../../lib/live';
import { notify, notifyError } from '../../../lib/notify';
import { useParam } from '../../../lib/router';
import { Shown } from '../../../lib/states';
import { Status } from '../../../lib/status';
import { canUpdate, isBusy, meaning, rootCause } from './causes';
import { ChangeSets } from './ChangeSets';
import { DeleteStack } from './DeleteStack';
import { Events } from './Events';
import { updateHref } from './hrefs';
import { Overview } from './Overview';
import { Resources } from './Resources';
import { stackName } from './rows';
import { TemplateView } from './TemplateView';
import '../operations.css';

/** Milliseconds between reads while it changes, and otherwise. */
export const paceOf = (stack: Stack | undefined) => (stack?.deleted ? undefined : stack && isBusy(stack.status) ? 1_200 : 8_000);

export default function StackPage({ params }: PageProps) {
  const name = params.name ?? '';
  const live = useLive(`cloudformation/stack/${name}`, () => describeStack(name), { every: paceOf });
  const [deleting, setDeleting] = useState(false);
  const stack = live.data;
  return (
    <Frame
      title={stackName(name)}
      description={stack?.description}
      info={stack && <Status state={stack.status} />}
      actions={stack && !stack.deleted && <Actions stack={stack} onDelete={() => setDeleting(true)} />}
    >
      <Shown live={live} what="The stack can't be read">
        {(found) => <Body stack={found} name={name} />}
      </Shown>
      {stack && deleting && <DeleteStack stack={stack} onClose={() => setDeleting(false)} />}
    </Frame>
  );
}

function Actions({ stack, onDelete }: { stack: Stack; onDelete: () => void }) {
  const protect = async () => {
    try {
      await setProtection(stack.name, !stack.isProtected);
      notify('success', stack.isProtected ? `${stack.name} can be deleted` : `${stack.name} is protected from deletion`);
      invalidate('cloudformation/');
    } catch (error) {
      notifyError('Termination protection was not changed', error);
    }
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <ButtonDropdown
        items={[{ id: 'protect', text: stack.isProtected ? 'Switch termination protection off' : 'Switch termination protection on' }]}
        onItemClick={() => void protect()}
      >
        More
      </ButtonDropdown>
      <Button onClick={onDelete} disabled={stack.isProtected || isBusy(stack.status)} disabledReason={stack.isProtected ? 'Termination protection is on' : ''}>
        Delete
      </Button>
      {canUpdate(stack.status) && (
        <Button variant="primary" href={updateHref(stack.name)}>
          Update
        </Button>
      )}
    </SpaceBetween>
  );
}

function Body({ stack, name }: { stack: Stack; name: string }) {
  const [tab, setTab] = useParam('tab', stack.status === 'REVIEW_IN_PROGRESS' ? 'changes' : isBusy(stack.status) ? 'events' : 'overview');
  // The status is part of the key, so that what came last is read when all is over.
  const events = useLive(`cloudformation/events/${stack.id}/${isBusy(stack.status) ? '' : stack.status}`, () => describeStackEvents(stack.id), { every: paceOf(stack) ?? 60_000 });
  return (
    <SpaceBetween size="l">
      <Trouble stack={stack} cause={rootCause(events.data ?? [])} onEvents={tab === 'events' ? undefined : () => setTab('events')} />
      <Tabs
        activeTabId={tab}
        onChange={({ detail }) => setTab(detail.activeTabId)}
        ariaLabel="Stack"
        tabs={[
          { id: 'overview', label: 'Overview', content: tab === 'overview' && <Overview stack={stack} /> },
          { id: 'events', label: 'Events', content: tab === 'events' && <Events events={events} cause={rootCause(events.data ?? [])} /> },
          { id: 'resources', label: 'Resources', content: tab === 'resources' && <Resources stack={stack} /> },
          { id: 'template', label: 'Template', content: tab === 'template' && <TemplateView key={stack.updated?.getTime()} stack={stack} /> },
          ...(stack.deleted ? [] : [{ id: 'changes', label: 'Change sets', content: tab === 'changes' && <ChangeSets stack={stack} name={name} /> }]),
        ]}
      />
    </SpaceBetween>
  );
}

const GOOD = /^(CREATE|UPDATE|DELETE)_COMPLETE/;

/** What went wrong first, and what that means. */
function Trouble({ stack, cause, onEvents }: { stack: Stack; cause: StackEvent | undefined; onEvents: (() => void) | undefined }) {
  const said = meaning(stack.status);
  if (GOOD.test(stack.status) || (!cause && !said)) return null;
  return (
    <Alert
      type={cause ? 'error' : 'info'}
      header={cause ? `${cause.logicalId} failed` : undefined}
      action={cause && onEvents ? <Button onClick={onEvents}>Show events</Button> : undefined}
    >
      <SpaceBetween size="xxs">
        {cause && (
          <div className="bh-wrap">
            <span className="bh-soft">{cause.type}</span> {cause.reason ?? cause.status}
          </div>
        )}
        {said && <div>{said}</div>}
      </SpaceBetween>
    </Alert>
  );
}
