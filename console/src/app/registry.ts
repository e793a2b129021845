/** All areas, in the order of the side navigation. Pages are added in the areas' own files. */
import type { Area, PageRow } from '../lib/area';
import { matchPath, to } from '../lib/router';
import { area as catalogue } from '../pages/catalogue';
import { area as compute } from '../pages/compute';
import { area as home } from '../pages/home';
import { area as ingestion } from '../pages/ingestion';
import { area as operations } from '../pages/operations';
import { area as pipelines } from '../pages/pipelines';
import { area as query } from '../pages/query';
import { area as storage } from '../pages/storage';

export const AREAS: readonly Area[] = [home, ingestion, storage, catalogue, query, pipelines, compute, operations];

export interface Route {
  area: Area;
  page: PageRow;
  params: Readonly<Record<string, string>>;
}

/** The page at a path. */
export function findRoute(path: string, areas: readonly Area[] = AREAS): Route | undefined {
  for (const area of areas) {
    for (const page of area.pages) {
      const params = matchPath(page.path, path);
      if (params) return { area, page, params };
    }
  }
  return undefined;
}

/** A pattern with its values. */
export function fill(pattern: string, params: Readonly<Record<string, string>>): string {
  return pattern.replace(/:(\w+)|\*$/g, (part, name: string | undefined) => encodeURIComponent(params[name ?? '*'] ?? part));
}

export interface Crumb {
  text: string;
  href: string;
}

/** From the area to the page. */
export function crumbs({ area, page, params }: Route): Crumb[] {
  const trail: PageRow[] = [];
  for (let at: PageRow | undefined = page; at && !trail.includes(at); at = above(area, at)) trail.unshift(at);
  const found = trail.map((row) => ({ text: row.crumb?.(params) ?? row.title, href: to(fill(row.path, params)) }));
  return found[0]?.text === area.title ? found : [{ text: area.title, href: found[0]?.href ?? to('/') }, ...found];
}

function above(area: Area, page: PageRow): PageRow | undefined {
  if (page.parent) return area.pages.find((row) => row.path === page.parent);
  const first = area.pages[0];
  return first === page || page.nav ? undefined : first;
}
