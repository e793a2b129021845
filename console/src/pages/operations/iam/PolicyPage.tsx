/** A managed policy: what it allows, its document and versions, who holds it. */
import Alert from '@cloudscape-design/components/alert';
import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type HolderKind, iam, setTags } from '../../../aws/iam';
import { type Entity, type PolicyDetails, detach, getPolicy, isAws, policyEntities, policyVersions, setBoundary, versionDocument } from '../../../aws/iam-policies';
import type { PageProps } from '../../../lib/area';
import { ConfirmDelete } from '../../../lib/confirm';
import { Frame, KeyValuePairs } from '../../../lib/frame';
import { groupHref, roleHref, userHref } from '../../../lib/links';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate, to, useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Tags } from '../../../lib/tags';
import { Time } from '../../../lib/time';
import { kindOf } from './AttachPolicy';
import { PolicyDocument } from './PolicyDocument';
import { SummaryTable } from './SummaryTable';
import { TryPolicy } from './TryPolicy';
import { MOST_TAGS } from './UserPage';
import { Versions } from './Versions';

const HREF: Record<HolderKind, (name: string) => string> = { User: userHref, Role: roleHref, Group: groupHref };

export default function PolicyPage({ params: { arn = '' } }: PageProps) {
  const policy = useLive(`iam/policy/${arn}`, () => getPolicy(arn), { every: 15_000 });
  const version = policy.data?.defaultVersion ?? '';
  const document = useLive(`iam/version/${arn}/${version}`, () => versionDocument(arn, version), { enabled: version !== '' });
  const [tab, setTab] = useParam('tab', 'summary');
  const [removing, setRemoving] = useState(false);
  const name = arn.split('/').at(-1) ?? arn;
  const own = !isAws(arn);
  const actions = own && (
    <Button disabled={!policy.data} onClick={() => setRemoving(true)}>
      Delete
    </Button>
  );
  const shown = (content: (text: string) => React.ReactNode) => (
    <Shown live={document} what="The document can't be read">
      {content}
    </Shown>
  );
  return (
    <Frame title={name} info={<Badge>{kindOf(arn)}</Badge>} description={policy.data?.description ?? ''} actions={actions}>
      <Shown live={policy} what="The policy can't be read">
        {(found) => (
          <SpaceBetween size="l">
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'ARN', value: <span className="bh-wrap">{found.arn}</span> },
                { label: 'Version that counts', value: found.defaultVersion },
                { label: 'Changed', value: <Time at={found.updated} /> },
                { label: 'Attached to', value: `${found.attachments}${found.boundaries > 0 ? `, boundary of ${found.boundaries}` : ''}` },
              ]}
            />
            <Tabs
              activeTabId={tab}
              onChange={({ detail }) => setTab(detail.activeTabId)}
              ariaLabel="Policy"
              tabs={[
                { id: 'summary', label: 'What it allows', content: tab === 'summary' && shown((text) => <SummaryTable document={text} label={`What ${name} allows`} />) },
                { id: 'document', label: 'Document', contentRenderStrategy: 'lazy', content: shown((text) => <PolicyDocument policy={found} document={text} editable={own} />) },
                { id: 'try', label: 'Try it', content: tab === 'try' && shown((text) => <TryPolicy document={text} />) },
                { id: 'versions', label: 'Versions', content: tab === 'versions' && <Versions policy={found} editable={own} /> },
                { id: 'entities', label: 'Attached to', content: tab === 'entities' && <Entities policy={found} /> },
                ...(own ? [{ id: 'tags', label: `Tags (${found.tags.length})`, content: tab === 'tags' && <Tags tags={found.tags} most={MOST_TAGS} onSave={async (tags) => { await setTags('Policy', arn, found.tags, tags); await policy.refresh(); }} /> }] : []),
              ]}
            />
          </SpaceBetween>
        )}
      </Shown>
      {removing && policy.data && <RemovePolicy policy={policy.data} onClose={() => setRemoving(false)} />}
    </Frame>
  );
}

function Entities({ policy: { arn, name } }: { policy: PolicyDetails }) {
  const entities = useLive(`iam/entities/${arn}`, () => policyEntities(arn), { every: 15_000 });
  const [doomed, setDoomed] = useState<Entity>();
  return (
    <>
      <DataTable
        label="Attached to"
        live={entities}
        rowKey={(entity) => `${entity.as}/${entity.kind}/${entity.name}`}
        columns={[
          { id: 'name', header: 'Name', value: (entity) => entity.name, cell: (entity) => <Link href={HREF[entity.kind](entity.name)}>{entity.name}</Link> },
          { id: 'kind', header: 'Kind', width: 140, value: (entity) => entity.kind, cell: (entity) => entity.kind },
          { id: 'as', header: 'As', width: 200, value: (entity) => entity.as, cell: (entity) => (entity.as === 'boundary' ? 'Permissions boundary' : 'Permissions') },
          { id: 'actions', header: 'Actions', width: 120, cell: (entity) => <Button variant="inline-link" ariaLabel={`Detach from ${entity.name}`} onClick={() => setDoomed(entity)}>Detach</Button> },
        ]}
        empty={<Empty title="Attached to nobody">It counts once a user, group or role has it: attach it on their page.</Empty>}
      />
      {doomed && (
        <ConfirmDelete
          what={`${name} from ${doomed.name}`}
          verb="Detach"
          onClose={() => setDoomed(undefined)}
          onConfirm={async () => {
            await release(arn, doomed);
            notify('success', `${doomed.name} is without ${name}`);
            invalidate('iam/');
          }}
        >
          {doomed.as === 'boundary' ? `Then ${doomed.name} may do everything that its policies allow.` : `${doomed.name} loses what it allows, from the next call on.`}
        </ConfirmDelete>
      )}
    </>
  );
}

const release = (arn: string, { kind, name, as }: Entity) => (as === 'boundary' && kind !== 'Group' ? setBoundary(kind, name, undefined) : detach(kind, name, arn));

function RemovePolicy({ policy: { arn, name }, onClose }: { policy: PolicyDetails; onClose: () => void }) {
  const entities = useLive(`iam/entities/${arn}`, () => policyEntities(arn));
  const remove = async () => {
    for (const entity of await policyEntities(arn)) await release(arn, entity);
    for (const version of await policyVersions(arn)) if (!version.isDefault) await iam('DeletePolicyVersion', { PolicyArn: arn, VersionId: version.id });
    await iam('DeletePolicy', { PolicyArn: arn });
    notify('success', `Policy ${name} is deleted`);
    navigate(to('/operations/iam/policies'));
    invalidate('iam/');
  };
  return (
    <ConfirmDelete what={`policy ${name}`} typed={name} onConfirm={remove} onClose={onClose}>
      <Shown live={entities} what="Who holds it can't be read">
        {(found) => (
          <Alert type="warning">
            {found.length === 0 ? 'Nobody holds it.' : `It is taken from ${found.map((entity) => `${entity.kind.toLowerCase()} ${entity.name}${entity.as === 'boundary' ? ' (its boundary)' : ''}`).join(', ')} first.`} All its versions go with it. This can't be undone.
          </Alert>
        )}
      </Shown>
    </ConfirmDelete>
  );
}
