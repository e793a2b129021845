/** More of the Glue Data Catalog: making and removing, versions of tables, partitions page by page, search. */
import { type CallOptions, collect } from './call';
import { type Database, type Partition, type Table, glue } from './glue';

export const getDatabase = (Name: string) => glue<{ Database: Database }>('GetDatabase', { Name }).then((answer) => answer.Database);

export const createDatabase = (DatabaseInput: Pick<Database, 'Name' | 'Description' | 'LocationUri'>) => glue('CreateDatabase', { DatabaseInput });

/** Deletes a database with the entries of its tables; their files stay. */
export const deleteDatabase = (Name: string) => glue('DeleteDatabase', { Name });

/** Deletes a table's entry; its files stay. */
export const deleteTable = (DatabaseName: string, Name: string) => glue('DeleteTable', { DatabaseName, Name });

/** Tables of all databases whose names, columns or parameters hold the text; all without one. */
export const searchTables = (SearchText?: string, options: CallOptions = {}) =>
  collect(async (NextToken) => {
    const input = { MaxResults: 1000, NextToken, ...(SearchText ? { SearchText } : {}) };
    const page = await glue<{ TableList: Table[]; NextToken?: string }>('SearchTables', input, options);
    return { items: page.TableList, next: page.NextToken };
  }, 20_000);

export interface TableVersion {
  Table: Table;
  VersionId: string;
}

/** A table's versions, the newest first. */
export const getTableVersions = async (DatabaseName: string, TableName: string, most = 1000) => {
  const found = await collect(async (NextToken) => {
    const page = await glue<{ TableVersions: TableVersion[]; NextToken?: string }>('GetTableVersions', { DatabaseName, TableName, NextToken });
    return { items: page.TableVersions, next: page.NextToken };
  }, most);
  return found.sort((a, b) => Number(b.VersionId) - Number(a.VersionId));
};

export interface PartitionsPage {
  partitions: Partition[];
  next: string | undefined;
}

/** A page of partitions; the expression is a condition on the partition keys, in SQL. */
export async function partitionsPage(
  DatabaseName: string,
  TableName: string,
  input: { expression?: string; token?: string | undefined } & CallOptions = {},
): Promise<PartitionsPage> {
  const { expression, token: NextToken, ...options } = input;
  const request = { DatabaseName, TableName, NextToken, MaxResults: 1000, ...(expression ? { Expression: expression } : {}) };
  const page = await glue<{ Partitions: Partition[]; NextToken?: string }>('GetPartitions', request, options);
  return { partitions: page.Partitions, next: page.NextToken };
}
