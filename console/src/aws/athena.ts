/** Athena: queries, results, work groups, saved queries. Operations that are not here: `athena<Output>('Name', input)`. */
import { type CallOptions, collect, jsonService, ownCall } from './call';
import type { Seconds } from './glue';

export const athena = jsonService('athena', 'AmazonAthena', '1.1');

export type QueryState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export interface QueryExecution {
  QueryExecutionId: string;
  Query: string;
  StatementType?: string;
  SubstatementType?: string;
  WorkGroup?: string;
  ExecutionParameters?: string[];
  QueryExecutionContext?: { Database?: string; Catalog?: string };
  ResultConfiguration?: { OutputLocation?: string };
  Status: {
    State: QueryState;
    StateChangeReason?: string;
    SubmissionDateTime?: Seconds;
    CompletionDateTime?: Seconds;
    AthenaError?: { ErrorCategory?: number; ErrorType?: number; ErrorMessage?: string };
  };
  Statistics?: {
    DataScannedInBytes?: number;
    EngineExecutionTimeInMillis?: number;
    TotalExecutionTimeInMillis?: number;
    QueryQueueTimeInMillis?: number;
    QueryPlanningTimeInMillis?: number;
  };
}

export interface ColumnInfo {
  Name: string;
  Label?: string;
  Type: string;
  Precision?: number;
  Scale?: number;
}

export interface ResultPage {
  columns: ColumnInfo[];
  /** Null values are undefined. */
  rows: (string | undefined)[][];
  next: string | undefined;
}

export interface WorkGroup {
  Name: string;
  State?: string;
  Description?: string;
  CreationTime?: Seconds;
  Configuration?: { ResultConfiguration?: { OutputLocation?: string }; EnforceWorkGroupConfiguration?: boolean };
}

export interface NamedQuery {
  NamedQueryId: string;
  Name: string;
  Description?: string;
  Database: string;
  QueryString: string;
  WorkGroup?: string;
}

export interface StartQuery {
  QueryString: string;
  QueryExecutionContext?: { Database?: string; Catalog?: string };
  WorkGroup?: string;
  ResultConfiguration?: { OutputLocation: string };
  ExecutionParameters?: string[];
}

export const startQuery = (input: StartQuery) =>
  athena<{ QueryExecutionId: string }>('StartQueryExecution', input).then((answer) => answer.QueryExecutionId);

export const stopQuery = (QueryExecutionId: string) => athena('StopQueryExecution', { QueryExecutionId });

export const getQuery = (QueryExecutionId: string, options: CallOptions = {}) =>
  athena<{ QueryExecution: QueryExecution }>('GetQueryExecution', { QueryExecutionId }, options).then(
    (answer) => answer.QueryExecution,
  );

/** The newest executions of a work group. */
export async function listQueries(workGroup = 'primary', most = 200): Promise<QueryExecution[]> {
  const ids = await collect(async (NextToken) => {
    const input = { WorkGroup: workGroup, MaxResults: 50, NextToken };
    const page = await athena<{ QueryExecutionIds: string[]; NextToken?: string }>('ListQueryExecutions', input);
    return { items: page.QueryExecutionIds, next: page.NextToken };
  }, most);
  const batches = [];
  for (let at = 0; at < ids.length; at += 50) batches.push(ids.slice(at, at + 50));
  const found = await Promise.all(
    batches.map((QueryExecutionIds) =>
      athena<{ QueryExecutions: QueryExecution[] }>('BatchGetQueryExecution', { QueryExecutionIds }),
    ),
  );
  return found.flatMap((answer) => answer.QueryExecutions);
}

/** Whether a state is a last one. */
export const isOver = (state: QueryState) => state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';

/** A page of a result. The first row of a SELECT's first page repeats the names, and is taken off here. */
export async function getResults(
  QueryExecutionId: string,
  NextToken?: string,
  options: CallOptions = {},
): Promise<ResultPage> {
  interface Answer {
    ResultSet: { Rows: { Data?: { VarCharValue?: string }[] }[]; ResultSetMetadata: { ColumnInfo: ColumnInfo[] } };
    NextToken?: string;
  }
  const input = { QueryExecutionId, NextToken, MaxResults: 1000 };
  const answer = await athena<Answer>('GetQueryResults', input, options);
  const columns = answer.ResultSet.ResultSetMetadata.ColumnInfo;
  const rows = answer.ResultSet.Rows.map((row) => (row.Data ?? []).map((cell) => cell.VarCharValue));
  const isHeader = !NextToken && columns.length > 0 && columns.every((column, at) => rows[0]?.[at] === column.Name);
  return { columns, rows: isHeader ? rows.slice(1) : rows, next: answer.NextToken };
}

export const getWorkGroup = (name: string) =>
  athena<{ WorkGroup: WorkGroup }>('GetWorkGroup', { WorkGroup: name }).then((answer) => answer.WorkGroup);

export const listWorkGroups = () =>
  athena<{ WorkGroups: WorkGroup[] }>('ListWorkGroups').then((answer) => answer.WorkGroups);

export async function listNamedQueries(WorkGroup: string): Promise<NamedQuery[]> {
  const ids = await collect(async (NextToken) => {
    const page = await athena<{ NamedQueryIds: string[]; NextToken?: string }>('ListNamedQueries', { WorkGroup, NextToken });
    return { items: page.NamedQueryIds, next: page.NextToken };
  });
  const batches = [];
  for (let at = 0; at < ids.length; at += 50) batches.push(ids.slice(at, at + 50));
  const found = await Promise.all(
    batches.map((NamedQueryIds) => athena<{ NamedQueries: NamedQuery[] }>('BatchGetNamedQuery', { NamedQueryIds })),
  );
  return found.flatMap((answer) => answer.NamedQueries);
}

/** Tables and columns that a query read or wrote. */
export interface Used {
  Database: string;
  Table: string;
  Columns: string[];
}

/** Who last read or wrote a table. */
export interface TableUser {
  QueryExecutionId: string;
  Principal: string;
  CompletionDateTime: Seconds;
  Columns: string[];
}

export const executionLineage = (id: string) =>
  ownCall<{ Read: Used[]; Written: Used[] }>('athena', `/_boathouse/lineage/executions/${id}`);

export const tableLineage = (database: string, table: string) =>
  ownCall<{ Lineage: { LastReaders: TableUser[]; LastWriters: TableUser[] } }>(
    'athena',
    `/_boathouse/lineage/tables/${encodeURIComponent(database)}/${encodeURIComponent(table)}`,
  ).then((answer) => answer.Lineage);

/** Where the time went, and how much came in and out. */
export interface RuntimeStatistics {
  Timeline?: {
    QueryQueueTimeInMillis?: number;
    ServicePreProcessingTimeInMillis?: number;
    QueryPlanningTimeInMillis?: number;
    EngineExecutionTimeInMillis?: number;
    ServiceProcessingTimeInMillis?: number;
    TotalExecutionTimeInMillis?: number;
  };
  Rows?: { InputRows?: number; InputBytes?: number; OutputRows?: number; OutputBytes?: number };
}

export const getStatistics = (QueryExecutionId: string) =>
  athena<{ QueryRuntimeStatistics: RuntimeStatistics }>('GetQueryRuntimeStatistics', { QueryExecutionId }).then(
    (answer) => answer.QueryRuntimeStatistics,
  );

export const setResultLocation = (WorkGroup: string, OutputLocation: string) =>
  athena('UpdateWorkGroup', { WorkGroup, ConfigurationUpdates: { ResultConfigurationUpdates: { OutputLocation } } });

export interface SavedQuery {
  Name: string;
  Description?: string | undefined;
  QueryString: string;
}

export const createNamedQuery = (input: SavedQuery & { Database: string; WorkGroup?: string | undefined }) =>
  athena<{ NamedQueryId: string }>('CreateNamedQuery', input).then((answer) => answer.NamedQueryId);

export const updateNamedQuery = (NamedQueryId: string, input: SavedQuery) => athena('UpdateNamedQuery', { NamedQueryId, ...input });

export const deleteNamedQuery = (NamedQueryId: string) => athena('DeleteNamedQuery', { NamedQueryId });

export interface PreparedStatement {
  StatementName: string;
  QueryStatement: string;
  WorkGroupName: string;
  Description?: string;
  LastModifiedTime?: Seconds;
}

export const getPrepared = (StatementName: string, WorkGroup: string) =>
  athena<{ PreparedStatement: PreparedStatement }>('GetPreparedStatement', { StatementName, WorkGroup }).then(
    (answer) => answer.PreparedStatement,
  );

export async function listPrepared(WorkGroup: string): Promise<PreparedStatement[]> {
  const names = await collect(async (NextToken) => {
    interface Page {
      PreparedStatements: { StatementName: string }[];
      NextToken?: string;
    }
    const page = await athena<Page>('ListPreparedStatements', { WorkGroup, NextToken });
    return { items: page.PreparedStatements.map((one) => one.StatementName), next: page.NextToken };
  });
  const batches = [];
  for (let at = 0; at < names.length; at += 50) batches.push(names.slice(at, at + 50));
  const found = await Promise.all(
    batches.map((PreparedStatementNames) =>
      athena<{ PreparedStatements: PreparedStatement[] }>('BatchGetPreparedStatement', { WorkGroup, PreparedStatementNames }),
    ),
  );
  return found.flatMap((answer) => answer.PreparedStatements);
}

export const createPrepared = (input: { StatementName: string; WorkGroup: string; QueryStatement: string; Description?: string | undefined }) =>
  athena('CreatePreparedStatement', input);

export const updatePrepared = (input: { StatementName: string; WorkGroup: string; QueryStatement: string; Description?: string | undefined }) =>
  athena('UpdatePreparedStatement', input);

export const deletePrepared = (StatementName: string, WorkGroup: string) =>
  athena('DeletePreparedStatement', { StatementName, WorkGroup });

export interface WorkGroupInput {
  name: string;
  description: string;
  /** Empty for none. */
  location: string;
  enforced: boolean;
}

export const createWorkGroup = ({ name, description, location, enforced }: WorkGroupInput) =>
  athena('CreateWorkGroup', {
    Name: name,
    Description: description || undefined,
    Configuration: { EnforceWorkGroupConfiguration: enforced, ...(location ? { ResultConfiguration: { OutputLocation: location } } : {}) },
  });

export const updateWorkGroup = ({ name, description, location, enforced }: WorkGroupInput) =>
  athena('UpdateWorkGroup', {
    WorkGroup: name,
    Description: description,
    ConfigurationUpdates: {
      EnforceWorkGroupConfiguration: enforced,
      ResultConfigurationUpdates: location ? { OutputLocation: location } : { RemoveOutputLocation: true },
    },
  });

export const deleteWorkGroup = (WorkGroup: string) => athena('DeleteWorkGroup', { WorkGroup, RecursiveDeleteOption: true });
