/** A bucket: its objects, its properties, who may do what, what becomes of objects. */
import Button from '@cloudscape-design/components/button';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import type { PageProps } from '../../lib/area';
import { Frame } from '../../lib/frame';
import { navigate, to, useParam } from '../../lib/router';
import { Management } from './Management';
import { Objects } from './Objects';
import { Permissions } from './Permissions';
import { Properties } from './Properties';
import { RemoveBucket } from './RemoveBucket';
import './storage.css';

export default function Bucket({ params }: PageProps) {
  const bucket = params.bucket ?? '';
  const [tab, setTab] = useParam('tab', 'objects');
  const [doomed, setDoomed] = useState(false);
  return (
    <Frame title={bucket} actions={<Button onClick={() => setDoomed(true)}>Delete bucket</Button>}>
      <Tabs
        activeTabId={tab}
        onChange={({ detail }) => setTab(detail.activeTabId)}
        ariaLabel="Bucket"
        tabs={[
          { id: 'objects', label: 'Objects', content: tab === 'objects' && <Objects bucket={bucket} /> },
          { id: 'properties', label: 'Properties', content: tab === 'properties' && <Properties bucket={bucket} /> },
          { id: 'permissions', label: 'Permissions', content: tab === 'permissions' && <Permissions bucket={bucket} /> },
          { id: 'management', label: 'Management', content: tab === 'management' && <Management bucket={bucket} /> },
        ]}
      />
      {doomed && <RemoveBucket bucket={bucket} onClose={() => setDoomed(false)} onDone={() => navigate(to('/storage'))} />}
    </Frame>
  );
}
