/** What belongs to a stack, as a list and as a picture of what refers to what. */
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';

import { type Stack, type StackResource, getTemplate, listResources } from '../../../aws/cloudformation';
import { shortName } from '../../../lib/format';
import { Graph, type GraphEdge, type GraphNode } from '../../../lib/graph';
import { resourceHref, tableHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { Status, tone } from '../../../lib/status';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { PhysicalId } from './PhysicalId';
import { type Reference, references } from './references';
import { paceOf } from './StackPage';

/** Boxes that a picture can be read with. */
const READABLE = 120;

export function Resources({ stack }: { stack: Stack }) {
  const resources = useLive(`cloudformation/resources/${stack.id}/${stack.status}`, () => listResources(stack.id), { every: paceOf(stack) ?? 60_000 });
  const template = useLive(`cloudformation/template/${stack.id}/${stack.updated?.getTime()}`, () => getTemplate(stack.id));
  const [view, setView] = useParam('view', 'list');
  const found = resources.data;
  const names = found?.map(({ logicalId }) => logicalId).join(' ') ?? '';
  const edges = useMemo(() => references(template.data ?? '', names.split(' ')), [template.data, names]);
  return (
    <SpaceBetween size="m">
      <SegmentedControl
        label="View"
        selectedId={view}
        onChange={({ detail }) => setView(detail.selectedId)}
        options={[
          { id: 'list', text: 'List', iconName: 'view-full' },
          { id: 'graph', text: 'Graph', iconName: 'share' },
        ]}
      />
      {view === 'graph' ? (
        <Shown live={resources} what="The resources can't be read">
          {(all) => <Picture resources={all} edges={edges} />}
        </Shown>
      ) : (
        <DataTable
          label="Resources"
          title={false}
          live={resources}
          rowKey={({ logicalId }) => logicalId}
          sort={{ column: 'logical' }}
          height="max(320px, calc(100vh - 440px))"
          columns={[
            { id: 'logical', header: 'Logical id', value: ({ logicalId }) => logicalId, cell: ({ logicalId }) => <strong>{logicalId}</strong> },
            { id: 'physical', header: 'Physical id', value: ({ physicalId }) => physicalId, cell: (resource) => <PhysicalId resource={resource} href={tableOf(resource, found ?? [], edges)} /> },
            { id: 'type', header: 'Type', width: 280, value: ({ type }) => type, cell: ({ type }) => type },
            { id: 'status', header: 'Status', width: 190, value: ({ status }) => status, cell: ({ status, reason }) => <span title={reason}><Status state={status} /></span> },
            { id: 'time', header: 'Changed', width: 190, value: ({ time }) => time, cell: ({ time }) => <Time at={time} /> },
          ]}
          empty={<Empty title="No resources yet">They stand here as soon as they are being made.</Empty>}
        />
      )}
    </SpaceBetween>
  );
}

/** A table's page needs its database, which a template names by a reference. */
function tableOf({ type, logicalId, physicalId }: StackResource, all: readonly StackResource[], edges: readonly Reference[]): string | undefined {
  if (type !== 'AWS::Glue::Table' || !physicalId) return undefined;
  const named = edges.filter(({ to }) => to === logicalId).map(({ from }) => all.find((one) => one.logicalId === from));
  const database = named.find((one) => one?.type === 'AWS::Glue::Database')?.physicalId;
  return database && tableHref(database, physicalId);
}

/** `AWS::Lambda::Function` as `Lambda Function`. */
const kindOf = (type: string) => type.split('::').slice(1).join(' ');

const serviceOf = (type: string) => type.split('::')[1] ?? '';

function Picture({ resources, edges }: { resources: readonly StackResource[]; edges: readonly Reference[] }) {
  // Each service of the stack has a colour.
  const services = [...new Set(resources.map(({ type }) => serviceOf(type)))].sort();
  const nodes = resources.map((resource): GraphNode => {
    const { logicalId, physicalId, type, status } = resource;
    const href = tableOf(resource, resources, edges) ?? (physicalId && status !== 'DELETE_COMPLETE' ? resourceHref(type, physicalId) : undefined);
    const state = tone(status);
    return {
      id: logicalId,
      title: logicalId,
      kind: kindOf(type),
      hue: services.indexOf(serviceOf(type)),
      ...(physicalId ? { detail: shortName(physicalId) } : {}),
      ...(state === 'good' ? {} : { tone: state }),
      ...(href ? { href } : {}),
    };
  });
  if (nodes.length === 0) return <Empty title="No resources yet">They stand here as soon as they are being made.</Empty>;
  if (nodes.length > READABLE) return <Empty title="Too many for a picture">{nodes.length} resources are easier to find in the list.</Empty>;
  const arrows: GraphEdge[] = edges.map(({ from, to }) => ({ from, to }));
  return (
    <SpaceBetween size="xs">
      <span className="bh-soft">An arrow leads from a resource to those that refer to it, and so are made after it.</span>
      <Graph label="Resources of the stack" nodes={nodes} edges={arrows} />
    </SpaceBetween>
  );
}
