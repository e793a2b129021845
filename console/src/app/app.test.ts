import { expect, test } from 'vitest';

import type { Area } from '../lib/area';
import { returnPath } from './Login';
import { rank } from './rank';
import { AREAS, crumbs, findRoute } from './registry';

const load = () => Promise.reject(new Error('not here'));

const area: Area = {
  id: 'x',
  title: 'Things',
  pages: [
    { path: '/things', title: 'All things', nav: true, load },
    { path: '/things/:name', title: 'Thing', crumb: ({ name }) => name ?? '', load },
    { path: '/things/:name/parts/:part', title: 'Part', parent: '/things/:name', load },
    { path: '/others', title: 'Others', nav: true, load },
  ],
};

test('breadcrumbs lead from the area to the page', () => {
  const texts = (path: string) => {
    const route = findRoute(path, [area]);
    return route && crumbs(route).map(({ text, href }) => `${text}=${href}`);
  };
  expect(texts('/things')).toEqual(['Things=/_console/things', 'All things=/_console/things']);
  expect(texts('/things/a%20b/parts/1')).toEqual([
    'Things=/_console/things',
    'All things=/_console/things',
    'a b=/_console/things/a%20b',
    'Part=/_console/things/a%20b/parts/1',
  ]);
  expect(texts('/others')).toEqual(['Things=/_console/others', 'Others=/_console/others']);
  expect(texts('/nowhere')).toBeUndefined();
});

test('the areas agree with each other', () => {
  const paths = AREAS.flatMap((one) => one.pages.map((page) => page.path));
  expect(new Set(paths).size).toBe(paths.length);
  for (const { id, pages } of AREAS) {
    for (const page of pages) {
      expect(page.path === '/' || page.path === `/${id}` || page.path.startsWith(`/${id}/`), page.path).toBe(true);
      if (page.nav) expect(page.path, 'what stands in the navigation has no values').not.toMatch(/[:*]/);
      if (page.parent) expect(pages.map((row) => row.path)).toContain(page.parent);
    }
  }
});

test('the palette finds by some letters, the best first', () => {
  const command = (title: string, kind = 'Page', keywords = '') => ({ id: title, title, kind, keywords });
  const all = [command('Delivery streams', 'Ingestion', 'firehose'), command('State machines'), command('flights-raw', 'Bucket'), command('raw', 'Bucket')];
  const found = (text: string) => rank(all, text).map((one) => one.title);
  expect(found('raw')).toEqual(['raw', 'flights-raw']);
  expect(found('fire')).toEqual(['Delivery streams']);
  expect(found('bucket fl')).toEqual(['flights-raw']);
  expect(found('zzz')).toEqual([]);
  expect(found('')).toHaveLength(4);
});

test('after signing in people stay in the console', () => {
  for (const wanted of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:1', '/login', null]) {
    expect(returnPath(wanted)).toBe('/');
  }
  expect(returnPath('/storage/b?prefix=a%2F')).toBe('/storage/b?prefix=a%2F');
});
