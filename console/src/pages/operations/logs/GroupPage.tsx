/** A log group: its events, all or of some streams, and its streams. */
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type LogGroup, findGroup } from '../../../aws/logs';
import { bytes } from '../../../lib/format';
import { Frame } from '../../../lib/frame';
import { useLive } from '../../../lib/live';
import { LogView } from '../../../lib/log-view';
import { navigate, to, useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { DeleteGroups } from './DeleteGroups';
import { listOf, searchHref } from './hrefs';
import { RetentionDialog } from './RetentionDialog';
import { retentionText } from './retention';
import { StreamField } from './StreamField';
import { Streams } from './Streams';
import '../operations.css';

export default function GroupPage() {
  const [name] = useParam('name');
  const live = useLive(`logs/group/${name}`, () => findGroup(name), { every: 20_000 });
  const [dialog, setDialog] = useState<'retention' | 'delete'>();
  const group = live.data;
  const close = () => setDialog(undefined);
  return (
    <Frame
      title={name}
      info={group && <Facts group={group} />}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={!group} onClick={() => setDialog('delete')}>
            Delete
          </Button>
          <Button disabled={!group} onClick={() => setDialog('retention')}>
            Set retention
          </Button>
          <Button iconName="search" href={searchHref([name])}>
            Search with others
          </Button>
        </SpaceBetween>
      }
    >
      {live.error?.isMissing ? (
        <Empty title="There is no such log group" action={<Button href={to('/operations/logs')}>All log groups</Button>}>
          A function's group is made by its first invocation, a job's by its first run. It shows up here as soon as it is.
        </Empty>
      ) : (
        <Shown live={live} what="The log group can't be read">
          {() => <Body name={name} />}
        </Shown>
      )}
      {group && dialog === 'retention' && <RetentionDialog groups={[group]} onClose={close} />}
      {group && dialog === 'delete' && <DeleteGroups names={[name]} onClose={close} onDeleted={() => navigate(to('/operations/logs'))} />}
    </Frame>
  );
}

function Facts({ group }: { group: LogGroup }) {
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Badge>{bytes(group.storedBytes)}</Badge>
      <Badge>{retentionText(group.retentionInDays)}</Badge>
    </SpaceBetween>
  );
}

function Body({ name }: { name: string }) {
  const [tab, setTab] = useParam('tab', 'events');
  const [chosen, setChosen] = useParam('stream');
  const streams = listOf(chosen, ':');
  return (
    <Tabs
      ariaLabel="Log group"
      activeTabId={tab}
      onChange={({ detail }) => setTab(detail.activeTabId)}
      tabs={[
        {
          id: 'events',
          label: 'Events',
          content: tab === 'events' && (
            <LogView
              group={name}
              {...(streams.length > 0 ? { streams } : {})}
              // Whoever comes for a stream wants all of it.
              range={streams.length > 0 ? 'all' : '1d'}
              histogram
              tools={<StreamField group={name} chosen={streams} onChange={(names) => setChosen(names.join(':'))} />}
              height="max(280px, calc(100vh - 490px))"
              empty={<Empty title="No events">Events stand here as soon as somebody writes them.</Empty>}
            />
          ),
        },
        { id: 'streams', label: 'Streams', content: tab === 'streams' && <Streams group={name} /> },
      ]}
    />
  );
}
