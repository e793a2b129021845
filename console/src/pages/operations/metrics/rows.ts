import type { PageRow } from '../../../lib/area';

export const METRIC_ROWS: readonly PageRow[] = [
  { path: '/operations/metrics', title: 'Metrics', nav: true, wide: true, keywords: 'cloudwatch graph chart statistics monitoring', load: () => import('./Metrics') },
];
