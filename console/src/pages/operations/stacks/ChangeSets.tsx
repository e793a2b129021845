/** What could become of a stack: its change sets, what each of them would do, and doing it. */
import Alert from '@cloudscape-design/components/alert';
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Change, type ChangeSet, type Stack, deleteChangeSet, describeChangeSet, executeChangeSet, listChangeSets } from '../../../aws/cloudformation';
import { ConfirmDelete } from '../../../lib/confirm';
import { useDeed } from '../../../lib/form-dialog';
import { invalidate, useLive } from '../../../lib/live';
import { navigate, useParam } from '../../../lib/router';
import { Empty, ErrorBox, Shown } from '../../../lib/states';
import { Status } from '../../../lib/status';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { canUpdate, isBusy } from './causes';
import { changesHref, eventsHref, updateHref } from './hrefs';
import { TemplateDiff } from './TemplateDiff';

export function ChangeSets({ stack, name }: { stack: Stack; name: string }) {
  const sets = useLive(`cloudformation/changes/${stack.id}/${stack.status}`, () => listChangeSets(stack.id), { every: 15_000 });
  const [wanted] = useParam('set');
  const shown = sets.data?.find((set) => set.name === wanted) ?? sets.data?.find(({ execution }) => execution === 'AVAILABLE');
  return (
    <SpaceBetween size="l">
      {shown && <Details key={shown.id} stack={stack} set={shown.name} />}
      <DataTable
        label="Change sets"
        live={sets}
        rowKey={({ id }) => id}
        filter={(sets.data?.length ?? 0) > 8}
        param="sets"
        height={360}
        columns={[
          { id: 'name', header: 'Name', value: (set) => set.name, cell: (set) => <Link href={changesHref(name, set.name)}>{set.name}</Link> },
          { id: 'status', header: 'Status', width: 190, value: ({ status }) => status, cell: ({ status }) => <Status state={status} /> },
          { id: 'execution', header: 'Execution', width: 190, value: ({ execution }) => execution, cell: ({ execution }) => <Status state={execution} /> },
          { id: 'reason', header: 'Reason', value: ({ reason }) => reason, cell: ({ reason }) => <span title={reason}>{reason ?? '–'}</span> },
          { id: 'created', header: 'Created', width: 190, value: ({ created }) => created, cell: ({ created }) => <Time at={created} /> },
        ]}
        empty={
          <Empty title="No change sets" action={canUpdate(stack.status) && <Button href={updateHref(stack.name)}>Update</Button>}>
            A change set says what an update would do before it does it.
          </Empty>
        }
      />
    </SpaceBetween>
  );
}

function Details({ stack, set }: { stack: Stack; set: string }) {
  const live = useLive(`cloudformation/change/${stack.id}/${set}/${stack.status}`, () => describeChangeSet(stack.id, set));
  return (
    <Shown live={live} what="The change set can't be read">
      {(found) => <Preview stack={stack} set={found} />}
    </Shown>
  );
}

function Preview({ stack, set }: { stack: Stack; set: ChangeSet }) {
  const [deleting, setDeleting] = useState(false);
  const available = set.execution === 'AVAILABLE';
  const deed = useDeed(async () => {
    await executeChangeSet(stack.id, set.name);
    invalidate('cloudformation/');
    navigate(eventsHref(stack.name));
  }, available && !isBusy(stack.status));
  return (
    <Container
      header={
        <Header
          variant="h2"
          info={<Status state={set.execution} />}
          description={set.description}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={() => setDeleting(true)}>Delete change set</Button>
              {available && (
                <Button variant="primary" loading={deed.busy} disabled={isBusy(stack.status)} onClick={() => void deed.run()}>
                  Execute
                </Button>
              )}
            </SpaceBetween>
          }
        >
          {set.name}
        </Header>
      }
    >
      <SpaceBetween size="m">
        {deed.error && <ErrorBox error={deed.error} what="It was not executed" />}
        {set.status === 'FAILED' && <Alert type="info">{set.reason}</Alert>}
        {set.changes.some(loses) && (
          <Alert type="warning" header="Something is replaced or removed">
            What is replaced is made anew, and the old one is deleted afterwards, unless its UpdateReplacePolicy says Retain.
          </Alert>
        )}
        {set.changes.length > 0 && <Changes changes={set.changes} />}
        {set.changes.length === 0 && set.status !== 'FAILED' && <span className="bh-soft">No resource changes: only parameters, tags or outputs do.</span>}
        {stack.status !== 'REVIEW_IN_PROGRESS' && available && <TemplateDiff stack={stack} set={set.name} />}
      </SpaceBetween>
      {deleting && (
        <ConfirmDelete
          what={`change set ${set.name}`}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await deleteChangeSet(stack.id, set.name);
            invalidate('cloudformation/');
          }}
        >
          The stack stays as it is.
        </ConfirmDelete>
      )}
    </Container>
  );
}

const loses = ({ action, replacement }: Change) => action === 'Remove' || replacement === 'True';

const COLOURS: Record<string, 'green' | 'blue' | 'red'> = { Add: 'green', Modify: 'blue', Remove: 'red' };

const REPLACED: Record<string, string> = { True: 'Yes', False: 'No', Conditional: 'Perhaps' };

function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    <DataTable
      label="Changes"
      title={false}
      items={changes}
      filter={changes.length > 8}
      param="changes"
      height={460}
      rowKey={({ logicalId, action }) => `${action} ${logicalId}`}
      columns={[
        { id: 'action', header: 'Action', width: 110, value: ({ action }) => action, cell: ({ action }) => <Badge color={COLOURS[action] ?? 'grey'}>{action}</Badge> },
        { id: 'logical', header: 'Logical id', value: ({ logicalId }) => logicalId, cell: ({ logicalId }) => <strong>{logicalId}</strong> },
        { id: 'type', header: 'Type', width: 260, value: ({ type }) => type, cell: ({ type }) => type },
        { id: 'physical', header: 'Physical id', value: ({ physicalId }) => physicalId, cell: ({ physicalId }) => <span title={physicalId}>{physicalId ?? '–'}</span> },
        { id: 'replacement', header: 'Replaced', width: 110, value: ({ replacement }) => replacement, cell: ({ replacement }) => REPLACED[replacement ?? ''] ?? '–' },
        { id: 'properties', header: 'Properties', value: ({ properties }) => properties.join(', '), cell: ({ properties }) => <span title={properties.join(', ')}>{properties.join(', ') || '–'}</span> },
      ]}
    />
  );
}
