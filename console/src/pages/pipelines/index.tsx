import type { Area } from '../../lib/area';

export const area: Area = {
  id: 'pipelines',
  title: 'Pipelines',
  pages: [
    { path: '/pipelines', title: 'State machines', nav: true, keywords: 'step functions workflows', load: () => import('./Machines') },
  ],
};
