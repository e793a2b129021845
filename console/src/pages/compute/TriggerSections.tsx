/** What makes a function run, and who may invoke it. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { removePermission } from '../../aws/lambda-settings';
import { ConfirmDelete } from '../../lib/confirm';
import { invalidate, useLive } from '../../lib/live';
import { to } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { type Statement, type Trigger, principalOf, readTriggers, sourceOf, statementsOf } from './triggers';

export function TriggerSections({ name, arn }: { name: string; arn: string }) {
  const live = useLive(`lambda/triggers/${name}`, () => readTriggers(name, arn), { every: 15_000 });
  const [doomed, setDoomed] = useState<Statement>();
  return (
    <Shown live={live} what="What invokes the function can't be read">
      {({ found, policy, unread }) => (
        <SpaceBetween size="l">
          {unread.length > 0 && <Alert type="warning" header="Some triggers could not be read">{unread.join(' · ')}</Alert>}
          <TriggerList triggers={found} />
          <Policy statements={statementsOf(policy)} onRemove={setDoomed} />
          {doomed?.Sid && (
            <ConfirmDelete
              what={`the permission ${doomed.Sid}`}
              verb="Remove"
              onConfirm={async () => {
                await removePermission(name, doomed.Sid ?? '');
                invalidate('lambda/');
              }}
              onClose={() => setDoomed(undefined)}
            >
              {principalOf(doomed)} may then no longer invoke the function by it.
            </ConfirmDelete>
          )}
        </SpaceBetween>
      )}
    </Shown>
  );
}

function TriggerList({ triggers }: { triggers: readonly Trigger[] }) {
  return (
    <DataTable<Trigger>
      label="Triggers"
      description="Queues, buckets, routes, rules and schedules that invoke it. State machines and delivery streams name the function on their own pages."
      items={triggers}
      param="trigger"
      filter={triggers.length > 8}
      rowKey={({ id }) => id}
      columns={[
        { id: 'kind', header: 'Service', width: 150, value: ({ kind }) => kind, cell: ({ kind }) => kind },
        { id: 'source', header: 'Source', value: ({ source }) => source, cell: ({ source, href }) => (href ? <Link href={href}>{source}</Link> : source) },
        { id: 'detail', header: 'When', value: ({ detail }) => detail, cell: ({ detail }) => <span title={detail}>{detail}</span> },
        { id: 'state', header: 'State', width: 130, value: ({ state }) => state, cell: ({ state, source }) => (state ? <Link href={to('/compute/mappings', { q: source })}><Status state={state} /></Link> : '–') },
      ]}
      empty={<Empty title="Nothing invokes it by itself yet">A route of an API, a notification of a bucket, a rule of an event bus, a schedule or a queue can.</Empty>}
    />
  );
}

function Policy({ statements, onRemove }: { statements: readonly Statement[]; onRemove: (statement: Statement) => void }) {
  return (
    <DataTable<Statement>
      label="Resource policy"
      description="Who may invoke the function without a permission of their own."
      items={statements}
      param="permission"
      filter={statements.length > 8}
      rowKey={(statement) => statement.Sid ?? JSON.stringify(statement)}
      columns={[
        { id: 'sid', header: 'Statement', value: ({ Sid }) => Sid, cell: ({ Sid }) => Sid ?? '–' },
        { id: 'who', header: 'Principal', value: principalOf, cell: principalOf },
        { id: 'what', header: 'Action', width: 190, value: ({ Action }) => Action, cell: ({ Action }) => Action ?? '–' },
        { id: 'source', header: 'Source', value: sourceOf, cell: (one) => <span title={sourceOf(one)}>{sourceOf(one) ?? 'any'}</span> },
        {
          id: 'remove',
          header: 'Actions',
          width: 100,
          cell: (one) => (
            <Button variant="inline-link" disabled={!one.Sid} onClick={() => onRemove(one)} ariaLabel={`Remove ${one.Sid}`}>
              Remove
            </Button>
          ),
        },
      ]}
      empty={<Empty title="No permissions yet">AddPermission lets a service or another account invoke the function.</Empty>}
    />
  );
}
