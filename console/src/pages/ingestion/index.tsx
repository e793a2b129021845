import type { Area } from '../../lib/area';

export const area: Area = {
  id: 'ingestion',
  title: 'Ingestion',
  pages: [
    { path: '/ingestion', title: 'Delivery streams', nav: true, keywords: 'firehose', load: () => import('./Streams') },
  ],
};
