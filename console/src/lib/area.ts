/**
 * What an area of the console says about its pages. Side navigation, breadcrumbs, routes and command palette are made of
 * these rows; `app/registry.ts` puts the areas together. An area's rows stand in `pages/<area>/index.tsx`, and the pages
 * themselves are loaded when somebody goes there.
 */
import type { ComponentType } from 'react';

/** What a page is given: the values of its pattern. */
export interface PageProps {
  params: Readonly<Record<string, string>>;
}

export interface PageRow {
  /** `/storage/:bucket`; a last `*` takes all the rest. The first row that fits counts. */
  path: string;
  /** In navigation, palette and as the window's title. */
  title: string;
  /** Of its breadcrumb, where the title doesn't tell which one it is. */
  crumb?: (params: Readonly<Record<string, string>>) => string;
  /** The pattern of the page above; breadcrumbs are made of these. Without it that is the area's first page. */
  parent?: string;
  /** Whether it stands in the side navigation and in the palette: pages without values in their pattern only. */
  nav?: boolean;
  /** More words by which the palette finds it. */
  keywords?: string;
  /** Whether the content takes the window's whole width (tables and editors do). */
  wide?: boolean;
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

/** An entry of the command palette. */
export interface Command {
  /** Unique among all. */
  id: string;
  title: string;
  /** What kind of thing: `Bucket`, `Table`, `Action`. */
  kind: string;
  /** Where it leads, or what it does. */
  href?: string;
  run?: () => void;
  keywords?: string;
}

export interface Area {
  id: string;
  title: string;
  pages: readonly PageRow[];
  /**
   * What the palette finds beside this area's pages, each kind by itself: who may not read one still finds the others.
   * Asked when the palette opens.
   */
  commands?: readonly (() => Promise<Command[]>)[];
}
