import type { Area } from '../../lib/area';
import { apiHref, queueHref, streamHref } from '../../lib/links';

export const area: Area = {
  id: 'ingestion',
  title: 'Ingestion',
  pages: [
    { path: '/ingestion', title: 'Delivery streams', nav: true, keywords: 'firehose records', load: () => import('./Streams') },
    { path: '/ingestion/streams/:name', title: 'Delivery stream', crumb: ({ name = '' }) => name, parent: '/ingestion', load: () => import('./Stream') },
    { path: '/ingestion/apis', title: 'HTTP APIs', nav: true, keywords: 'api gateway routes', load: () => import('./Apis') },
    { path: '/ingestion/apis/:id', title: 'HTTP API', crumb: ({ id = '' }) => id, parent: '/ingestion/apis', load: () => import('./Api') },
    { path: '/ingestion/queues', title: 'Queues', nav: true, keywords: 'sqs messages', load: () => import('./Queues') },
    { path: '/ingestion/queues/:name', title: 'Queue', crumb: ({ name = '' }) => name, parent: '/ingestion/queues', load: () => import('./Queue') },
  ],
  commands: [
    async () => {
      const { listStreams } = await import('../../aws/firehose');
      return (await listStreams()).map((name) => ({ id: `stream:${name}`, title: name, kind: 'Delivery stream', href: streamHref(name) }));
    },
    async () => {
      const { listQueues } = await import('../../aws/sqs');
      const names = (await listQueues()).map((url) => url.split('/').at(-1) ?? '');
      return names.map((name) => ({ id: `queue:${name}`, title: name, kind: 'Queue', href: queueHref(name) }));
    },
    async () => {
      const { getApis } = await import('../../aws/apigateway');
      return (await getApis()).map(({ apiId, name }) => ({ id: `api:${apiId}`, title: name, kind: 'HTTP API', href: apiHref(apiId), keywords: apiId }));
    },
  ],
};
