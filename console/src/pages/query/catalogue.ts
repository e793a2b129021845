/** What completion knows of the catalogue: names that were read lately, and those that are asked for now. */
import { type Column, type Table, getDatabases, getTable, getTables } from '../../aws/glue';
import { onSession } from '../../aws/session';

const FRESH_MS = 30_000;

interface Kept {
  at: number;
  value: Promise<unknown>;
}

const kept = new Map<string, Kept>();

export function forgetCatalogue(): void {
  kept.clear();
}
onSession(forgetCatalogue);

/** Reads once in half a minute. What can't be read completes nothing, and is asked for again. */
function once<T>(key: string, read: () => Promise<T>, otherwise: T): Promise<T> {
  const found = kept.get(key);
  if (found && Date.now() - found.at < FRESH_MS) return found.value as Promise<T>;
  const value = read().catch(() => {
    kept.delete(key);
    return otherwise;
  });
  kept.set(key, { at: Date.now(), value });
  return value;
}

export const databaseNames = () => once('', async () => (await getDatabases()).map(({ Name }) => Name), []);
export const tablesOf = (database: string) => once<readonly Table[]>(`t/${database}`, () => getTables(database), []);

/** A table's columns, those of its partitions last. */
export const columnsOfTable = (table: Table): Column[] => [...(table.StorageDescriptor?.Columns ?? []), ...(table.PartitionKeys ?? [])];

export const columnsOf = (database: string, table: string) =>
  once<readonly Column[]>(`c/${database}/${table}`, async () => columnsOfTable(await getTable(database, table)), []);
