/** An execution's events, and the details of one. */
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { HistoryEvent } from '../../aws/states';
import { JsonView } from '../../lib/editor';
import type { Live } from '../../lib/live';
import { useParam } from '../../lib/router';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { detailsOf } from './history';

export function EventList({ history }: { history: Live<readonly HistoryEvent[]> }) {
  const [chosen, setChosen] = useParam('event');
  const event = history.data?.find(({ id }) => String(id) === chosen);
  return (
    <SpaceBetween size="m">
      <DataTable
        label="Events"
        live={history}
        height={360}
        param="find"
        rowKey={({ id }) => String(id)}
        selected={new Set(chosen ? [chosen] : [])}
        single
        onSelect={(keys) => setChosen([...keys][0] ?? '')}
        onRowClick={({ id }) => setChosen(String(id))}
        columns={[
          {
            id: 'id',
            header: 'Event',
            width: 90,
            value: ({ id }) => id,
            cell: ({ id }) => (
              <Button variant="inline-link" onClick={() => setChosen(String(id))} ariaLabel={`Event ${id}`}>
                {id}
              </Button>
            ),
          },
          { id: 'type', header: 'Type', width: 230, value: ({ type }) => type, cell: ({ type }) => type },
          { id: 'about', header: 'About', value: about, cell: (one) => about(one) || '–' },
          { id: 'after', header: 'After event', width: 110, align: 'right', value: (one) => one.previousEventId, cell: (one) => one.previousEventId || '–' },
          { id: 'time', header: 'Time', width: 190, value: ({ timestamp }) => timestamp, cell: ({ timestamp }) => <Time at={timestamp} /> },
        ]}
      />
      {event && <JsonView label={`Event ${event.id}`} value={event} />}
    </SpaceBetween>
  );
}

function about(event: HistoryEvent): string {
  const { name, error, cause, resourceType, resource, index } = detailsOf(event);
  if (error !== undefined) return [error, cause].filter(Boolean).join(': ');
  if (name !== undefined) return index === undefined ? name : `${name} [${index}]`;
  return [resourceType, resource].filter(Boolean).join(': ');
}
