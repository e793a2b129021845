/** What happened to a stack and its resources, the newest first. */
import Badge from '@cloudscape-design/components/badge';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { StackEvent } from '../../../aws/cloudformation';
import type { Live } from '../../../lib/live';
import { Empty } from '../../../lib/states';
import { Status } from '../../../lib/status';
import { DataTable } from '../../../lib/table';
import { resourceHref } from '../../../lib/links';
import { Time } from '../../../lib/time';
import { isOfStack } from './causes';

export function Events({ events, cause }: { events: Live<StackEvent[]>; cause: StackEvent | undefined }) {
  return (
    <DataTable
      label="Events"
      live={events}
      rowKey={({ id }) => id}
      height="max(320px, calc(100vh - 420px))"
      columns={[
        { id: 'time', header: 'Time', width: 185, value: ({ time }) => time, cell: ({ time }) => <Time at={time} /> },
        { id: 'resource', header: 'Resource', width: 290, value: ({ logicalId, type, physicalId }) => `${logicalId} ${type} ${physicalId ?? ''}`, cell: (event) => <Resource event={event} isCause={event.id === cause?.id} /> },
        { id: 'status', header: 'Status', width: 205, value: ({ status }) => status, cell: ({ status }) => <Status state={status} /> },
        { id: 'reason', header: 'Reason', value: ({ reason }) => reason, cell: ({ reason }) => <span className="bh-whole">{reason ?? '–'}</span> },
      ]}
      empty={<Empty title="Nothing happened yet" />}
    />
  );
}

function Resource({ event, isCause }: { event: StackEvent; isCause: boolean }) {
  const { logicalId, physicalId, type, status } = event;
  // An event of the stack itself leads to where one is.
  const href = physicalId && status !== 'DELETE_COMPLETE' && !isOfStack(event) ? resourceHref(type, physicalId) : undefined;
  return (
    <>
      <SpaceBetween direction="horizontal" size="xs">
        {href ? <Link href={href}>{logicalId}</Link> : <strong title={logicalId}>{logicalId}</strong>}
        {isCause && <Badge color="red">Root cause</Badge>}
      </SpaceBetween>
      <span className="bh-soft bh-second" title={physicalId}>
        {type}
      </span>
    </>
  );
}
