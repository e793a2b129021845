/** A function: its code, a way to try it, how it fares, its log, its settings, its versions. */
import Alert from '@cloudscape-design/components/alert';
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type FunctionDetails, deleteFunction, getFunction, logGroupOf } from '../../aws/lambda';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame } from '../../lib/frame';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to, useParam } from '../../lib/router';
import { Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { CodeTab } from './CodeTab';
import { ConfigTab } from './ConfigTab';
import { NO_DRAFT, isDirty, setDraft, useDraft } from './draft';
import { tabHref } from './hrefs';
import { LogsTab } from './LogsTab';
import { MonitorTab } from './MonitorTab';
import { runtimeLabel } from './starters';
import { TestTab } from './TestTab';
import { VersionsTab } from './VersionsTab';
import './compute.css';

export default function FunctionPage({ params: { name = '' } }: PageProps) {
  const live = useLive(`lambda/function/${name}`, () => getFunction(name), { every: 5_000 });
  const [removing, setRemoving] = useState(false);
  const config = live.data?.Configuration;
  return (
    <Frame
      title={name}
      description={config?.Description || config?.FunctionArn}
      info={
        config && (
          <span className="bh-inline">
            <Badge>{runtimeLabel(config.Runtime)}</Badge>
            <Status state={config.State} />
          </span>
        )
      }
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={!config} onClick={() => setRemoving(true)}>
            Delete
          </Button>
          <Button disabled={!config} href={tabHref(name, 'test')}>
            Test
          </Button>
        </SpaceBetween>
      }
    >
      <Shown live={live} what="The function can't be read">
        {(details) => <Body details={details} />}
      </Shown>
      {removing && config && (
        <ConfirmDelete
          what={`function ${name}`}
          typed={name}
          onConfirm={async () => {
            await deleteFunction(name);
            setDraft(name, NO_DRAFT);
            notify('success', `${name} is deleted`);
            navigate(to('/compute'));
            invalidate('lambda/');
          }}
          onClose={() => setRemoving(false)}
        >
          <Alert type="warning">
            Its code, versions and aliases go with it, and whatever invokes it fails from then on. Its log {logGroupOf(config)} and its role stay.
          </Alert>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Body({ details }: { details: FunctionDetails }) {
  const config = details.Configuration;
  const [tab] = useParam('tab', 'code');
  const dirty = isDirty(useDraft(config.FunctionName));
  const content = {
    code: <CodeTab config={config} />,
    test: <TestTab config={config} />,
    monitor: <MonitorTab config={config} />,
    logs: <LogsTab config={config} />,
    configuration: <ConfigTab details={details} />,
    versions: <VersionsTab config={config} />,
  };
  const labels: Record<keyof typeof content, string> = {
    code: dirty ? 'Code (not deployed)' : 'Code',
    test: 'Test',
    monitor: 'Monitor',
    logs: 'Logs',
    configuration: 'Configuration',
    versions: 'Versions and aliases',
  };
  return (
    <Tabs
      ariaLabel="Function"
      activeTabId={tab}
      // Another tab is another place: filters and ranges of this one stay behind.
      onChange={({ detail }) => navigate(tabHref(config.FunctionName, detail.activeTabId))}
      tabs={(Object.keys(content) as (keyof typeof content)[]).map((id) => ({ id, label: labels[id], content: tab === id && content[id] }))}
    />
  );
}
