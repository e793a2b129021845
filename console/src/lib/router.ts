/**
 * Addresses below `/_console`. Any link is an ordinary `href` made by {@link to}: clicks on such links are followed without
 * loading the page again, whatever component draws them.
 */
import { useCallback, useMemo, useSyncExternalStore } from 'react';

export const BASE = '/_console';

const listeners = new Set<() => void>();
const notify = () => listeners.forEach((listener) => listener());

/** What goes into an address behind `?`; undefined and empty values are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** The address of a page: `to('/storage', { prefix: 'a/' })`. Encode names in the path: `` to(`/storage/${seg(name)}`) ``. */
export function to(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return `${BASE}${path === '/' ? '/' : path}${search ? `?${search}` : ''}`;
}

/** A name as one segment of a path. */
export const seg = encodeURIComponent;

export function navigate(href: string, how: { replace?: boolean } = {}): void {
  if (how.replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  notify();
}

/** The present page's path below the base, such as `/storage`. */
export function currentPath(): string {
  const path = location.pathname;
  const below = path.startsWith(BASE) ? path.slice(BASE.length) : path;
  return below.replace(/\/+$/, '') || '/';
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export interface Place {
  path: string;
  query: URLSearchParams;
  hash: string;
}

/** Where we are; changes when that does. */
export function usePlace(): Place {
  const href = useSyncExternalStore(subscribe, () => location.href);
  return useMemo(() => {
    const url = new URL(href);
    return { path: currentPath(), query: url.searchParams, hash: url.hash };
  }, [href]);
}

/** A part of the address behind `?`, to be read and set like a state: what people filter and select can be sent as a link. */
export function useParam(name: string, fallback = ''): [string, (value: string) => void] {
  const { query } = usePlace();
  const value = query.get(name) ?? fallback;
  const set = useCallback(
    (next: string) => {
      const url = new URL(location.href);
      if (next === fallback) url.searchParams.delete(name);
      else url.searchParams.set(name, next);
      if (url.href !== location.href) navigate(url.href, { replace: true });
    },
    [name, fallback],
  );
  return [value, set];
}

/** The values of a pattern such as `/storage/:bucket` in a path; none if it is another one. A last `*` takes all the rest. */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  const open = wanted.at(-1) === '*';
  if (open ? given.length < wanted.length - 1 : given.length !== wanted.length) return undefined;
  const found: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    if (part === '*') {
      found['*'] = given.slice(at).map(decode).join('/');
      break;
    }
    const value = given[at] ?? '';
    if (part.startsWith(':')) found[part.slice(1)] = decode(value);
    else if (part !== value) return undefined;
  }
  return found;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Follows clicks on our own links, and the browser's back and forward. Called once, when the console starts. */
export function startRouter(): void {
  addEventListener('popstate', notify);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = (event.target as Element | null)?.closest?.('a[href]');
    if (!(anchor instanceof HTMLAnchorElement) || anchor.target === '_blank' || anchor.hasAttribute('download')) return;
    const url = new URL(anchor.href, location.href);
    if (url.origin !== location.origin || (url.pathname !== BASE && !url.pathname.startsWith(`${BASE}/`))) return;
    event.preventDefault();
    if (url.href !== location.href) navigate(url.href);
  });
}
