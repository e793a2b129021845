import type { Area } from '../../lib/area';

export const area: Area = {
  id: 'query',
  title: 'Query',
  pages: [
    { path: '/query', title: 'SQL editor', nav: true, keywords: 'athena sql', load: () => import('./Editor') },
  ],
};
