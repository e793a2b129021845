/** Lambda. Operations that are not here: `lambda.call('GET', ['2015-03-31', 'functions', …])`. */
import { collect, restService } from './call';
import { AwsError } from './error';

export const lambda = restService('lambda');
export const FUNCTIONS = ['2015-03-31', 'functions'] as const;

export interface FunctionConfiguration {
  FunctionName: string;
  FunctionArn: string;
  Runtime?: string;
  Role: string;
  Handler?: string;
  CodeSize: number;
  Description?: string;
  Timeout: number;
  MemorySize: number;
  /** Such as `2026-01-31T12:00:00.000+0000`. */
  LastModified: string;
  CodeSha256?: string;
  RevisionId?: string;
  Version?: string;
  State?: string;
  StateReason?: string;
  LastUpdateStatus?: string;
  Architectures?: string[];
  EphemeralStorage?: { Size: number };
  Environment?: { Variables?: Record<string, string> };
  Layers?: { Arn: string; CodeSize?: number }[];
  DeadLetterConfig?: { TargetArn?: string };
  LoggingConfig?: { LogFormat?: string; LogGroup?: string };
}

export interface Invocation {
  /** The function's own answer, as text. */
  payload: string;
  status: number;
  /** `Unhandled` when the function failed. */
  error: string | undefined;
  /** The last 4 KB of its log. */
  log: string;
  version: string | undefined;
  requestId: string | undefined;
}

export interface EventSourceMapping {
  UUID: string;
  EventSourceArn?: string;
  FunctionArn?: string;
  State?: string;
  StateTransitionReason?: string;
  LastProcessingResult?: string;
  BatchSize?: number;
  MaximumBatchingWindowInSeconds?: number;
  FunctionResponseTypes?: string[];
  ScalingConfig?: { MaximumConcurrency?: number };
  LastModified?: number;
}

export const listFunctions = () =>
  collect(async (Marker) => {
    const query = { Marker, MaxItems: 50 };
    const page = await lambda.call<{ Functions: FunctionConfiguration[]; NextMarker?: string }>('GET', FUNCTIONS, { query });
    return { items: page.Functions, next: page.NextMarker };
  });

export interface FunctionDetails {
  Configuration: FunctionConfiguration;
  Code: { Location?: string };
  Tags?: Record<string, string>;
  Concurrency?: { ReservedConcurrentExecutions?: number };
}

export const getFunction = (name: string, Qualifier?: string) => lambda.call<FunctionDetails>('GET', [...FUNCTIONS, name], { query: { Qualifier } });

/** An archive from where GetFunction or GetLayerVersion says it is: on this server, whatever name it has there. */
export async function download(location: string): Promise<Uint8Array<ArrayBuffer>> {
  const { pathname, search } = new URL(location);
  const response = await fetch(`${window.location.origin}${pathname}${search}`, { cache: 'no-store', credentials: 'omit' });
  if (!response.ok) throw new AwsError('DownloadFailed', (await response.text()).trim() || `The archive can't be downloaded`, response.status);
  return new Uint8Array(await response.arrayBuffer());
}

export interface NewFunction {
  FunctionName: string;
  Runtime: string;
  Role: string;
  Handler: string;
  Description?: string;
  Timeout?: number;
  MemorySize?: number;
  /** `ZipFile` is base64 text. */
  Code: { ZipFile: string } | { S3Bucket: string; S3Key: string };
}

export const createFunction = (input: NewFunction) => lambda.call<FunctionConfiguration>('POST', FUNCTIONS, { body: input });

export const deleteFunction = (name: string, Qualifier?: string) => lambda.raw('DELETE', [...FUNCTIONS, name], { query: { Qualifier } });

/** New code; refused when the function is no longer the one of `RevisionId`. */
export const updateCode = (name: string, ZipFile: string, RevisionId?: string) =>
  lambda.call<FunctionConfiguration>('PUT', [...FUNCTIONS, name, 'code'], { body: { ZipFile, RevisionId } });

export const updateConfiguration = (name: string, changes: object) =>
  lambda.call<FunctionConfiguration>('PUT', [...FUNCTIONS, name, 'configuration'], { body: changes });

/** The group that a function's log goes to. */
export const logGroupOf = ({ FunctionName, LoggingConfig }: Pick<FunctionConfiguration, 'FunctionName' | 'LoggingConfig'>) =>
  LoggingConfig?.LogGroup ?? `/aws/lambda/${FunctionName}`;

export const listMappings = (FunctionName?: string) =>
  collect(async (Marker) => {
    const path = ['2015-03-31', 'event-source-mappings'];
    const page = await lambda.call<{ EventSourceMappings: EventSourceMapping[]; NextMarker?: string }>('GET', path, {
      query: { Marker, FunctionName },
    });
    return { items: page.EventSourceMappings, next: page.NextMarker };
  });

/** Invokes a function and waits for its answer. */
export async function invoke(name: string, payload: string, qualifier?: string): Promise<Invocation> {
  const response = await lambda.raw('POST', [...FUNCTIONS, name, 'invocations'], {
    query: { Qualifier: qualifier },
    headers: { 'x-amz-invocation-type': 'RequestResponse', 'x-amz-log-type': 'Tail' },
    raw: payload,
  });
  const log = response.headers.get('x-amz-log-result');
  return {
    payload: await response.text(),
    status: response.status,
    error: response.headers.get('x-amz-function-error') ?? undefined,
    log: log ? new TextDecoder().decode(Uint8Array.from(atob(log), (c) => c.charCodeAt(0))) : '',
    version: response.headers.get('x-amz-executed-version') ?? undefined,
    requestId: response.headers.get('x-amzn-requestid') ?? undefined,
  };
}
