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
  commands: [
    async () => {
      const { getDatabases } = await import('../../aws/glue');
      return (await getDatabases()).map(({ Name }) => ({ id: `database:${Name}`, title: Name, kind: 'Database', href: databaseHref(Name) }));
    },
    async () => {
      const { searchTables } = await import('../../aws/glue-catalog');
      return (await searchTables()).map(({ DatabaseName, Name }) => {
        const title = `${DatabaseName}.${Name}`;
        return { id: `table:${title}`, title, kind: 'Table', href: tableHref(DatabaseName, Name) };
      });
    },
    async () => {
      const { getCrawlers } = await import('../../aws/glue');
      return (await getCrawlers()).map(({ Name }) => ({ id: `crawler:${Name}`, title: Name, kind: 'Crawler', href: crawlerHref(Name) }));
    },
  ],
};
