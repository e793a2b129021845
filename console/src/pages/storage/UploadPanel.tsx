/** What is being uploaded into a bucket: all together, and one by one. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { bytes, count } from '../../lib/format';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { type UploadItem, cancel, clear, isActive, retry, useUploads } from './uploads';

export interface Sum {
  active: number;
  done: number;
  failed: number;
  cancelled: number;
  sent: number;
  size: number;
}

export function sumOf(items: readonly UploadItem[]): Sum {
  const of = (state: UploadItem['state']) => items.filter((item) => item.state === state).length;
  const counted = items.filter((item) => isActive(item) || item.state === 'done');
  return {
    active: items.filter(isActive).length,
    done: of('done'),
    failed: of('failed'),
    cancelled: of('cancelled'),
    sent: counted.reduce((sum, item) => sum + item.sent, 0),
    size: counted.reduce((sum, item) => sum + item.size, 0),
  };
}

function headline({ active, done, failed, cancelled }: Sum): string {
  const rest = [failed > 0 && `${count(failed)} failed`, cancelled > 0 && `${count(cancelled)} cancelled`].filter(Boolean);
  const first = active > 0 ? `Uploading ${count(active)} ${active === 1 ? 'file' : 'files'}` : `${count(done)} ${done === 1 ? 'file' : 'files'} uploaded`;
  return [first, ...(active > 0 && done > 0 ? [`${count(done)} done`] : []), ...rest].join(', ');
}

const STATES: Record<UploadItem['state'], string> = { waiting: 'WAITING', running: 'RUNNING', done: 'SUCCEEDED', failed: 'FAILED', cancelled: 'CANCELLED' };

export function UploadPanel({ bucket }: { bucket: string }) {
  const items = useUploads().filter((item) => item.bucket === bucket);
  const [open, setOpen] = useState(false);
  if (items.length === 0) return null;
  const sum = sumOf(items);
  const share = sum.size === 0 ? 100 : (sum.sent / sum.size) * 100;
  const details = open || sum.failed > 0;
  return (
    <Container
      disableContentPaddings={sum.active === 0 && !details}
      header={
        <Header
          variant="h3"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={() => setOpen(!open)} ariaExpanded={details}>
                {details ? 'Hide files' : 'Show files'}
              </Button>
              {sum.active > 0 ? (
                <Button onClick={() => cancel(items.filter(isActive).map(({ id }) => id))}>Cancel all</Button>
              ) : (
                <Button onClick={clear}>Close</Button>
              )}
            </SpaceBetween>
          }
        >
          <span role="status">{headline(sum)}</span>
        </Header>
      }
    >
      <SpaceBetween size="s">
        {sum.active > 0 && <ProgressBar value={share} ariaLabel="Upload" additionalInfo={`${bytes(sum.sent)} of ${bytes(sum.size)}`} />}
        {details && <Files items={items} />}
      </SpaceBetween>
    </Container>
  );
}

function Files({ items }: { items: readonly UploadItem[] }) {
  return (
    <DataTable
      label="Uploads"
      title={false}
      filter={false}
      height={220}
      items={items}
      rowKey={(item) => String(item.id)}
      columns={[
        { id: 'key', header: 'Key', value: (item) => item.key, cell: (item) => <span title={item.key}>{item.key}</span> },
        { id: 'size', header: 'Size', width: 110, align: 'right', value: (item) => item.size, cell: (item) => bytes(item.size) },
        {
          id: 'state',
          header: 'State',
          width: 330,
          value: (item) => item.state,
          cell: (item) => <Status state={STATES[item.state]} text={stateOf(item)} />,
        },
        {
          id: 'act',
          header: 'Action',
          width: 110,
          cell: (item) =>
            isActive(item) ? (
              <Button variant="inline-link" ariaLabel={`Cancel ${item.key}`} onClick={() => cancel([item.id])}>
                Cancel
              </Button>
            ) : item.state === 'done' ? null : (
              <Button variant="inline-link" ariaLabel={`Try again: ${item.key}`} onClick={() => retry(item.id)}>
                Try again
              </Button>
            ),
        },
      ]}
    />
  );
}

function stateOf(item: UploadItem): string {
  switch (item.state) {
    case 'running':
      return `${Math.floor(item.size === 0 ? 0 : (item.sent / item.size) * 100)} %`;
    case 'failed':
      return item.error ? `${item.error.code}: ${item.error.message}` : 'Failed';
    case 'waiting':
      return 'Waiting';
    case 'done':
      return 'Done';
    case 'cancelled':
      return 'Cancelled';
  }
}
