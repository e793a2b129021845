/** Files and folders that were dropped or picked, with their paths. */
import type { Picked } from './uploads';

/** Whatever was dropped; folders with all that is in them. Must be called while the event is handled. */
export async function dropped(data: DataTransfer): Promise<Picked[]> {
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  // Some sources give files only, without places.
  if (entries.length === 0) return [...data.files].map((file) => ({ path: file.name, file }));
  return (await Promise.all(entries.map((entry) => walk(entry, '')))).flat();
}

/** The files of an input; those of a folder know their paths. */
export function picked(files: FileList | null): Picked[] {
  return [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function walk(entry: FileSystemEntry, above: string): Promise<Picked[]> {
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((found, failed) => (entry as FileSystemFileEntry).file(found, failed));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Picked[] = [];
  // A reader gives a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return found;
    for (const below of some) found.push(...(await walk(below, `${path}/`)));
  }
}
