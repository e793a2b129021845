/**
 * The editor's tabs. Names, texts and choices stay in this browser; so do the ids of the executions whose results a tab shows,
 * and neither results nor the values of parameters.
 */
import { useSyncExternalStore } from 'react';

export interface QueryTab {
  id: string;
  name: string;
  sql: string;
  database: string | undefined;
  workGroup: string | undefined;
  /** The saved query that it was opened from. */
  savedAs: string | undefined;
  /** Of the statements that ran last, in their order. */
  executions: string[];
}

export interface Tabs {
  tabs: readonly QueryTab[];
  active: string;
}

const KEY = 'boathouse.query.tabs';
const listeners = new Set<() => void>();
let state: Tabs | undefined;

export function blank(part: Partial<QueryTab> = {}, taken: readonly QueryTab[] = []): QueryTab {
  const numbers = taken.map((tab) => Number(/^Query (\d+)$/.exec(tab.name)?.[1] ?? 0));
  const name = `Query ${Math.max(0, ...numbers) + 1}`;
  return { id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, name, sql: '', database: undefined, workGroup: undefined, savedAs: undefined, executions: [], ...part };
}

function isTab(found: unknown): found is QueryTab {
  const tab = found as Partial<QueryTab> | null;
  return typeof tab?.id === 'string' && typeof tab.name === 'string' && typeof tab.sql === 'string' && Array.isArray(tab.executions);
}

/** What was kept; a first tab if nothing usable was. */
export function parseTabs(text: string | null): Tabs {
  try {
    const found = JSON.parse(text ?? '') as { tabs?: unknown[]; active?: unknown };
    const tabs = (found.tabs ?? []).filter(isTab);
    if (tabs[0]) return { tabs, active: tabs.some((tab) => tab.id === found.active) ? String(found.active) : tabs[0].id };
  } catch {
    // Nothing kept, or by something else.
  }
  const first = blank();
  return { tabs: [first], active: first.id };
}

export function tabsNow(): Tabs {
  state ??= parseTabs(localStorage.getItem(KEY));
  return state;
}

function set(next: Tabs): void {
  state = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // The browser's room is used up: the tabs last as long as this page.
  }
  listeners.forEach((listener) => listener());
}

export function useTabs(): Tabs {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tabsNow,
  );
}

export const select = (active: string) => set({ ...tabsNow(), active });

export function change(id: string, part: Partial<QueryTab>): void {
  const { tabs, active } = tabsNow();
  set({ active, tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...part } : tab)) });
}

/** Opens a tab and shows it. A tab that has the same text already is shown instead, and an untouched one is used. */
export function open(part: Partial<QueryTab> = {}): QueryTab {
  const { tabs, active } = tabsNow();
  const same = part.sql === undefined ? undefined : tabs.find((tab) => tab.sql === part.sql && (part.database ?? tab.database) === tab.database && (part.savedAs ?? tab.savedAs) === tab.savedAs);
  if (same) {
    const merged = { ...same, ...part, name: same.name };
    set({ tabs: tabs.map((tab) => (tab === same ? merged : tab)), active: same.id });
    return merged;
  }
  const present = tabs.find((tab) => tab.id === active);
  const untouched = part.sql !== undefined && present?.sql === '' && present.executions.length === 0 ? present : undefined;
  const made = untouched ? { ...untouched, ...part } : blank({ database: present?.database, workGroup: present?.workGroup, ...part }, tabs);
  set({ tabs: untouched ? tabs.map((tab) => (tab === untouched ? made : tab)) : [...tabs, made], active: made.id });
  return made;
}

/** Closes a tab; the last one is followed by an empty one. */
export function close(id: string): void {
  const { tabs, active } = tabsNow();
  const at = tabs.findIndex((tab) => tab.id === id);
  const left = tabs.filter((tab) => tab.id !== id);
  if (left.length === 0) return set(parseTabs(null));
  const next = active === id ? (left[Math.max(0, Math.min(at, left.length - 1))]?.id ?? active) : active;
  set({ tabs: left, active: next });
}
