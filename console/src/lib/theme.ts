/** Dark and light, and the colours that our own components share with Cloudscape's. */
import { Mode, applyMode } from '@cloudscape-design/global-styles';
import * as tokens from '@tokens';
import { useSyncExternalStore } from 'react';

export type Preference = 'system' | 'light' | 'dark';

const KEY = 'boathouse.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
// Kept, as browsers owe no event of a change to those who have read the list since it came.
let systemIsDark = system.matches;
const listeners = new Set<() => void>();

export function preference(): Preference {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function isDark(): boolean {
  const wanted = preference();
  return wanted === 'dark' || (wanted === 'system' && systemIsDark);
}

export function prefer(wanted: Preference): void {
  if (wanted === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, wanted);
  apply();
}

function apply(): void {
  applyMode(isDark() ? Mode.Dark : Mode.Light);
  document.documentElement.style.colorScheme = isDark() ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

/** The design's colours under names of ours, for style sheets. They stand at the body, where the mode is. */
const NAMES = {
  text: tokens.colorTextBodyDefault,
  'text-soft': tokens.colorTextBodySecondary,
  'text-off': tokens.colorTextStatusInactive,
  heading: tokens.colorTextHeadingDefault,
  link: tokens.colorTextLinkDefault,
  border: tokens.colorBorderDividerDefault,
  'border-control': tokens.colorBorderInputDefault,
  surface: tokens.colorBackgroundContainerContent,
  page: tokens.colorBackgroundLayoutMain,
  header: tokens.colorBackgroundContainerHeader,
  hover: tokens.colorBackgroundDropdownItemHover,
  selected: tokens.colorBackgroundItemSelected,
  'selected-border': tokens.colorBorderItemSelected,
  focus: tokens.colorBorderItemFocused,
  good: tokens.colorTextStatusSuccess,
  bad: tokens.colorTextStatusError,
  warn: tokens.colorTextStatusWarning,
  busy: tokens.colorTextStatusInfo,
  font: tokens.fontFamilyBase,
  mono: tokens.fontFamilyMonospace,
} as const;

export function startTheme(): void {
  for (const [name, value] of Object.entries(NAMES)) document.body.style.setProperty(`--bh-${name}`, value);
  system.addEventListener('change', ({ matches }) => {
    systemIsDark = matches;
    apply();
  });
  apply();
}

/** A colour of {@link NAMES} as it is now, for canvases. */
export function colour(name: keyof typeof NAMES): string {
  return getComputedStyle(document.body).getPropertyValue(`--bh-${name}`).trim();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useDark = () => useSyncExternalStore(subscribe, isDark);

export const usePreference = () => useSyncExternalStore(subscribe, preference);
