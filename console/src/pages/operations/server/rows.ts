import type { PageRow } from '../../../lib/area';

export const SERVER_ROWS: readonly PageRow[] = [
  { path: '/operations/server', title: 'Server', nav: true, keywords: 'health version uptime memory disk usage data directory metrics latency backup', wide: true, load: () => import('./Server') },
];
