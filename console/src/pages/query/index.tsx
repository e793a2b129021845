import type { Area } from '../../lib/area';
import { queryHref, statementHref } from '../../lib/links';

export const area: Area = {
  id: 'query',
  title: 'Query',
  pages: [
    { path: '/query', title: 'SQL editor', nav: true, keywords: 'athena sql', wide: true, load: () => import('./Editor') },
    { path: '/query/executions', title: 'Query history', nav: true, keywords: 'athena executions recent', wide: true, load: () => import('./History') },
    {
      path: '/query/executions/:id',
      title: 'Query execution',
      crumb: ({ id = '' }) => id.slice(0, 8),
      parent: '/query/executions',
      wide: true,
      load: () => import('./Execution'),
    },
    { path: '/query/saved', title: 'Saved queries', nav: true, keywords: 'athena named queries', load: () => import('./Saved') },
    { path: '/query/prepared', title: 'Prepared statements', nav: true, keywords: 'athena parameters execute', load: () => import('./Prepared') },
    { path: '/query/workgroups', title: 'Work groups', nav: true, keywords: 'athena result location', load: () => import('./WorkGroups') },
  ],
  commands: [
    async () => {
      const { listNamedQueries } = await import('../../aws/athena');
      return (await listNamedQueries('primary')).map(({ NamedQueryId, Name, QueryString, Database, Description }) => ({
        id: `named:${NamedQueryId}`,
        title: Name,
        kind: 'Saved query',
        href: statementHref(QueryString, Database),
        keywords: Description ?? '',
      }));
    },
    async () => {
      const { listQueries } = await import('../../aws/athena');
      return (await listQueries('primary', 20)).map(({ QueryExecutionId, Query }) => ({
        id: `execution:${QueryExecutionId}`,
        title: Query.replace(/\s+/g, ' ').slice(0, 90),
        kind: 'Query execution',
        href: queryHref(QueryExecutionId),
      }));
    },
  ],
};
