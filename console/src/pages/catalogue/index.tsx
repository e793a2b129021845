import type { Area } from '../../lib/area';
import { crawlerHref, databaseHref, tableHref } from '../../lib/links';

export const area: Area = {
  id: 'catalogue',
  title: 'Catalogue',
  pages: [
    { path: '/catalogue', title: 'Databases', nav: true, keywords: 'glue schema', wide: true, load: () => import('./Databases') },
    { path: '/catalogue/tables', title: 'Tables', nav: true, keywords: 'glue search columns', wide: true, load: () => import('./Tables') },
    { path: '/catalogue/crawlers', title: 'Crawlers', nav: true, keywords: 'glue crawl', wide: true, load: () => import('./Crawlers') },
    { path: '/catalogue/create-crawler', title: 'Create crawler', parent: '/catalogue/crawlers', load: () => import('./CreateCrawler') },
    {
      path: '/catalogue/crawlers/:name',
      title: 'Crawler',
      crumb: ({ name }) => name ?? '',
      parent: '/catalogue/crawlers',
      wide: true,
      load: () => import('./CrawlerPage'),
    },
    { path: '/catalogue/databases/:database', title: 'Database', crumb: ({ database }) => database ?? '', wide: true, load: () => import('./DatabasePage') },
    {
      path: '/catalogue/databases/:database/tables/:table',
      title: 'Table',
      crumb: ({ table }) => table ?? '',
      parent: '/catalogue/databases/:database',
      wide: true,
      load: () => import('./TablePage'),
    },
  ],
  commands: async () => {
    const [{ getDatabases, getCrawlers }, { searchTables }] = await Promise.all([import('../../aws/glue'), import('../../aws/glue-catalog')]);
    const [databases, tables, crawlers] = await Promise.all([getDatabases(), searchTables(), getCrawlers()]);
    return [
      ...databases.map(({ Name }) => ({ id: `database:${Name}`, title: Name, kind: 'Database', href: databaseHref(Name) })),
      ...tables.map(({ DatabaseName, Name }) => ({ id: `table:${DatabaseName}.${Name}`, title: `${DatabaseName}.${Name}`, kind: 'Table', href: tableHref(DatabaseName, Name) })),
      ...crawlers.map(({ Name }) => ({ id: `crawler:${Name}`, title: Name, kind: 'Crawler', href: crawlerHref(Name) })),
    ];
  },
};
