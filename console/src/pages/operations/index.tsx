import type { Area } from '../../lib/area';

export const area: Area = {
  id: 'operations',
  title: 'Operations',
  pages: [
    { path: '/operations', title: 'Stacks', nav: true, keywords: 'cloudformation', load: () => import('./Stacks') },
  ],
};
