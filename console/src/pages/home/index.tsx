import type { Area } from '../../lib/area';

export const area: Area = {
  id: 'home',
  title: 'Home',
  pages: [
    { path: '/', title: 'Home', nav: true, keywords: 'overview start picture', wide: true, load: () => import('./Home') },
  ],
};
