/** The files of an archive as a tree; those that are changed are marked. */
import Icon from '@cloudscape-design/components/icon';
import { useEffect, useState } from 'react';

import type { Draft } from './draft';
import { foldersOf, rowsOf } from './tree';

interface FileTreeProps {
  paths: readonly string[];
  draft: Draft;
  chosen: string | undefined;
  onChoose: (path: string) => void;
}

export function FileTree({ paths, draft, chosen, onChoose }: FileTreeProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    if (chosen) setOpen((before) => new Set([...before, ...foldersOf(chosen)]));
  }, [chosen]);
  const toggle = (path: string) => {
    const next = new Set(open);
    if (!next.delete(path)) next.add(path);
    setOpen(next);
  };
  return (
    <nav className="bh-tree" aria-label="Files">
      <ul>
        {rowsOf(paths, open).map(({ path, name, depth, isFolder, isOpen }) => (
          <li key={path}>
            <button
              type="button"
              className={path === chosen ? 'bh-tree-chosen' : ''}
              style={{ paddingInlineStart: 10 + depth * 14 }}
              onClick={() => (isFolder ? toggle(path) : onChoose(path))}
              {...(isFolder ? { 'aria-expanded': isOpen } : { 'aria-current': path === chosen })}
            >
              <Icon name={isFolder ? (isOpen ? 'folder-open' : 'folder') : 'file'} size="small" />
              <span>{name}</span>
              {draft.changed.has(path) && <span className="bh-tree-mark">changed</span>}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
