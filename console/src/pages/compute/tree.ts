/** Paths as a tree of folders, laid out as the rows that are in sight. */

export interface TreeRow {
  /** Of folders with a slash behind it. */
  path: string;
  name: string;
  depth: number;
  isFolder: boolean;
  isOpen: boolean;
}

/** The rows of `paths`, folders before files; what is in folders that aren't open is left out. */
export function rowsOf(paths: readonly string[], open: ReadonlySet<string>): TreeRow[] {
  return below('', 0, paths, open);
}

function below(prefix: string, depth: number, paths: readonly string[], open: ReadonlySet<string>): TreeRow[] {
  const folders = new Map<string, string[]>();
  const files: TreeRow[] = [];
  for (const path of paths) {
    const [first = '', ...rest] = path.slice(prefix.length).split('/');
    if (rest.length === 0) files.push({ path, name: first, depth, isFolder: false, isOpen: false });
    else if (!folders.get(first)?.push(path)) folders.set(first, [path]);
  }
  const rows = [...folders].flatMap(([name, inside]) => {
    const path = `${prefix}${name}/`;
    const isOpen = open.has(path);
    return [{ path, name, depth, isFolder: true, isOpen }, ...(isOpen ? below(path, depth + 1, inside, open) : [])];
  });
  return [...rows, ...files];
}

/** The folders that a file is in. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => `${parts.slice(0, at + 1).join('/')}/`);
}
