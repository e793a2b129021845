/** A role: what it may do, who may work in it, what does. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { getRole, setTags } from '../../../aws/iam';
import type { PageProps } from '../../../lib/area';
import { Frame, KeyValuePairs } from '../../../lib/frame';
import { auditHref, explainHref, policyHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Tags } from '../../../lib/tags';
import { Time } from '../../../lib/time';
import { Permissions } from './Permissions';
import { RemoveHolder } from './RemoveHolder';
import { Trust } from './Trust';
import { MOST_TAGS } from './UserPage';
import { usesOfRole } from './uses';

export default function RolePage({ params: { name = '' } }: PageProps) {
  const role = useLive(`iam/role/${name}`, () => getRole(name), { every: 15_000 });
  const arn = role.data?.arn ?? '';
  const [tab, setTab] = useParam('tab', 'permissions');
  const [removing, setRemoving] = useState(false);
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      <Button href={auditHref({ resource: arn, kind: 'all' })} disabled={!role.data}>
        Who assumed it
      </Button>
      <Button href={explainHref({ principal: arn })} disabled={!role.data}>
        Why was this denied?
      </Button>
      <Button disabled={!role.data} onClick={() => setRemoving(true)}>
        Delete
      </Button>
    </SpaceBetween>
  );
  return (
    <Frame title={name} description={role.data?.description || 'Role of IAM'} actions={actions}>
      <Shown live={role} what="The role can't be read">
        {(found) => (
          <SpaceBetween size="l">
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'ARN', value: <span className="bh-wrap">{found.arn}</span> },
                { label: 'Created', value: <Time at={found.created} /> },
                { label: 'Last used', value: found.used ? <Time at={found.used} relative /> : 'Never' },
                { label: 'Permissions boundary', value: found.boundary ? <Link href={policyHref(found.boundary)}>{found.boundary.split('/').at(-1)}</Link> : 'None' },
              ]}
            />
            <Tabs
              activeTabId={tab}
              onChange={({ detail }) => setTab(detail.activeTabId)}
              ariaLabel="Role"
              tabs={[
                { id: 'permissions', label: 'Permissions', content: tab === 'permissions' && <Permissions kind="Role" name={name} boundary={found.boundary} /> },
                { id: 'trust', label: 'Trust', contentRenderStrategy: 'lazy', content: <Trust role={found} /> },
                { id: 'uses', label: 'Used by', content: tab === 'uses' && <UsedBy arn={found.arn} /> },
                { id: 'tags', label: `Tags (${found.tags.length})`, content: tab === 'tags' && <Tags tags={found.tags} most={MOST_TAGS} onSave={async (tags) => { await setTags('Role', name, found.tags, tags); await role.refresh(); }} /> },
              ]}
            />
          </SpaceBetween>
        )}
      </Shown>
      {removing && <RemoveHolder kind="Role" name={name} arn={arn} onClose={() => setRemoving(false)} />}
    </Frame>
  );
}

function UsedBy({ arn }: { arn: string }) {
  const uses = useLive(`iam/uses/${arn}`, () => usesOfRole(arn), { every: 30_000 });
  return (
    <DataTable
      label="Used by"
      filter={false}
      live={uses}
      rowKey={({ kind, name }) => `${kind}/${name}`}
      description="Functions, Glue jobs, crawlers and state machines that work in it, of those that you may list."
      columns={[
        { id: 'name', header: 'Name', value: ({ name }) => name, cell: ({ name, href }) => <Link href={href}>{name}</Link> },
        { id: 'kind', header: 'Kind', width: 200, value: ({ kind }) => kind, cell: ({ kind }) => kind },
      ]}
      empty={<Empty title="None of them">Streams, schedules and people may work in it all the same: its audit trail tells.</Empty>}
    />
  );
}
