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
  commands: async () => {
    const [{ listStreams }, { getApis }, { listQueues }] = await Promise.all([import('../../aws/firehose'), import('../../aws/apigateway'), import('../../aws/sqs')]);
    const names = (found: PromiseSettledResult<string[]>) => (found.status === 'fulfilled' ? found.value : []);
    const [streams, queues, apis] = await Promise.allSettled([listStreams(), listQueues(), getApis()]);
    const queueNames = names(queues).map((url) => url.split('/').at(-1) ?? '');
    return [
      ...names(streams).map((name) => ({ id: `stream:${name}`, title: name, kind: 'Delivery stream', href: streamHref(name) })),
      ...queueNames.map((name) => ({ id: `queue:${name}`, title: name, kind: 'Queue', href: queueHref(name) })),
      ...(apis.status === 'fulfilled' ? apis.value : []).map(({ apiId, name }) => ({ id: `api:${apiId}`, title: name, kind: 'HTTP API', href: apiHref(apiId), keywords: apiId })),
    ];
  },
};
