import type { Area } from '../../lib/area';

export const area: Area = {
  id: 'catalogue',
  title: 'Catalogue',
  pages: [
    { path: '/catalogue', title: 'Databases', nav: true, keywords: 'glue tables schema', load: () => import('./Databases') },
  ],
};
