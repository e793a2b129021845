import type { Area } from '../../lib/area';

export const area: Area = {
  id: 'compute',
  title: 'Compute',
  pages: [
    { path: '/compute', title: 'Functions', nav: true, keywords: 'lambda', load: () => import('./Functions') },
  ],
};
