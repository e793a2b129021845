/** An HTTP API: its routes and what answers them, its stages, and a form that calls it. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type Api, type Integration, type Route, type Stage, deleteApi, getApi, getAuthorizers, getIntegrations, getRoutes, getStages, invokePath } from '../../aws/apigateway';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { functionHref, metricsHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to, useParam } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { functionOf } from './Streams';
import { TryIt } from './TryIt';
import './ingestion.css';

export interface Parts {
  routes: Route[];
  integrations: Integration[];
  stages: Stage[];
}

export default function ApiPage({ params: { id = '' } }: PageProps) {
  const api = useLive(`apigateway/api/${id}`, () => getApi(id));
  const [going, setGoing] = useState(false);
  return (
    <Frame
      title={api.data?.name ?? id}
      description={api.data?.description ?? 'HTTP API'}
      actions={
        <SpaceBetween size="xs" direction="horizontal">
          <Button href={metricsHref('AWS/ApiGateway', { ApiId: id }, { Count: 'Sum', '4xx': 'Sum', '5xx': 'Sum' })}>Metrics</Button>
          <Button disabled={!api.data} onClick={() => setGoing(true)}>
            Delete
          </Button>
        </SpaceBetween>
      }
    >
      <Shown live={api} what="The API can't be read">
        {(data) => <Content api={data} />}
      </Shown>
      {going && api.data && (
        <ConfirmDelete
          what={`API ${api.data.name}`}
          typed={api.data.name}
          onConfirm={async () => {
            await deleteApi(id);
            invalidate('apigateway/');
            notify('success', `${api.data?.name ?? id} is deleted`);
            navigate(to('/ingestion/apis'));
          }}
          onClose={() => setGoing(false)}
        >
          <Alert type="warning">Its routes, integrations and stages go with it. Whoever calls its address gets 404.</Alert>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Content({ api }: { api: Api }) {
  const { apiId: id } = api;
  const [view, setView] = useParam('view', 'routes');
  const [route, setRoute] = useParam('route');
  const parts = useLive(
    `apigateway/parts/${id}`,
    async (): Promise<Parts> => {
      const [routes, integrations, stages] = await Promise.all([getRoutes(id), getIntegrations(id), getStages(id)]);
      return { routes, integrations, stages };
    },
    { every: 10_000 },
  );
  const authorizers = useLive(`apigateway/authorizers/${id}`, () => getAuthorizers(id));
  const here = `${location.origin}${invokePath(id, '$default')}`;
  const attempt = (key: string) => {
    setRoute(key);
    setView('try');
  };
  return (
    <SpaceBetween size="l">
      <KeyValuePairs
        columns={api.apiEndpoint === here ? 4 : 3}
        items={[
          { label: 'Called at', value: <span className="bh-url">{here}</span> },
          // The server tells the address that it was asked at, which may be another one than the browser's.
          ...(api.apiEndpoint === here ? [] : [{ label: 'Endpoint', value: <span className="bh-url">{api.apiEndpoint}</span> }]),
          { label: 'Protocol', value: api.protocolType },
          { label: 'Authorizers', value: authorizers.data?.length ? authorizers.data.map((one) => `${one.name} (${one.authorizerType})`).join(', ') : 'none' },
          { label: 'Created', value: <Time at={api.createdDate} /> },
        ]}
      />
      <Shown live={parts} what="The routes can't be read">
        {(data) => (
          <Tabs
            ariaLabel="About the API"
            activeTabId={view}
            onChange={({ detail }) => setView(detail.activeTabId)}
            tabs={[
              { id: 'routes', label: `Routes (${data.routes.length})`, content: <Routes parts={data} authorizers={new Map((authorizers.data ?? []).map((one) => [one.authorizerId, one.name]))} onTry={attempt} /> },
              { id: 'try', label: 'Try it', content: <TryIt key={route} api={id} parts={data} routeKey={route} onRoute={setRoute} /> },
              { id: 'integrations', label: `Integrations (${data.integrations.length})`, content: <Integrations integrations={data.integrations} /> },
              { id: 'stages', label: `Stages (${data.stages.length})`, content: <Stages api={id} stages={data.stages} /> },
            ]}
          />
        )}
      </Shown>
    </SpaceBetween>
  );
}

const integrationOf = ({ integrations }: Parts, { target }: Route) => integrations.find(({ integrationId }) => integrationId === target?.split('/').at(-1));

function Answerer({ integration }: { integration: Integration | undefined }) {
  if (!integration) return <span>nothing</span>;
  const name = integration.integrationUri ? functionOf(/arn:[^/]*:lambda:[^/]*:function:[^/]*/.exec(integration.integrationUri)?.[0] ?? '') : '';
  if (name) return <Link href={functionHref(name)}>{name}</Link>;
  return <span>{integration.integrationSubtype ?? integration.integrationUri ?? integration.integrationType}</span>;
}

interface RoutesProps {
  parts: Parts;
  authorizers: ReadonlyMap<string, string>;
  onTry: (key: string) => void;
}

function Routes({ parts, authorizers, onTry }: RoutesProps) {
  return (
    <DataTable<Route>
      label="Routes"
      title={false}
      items={parts.routes}
      sort={{ column: 'route' }}
      rowKey={(route) => route.routeId}
      columns={[
        { id: 'route', header: 'Route', value: (route) => route.routeKey.split(' ').reverse().join(' '), cell: (route) => <span className="bh-url">{route.routeKey}</span> },
        { id: 'to', header: 'Answered by', value: (route) => integrationOf(parts, route)?.integrationUri, cell: (route) => <Answerer integration={integrationOf(parts, route)} /> },
        { id: 'who', header: 'Authorisation', width: 200, value: (route) => route.authorizationType, cell: (route) => (route.authorizerId ? (authorizers.get(route.authorizerId) ?? route.authorizerId) : (route.authorizationType ?? 'NONE')) },
        {
          id: 'try',
          header: 'Call',
          width: 100,
          cell: (route) => (
            <Button variant="inline-link" onClick={() => onTry(route.routeKey)} ariaLabel={`Try it: ${route.routeKey}`}>
              Try it
            </Button>
          ),
        },
      ]}
      empty={<Empty title="No routes yet">A route is a method and a path, and what answers it. CreateRoute, or a stack, makes one.</Empty>}
    />
  );
}

function Integrations({ integrations }: { integrations: readonly Integration[] }) {
  return (
    <DataTable<Integration>
      label="Integrations"
      title={false}
      param="integration"
      items={integrations}
      rowKey={(one) => one.integrationId}
      columns={[
        { id: 'id', header: 'ID', width: 140, value: (one) => one.integrationId, cell: (one) => one.integrationId },
        { id: 'type', header: 'Type', width: 140, value: (one) => one.integrationType, cell: (one) => one.integrationType },
        { id: 'to', header: 'Leads to', value: (one) => one.integrationUri ?? one.integrationSubtype, cell: (one) => <Answerer integration={one} /> },
        { id: 'format', header: 'Payload format', width: 150, value: (one) => one.payloadFormatVersion, cell: (one) => one.payloadFormatVersion ?? '–' },
      ]}
      empty={<Empty title="No integrations yet">An integration says what answers: a function, an event bus, a state machine.</Empty>}
    />
  );
}

function Stages({ api, stages }: { api: string; stages: readonly Stage[] }) {
  return (
    <DataTable<Stage>
      label="Stages"
      title={false}
      param="stage"
      items={stages}
      rowKey={(stage) => stage.stageName}
      columns={[
        { id: 'name', header: 'Name', width: 160, value: (stage) => stage.stageName, cell: (stage) => stage.stageName },
        { id: 'url', header: 'Called at', value: (stage) => invokePath(api, stage.stageName), cell: (stage) => <span className="bh-url">{`${location.origin}${invokePath(api, stage.stageName)}`}</span> },
        { id: 'auto', header: 'Deploys by itself', width: 160, value: (stage) => stage.autoDeploy, cell: (stage) => (stage.autoDeploy ? 'Yes' : 'No') },
        { id: 'deployment', header: 'Deployment', width: 140, value: (stage) => stage.deploymentId, cell: (stage) => stage.deploymentId ?? 'none yet' },
        { id: 'changed', header: 'Changed', width: 190, value: (stage) => stage.lastUpdatedDate, cell: (stage) => <Time at={stage.lastUpdatedDate} /> },
      ]}
      empty={<Empty title="No stages yet">Without a stage nothing is served: the API answers 404.</Empty>}
    />
  );
}
