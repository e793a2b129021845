/** Ctrl-K: every page and every thing, by some letters of its name. */
import Badge from '@cloudscape-design/components/badge';
import Modal from '@cloudscape-design/components/modal';
import { useEffect, useMemo, useRef, useState } from 'react';

import type { Command } from '../lib/area';
import { navigate, to } from '../lib/router';
import { preference, prefer, isDark } from '../lib/theme';
import { endSession } from '../aws/session';
import { rank } from './rank';
import { AREAS } from './registry';

const SHOWN = 12;

function pageCommands(): Command[] {
  return AREAS.flatMap((area) =>
    area.pages
      .filter((page) => page.nav)
      .map((page) => ({
        id: `page:${page.path}`,
        title: page.title,
        kind: area.title === page.title ? 'Page' : area.title,
        href: to(page.path),
        ...(page.keywords ? { keywords: page.keywords } : {}),
      })),
  );
}

function actions(): Command[] {
  return [
    { id: 'action:mode', title: isDark() ? 'Light mode' : 'Dark mode', kind: 'Action', keywords: 'theme appearance', run: () => prefer(isDark() ? 'light' : 'dark') },
    ...(preference() === 'system'
      ? []
      : [{ id: 'action:system', title: 'Light or dark as the system', kind: 'Action', keywords: 'theme', run: () => prefer('system') }]),
    { id: 'action:logout', title: 'Sign out', kind: 'Action', keywords: 'logout', run: () => endSession('logout') },
  ];
}

export function Palette({ onClose }: { onClose: () => void }) {
  return (
    <Modal visible onDismiss={onClose} header="Find" closeAriaLabel="Close" size="medium">
      <Finder onClose={onClose} />
    </Modal>
  );
}

function Finder({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [things, setThings] = useState<Command[]>([]);
  const list = useRef<HTMLUListElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const fixed = useMemo(() => [...pageCommands(), ...actions()], []);

  useEffect(() => {
    let open = true;
    for (const commands of AREAS.flatMap((area) => area.commands ?? [])) {
      // Things that can't be read, as when a permission lacks, are not found; the pages themselves say why.
      commands().then((found) => open && setThings((known) => [...known, ...found]), () => undefined);
    }
    return () => {
      open = false;
    };
  }, []);

  // The dialog gives the focus to its closing button, right after this effect. People type at once, and their first space would
  // press that button: the focus is taken before the next key can come, not with the next frame, which may be late.
  useEffect(() => queueMicrotask(() => input.current?.focus()), []);

  const found = useMemo(() => rank([...fixed, ...things], text).slice(0, SHOWN), [fixed, things, text]);
  const chosen = Math.min(at, Math.max(found.length - 1, 0));
  useEffect(() => {
    // Newer browsers answer a promise, which must not become the effect's end.
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView?.({ block: 'nearest' });
  }, [chosen]);

  const go = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    if (command.href) navigate(command.href);
    command.run?.();
  };

  return (
    <div className="bh-palette">
      <input
        ref={input}
        className="bh-palette-input"
        role="combobox"
        aria-label="Find pages and things"
        aria-expanded="true"
        aria-controls="bh-palette-list"
        aria-activedescendant={found[chosen] ? `bh-palette-${chosen}` : undefined}
        placeholder="A page, a bucket, a table, a function …"
        value={text}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0));
          else if (event.key === 'Enter') go(found[chosen]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id="bh-palette-list" role="listbox" aria-label="Found" ref={list}>
        {found.map((command, index) => (
          <li
            key={command.id}
            id={`bh-palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            onMouseMove={() => setAt(index)}
            onClick={() => go(command)}
          >
            <span>{command.title}</span>
            <Badge>{command.kind}</Badge>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="bh-none">Nothing is called that.</p>}
    </div>
  );
}
