import type { Command, PageRow } from '../../../lib/area';
import { logGroupHref } from '../../../lib/links';

export const LOG_ROWS: readonly PageRow[] = [
  { path: '/operations/logs', title: 'Logs', nav: true, keywords: 'cloudwatch log groups events search', wide: true, load: () => import('./Groups') },
  { path: '/operations/logs/group', title: 'Log group', parent: '/operations/logs', wide: true, load: () => import('./GroupPage') },
  { path: '/operations/logs/search', title: 'Search', parent: '/operations/logs', wide: true, load: () => import('./Search') },
];

export async function logCommands(): Promise<Command[]> {
  const { describeGroups } = await import('../../../aws/logs');
  return (await describeGroups()).map(({ logGroupName }) => ({ id: `logs:${logGroupName}`, title: logGroupName, kind: 'Log group', href: logGroupHref(logGroupName) }));
}
