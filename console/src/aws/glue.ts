/** The Glue Data Catalog, crawlers and jobs. Operations that are not here: `glue<Output>('Name', input)`. */
import { type CallOptions, collect, jsonService, ownCall } from './call';
import { AwsError } from './error';

export const glue = jsonService('glue', 'AWSGlue', '1.1');

/** Seconds since 1970, with a fraction: how the JSON protocols write times. */
export type Seconds = number;

export interface Database {
  Name: string;
  Description?: string;
  LocationUri?: string;
  Parameters?: Record<string, string>;
  CreateTime?: Seconds;
}

export interface Column {
  Name: string;
  Type?: string;
  Comment?: string;
}

export interface StorageDescriptor {
  Columns?: Column[];
  Location?: string;
  InputFormat?: string;
  OutputFormat?: string;
  Compressed?: boolean;
  SerdeInfo?: { Name?: string; SerializationLibrary?: string; Parameters?: Record<string, string> };
  BucketColumns?: string[];
  Parameters?: Record<string, string>;
}

export interface Table {
  Name: string;
  DatabaseName: string;
  Description?: string;
  Owner?: string;
  CreateTime?: Seconds;
  UpdateTime?: Seconds;
  TableType?: string;
  PartitionKeys?: Column[];
  StorageDescriptor?: StorageDescriptor;
  Parameters?: Record<string, string>;
  ViewOriginalText?: string;
  CreatedBy?: string;
  VersionId?: string;
}

export interface Partition {
  Values: string[];
  CreationTime?: Seconds;
  StorageDescriptor?: StorageDescriptor;
  Parameters?: Record<string, string>;
}

export interface Crawler {
  Name: string;
  Role: string;
  DatabaseName?: string;
  Description?: string;
  State: 'READY' | 'RUNNING' | 'STOPPING';
  Targets?: { S3Targets?: { Path: string; Exclusions?: string[] }[]; CatalogTargets?: object[] };
  Schedule?: { ScheduleExpression?: string; State?: string };
  CrawlElapsedTime?: number;
  CreationTime?: Seconds;
  LastUpdated?: Seconds;
  LastCrawl?: { Status?: string; ErrorMessage?: string; LogGroup?: string; LogStream?: string; StartTime?: Seconds };
}

export interface Job {
  Name: string;
  Description?: string;
  Role: string;
  CreatedOn?: Seconds;
  LastModifiedOn?: Seconds;
  Command?: { Name?: string; ScriptLocation?: string; PythonVersion?: string };
  DefaultArguments?: Record<string, string>;
  CodeGenConfigurationNodes?: Record<string, Record<string, unknown>>;
  MaxRetries?: number;
  Timeout?: number;
  MaxCapacity?: number;
  ExecutionProperty?: { MaxConcurrentRuns?: number };
  GlueVersion?: string;
  WorkerType?: string;
  NumberOfWorkers?: number;
}

export type JobRunState = 'STARTING' | 'RUNNING' | 'STOPPING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED' | 'TIMEOUT' | 'WAITING' | 'ERROR';

export interface JobRun {
  Id: string;
  JobName: string;
  JobRunState: JobRunState;
  StartedOn?: Seconds;
  CompletedOn?: Seconds;
  ExecutionTime?: number;
  ErrorMessage?: string;
  Arguments?: Record<string, string>;
  Attempt?: number;
  TriggerName?: string;
  LogGroupName?: string;
  MaxCapacity?: number;
  WorkerType?: string;
  NumberOfWorkers?: number;
  Timeout?: number;
}

interface Page {
  NextToken?: string;
}

export const getDatabases = () =>
  collect(async (NextToken) => {
    const page = await glue<{ DatabaseList: Database[] } & Page>('GetDatabases', { NextToken });
    return { items: page.DatabaseList, next: page.NextToken };
  });

export const getTables = (DatabaseName: string) =>
  collect(async (NextToken) => {
    const page = await glue<{ TableList: Table[] } & Page>('GetTables', { DatabaseName, NextToken });
    return { items: page.TableList, next: page.NextToken };
  });

export const getTable = (DatabaseName: string, Name: string) =>
  glue<{ Table: Table }>('GetTable', { DatabaseName, Name }).then((answer) => answer.Table);

export const getPartitions = (DatabaseName: string, TableName: string, most = 10_000) =>
  collect(async (NextToken) => {
    const page = await glue<{ Partitions: Partition[] } & Page>('GetPartitions', { DatabaseName, TableName, NextToken });
    return { items: page.Partitions, next: page.NextToken };
  }, most);

export const getCrawlers = () =>
  collect(async (NextToken) => {
    const page = await glue<{ Crawlers: Crawler[] } & Page>('GetCrawlers', { NextToken });
    return { items: page.Crawlers, next: page.NextToken };
  });

export const startCrawler = (Name: string) => glue('StartCrawler', { Name });

export const getJobs = () =>
  collect(async (NextToken) => {
    const page = await glue<{ Jobs: Job[] } & Page>('GetJobs', { NextToken });
    return { items: page.Jobs, next: page.NextToken };
  });

export const getJobRuns = (JobName: string, most = 200) =>
  collect(async (NextToken) => {
    const page = await glue<{ JobRuns: JobRun[] } & Page>('GetJobRuns', { JobName, NextToken });
    return { items: page.JobRuns, next: page.NextToken };
  }, most);

export const startJobRun = (JobName: string, Arguments?: Record<string, string>) =>
  glue<{ JobRunId: string }>('StartJobRun', { JobName, Arguments }).then((answer) => answer.JobRunId);

export const getJob = (JobName: string) => glue<{ Job: Job }>('GetJob', { JobName }).then((answer) => answer.Job);

export const getJobRun = (JobName: string, RunId: string) =>
  glue<{ JobRun: JobRun }>('GetJobRun', { JobName, RunId }).then((answer) => answer.JobRun);

/** Asks a run to stop; what the service says against it is thrown. */
export async function stopJobRun(JobName: string, run: string): Promise<void> {
  const answer = await glue<{ Errors?: { ErrorDetail?: { ErrorCode?: string; ErrorMessage?: string } }[] }>('BatchStopJobRun', { JobName, JobRunIds: [run] });
  const detail = answer.Errors?.[0]?.ErrorDetail;
  if (detail) throw new AwsError(detail.ErrorCode ?? 'InvalidInputException', detail.ErrorMessage ?? 'The run was not stopped', 400);
}

export const createJob = (job: Omit<Job, 'CreatedOn' | 'LastModifiedOn'>) => glue('CreateJob', job);

/** UpdateJob replaces everything, so the rest is given back as it was read. */
export async function updateJob(JobName: string, change: Partial<Job>): Promise<void> {
  const { Name: _name, CreatedOn: _created, LastModifiedOn: _modified, ...rest } = await getJob(JobName);
  // Both tell the same, and only one of them may be said.
  const { AllocatedCapacity: _capacity, ...known } = rest as typeof rest & { AllocatedCapacity?: number };
  await glue('UpdateJob', { JobName, JobUpdate: { ...known, ...change } });
}

export const deleteJob = (JobName: string) => glue('DeleteJob', { JobName });

export interface Bookmark {
  Version?: number;
  Run?: number;
  RunId?: string;
  /** JSON: how much the last run has read. */
  JobBookmark?: string;
}

/** What a job remembers of earlier runs; nothing if none has kept a bookmark. */
export async function getBookmark(JobName: string): Promise<Bookmark | undefined> {
  try {
    return (await glue<{ JobBookmarkEntry: Bookmark }>('GetJobBookmark', { JobName })).JobBookmarkEntry;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'EntityNotFoundException') return undefined;
    throw error;
  }
}

export const resetBookmark = (JobName: string) => glue('ResetJobBookmark', { JobName });

/** The first rows of a visual job's node. Null values are null. */
export interface NodeRows {
  Columns: { Name: string; Type: string }[];
  Rows: (string | null)[][];
  /** Whether there are more. */
  Truncated: boolean;
}

/** Computed by the engine that runs the job, read as whoever is signed in. */
export const nodeRows = (job: string, node: string, options: CallOptions = {}) =>
  ownCall<NodeRows>('glue', `/_boathouse/jobs/${encodeURIComponent(job)}/nodes/${encodeURIComponent(node)}/rows`, options);
