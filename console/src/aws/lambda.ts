/** Lambda. Operations that are not here: `lambda.call('GET', ['2015-03-31', 'functions', …])`. */
import { collect, restService } from './call';

export const lambda = restService('lambda');
const FUNCTIONS = ['2015-03-31', 'functions'] as const;

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
  Version?: string;
  State?: string;
  StateReason?: string;
  Environment?: { Variables?: Record<string, string> };
  Layers?: { Arn: string }[];
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
}

export interface EventSourceMapping {
  UUID: string;
  EventSourceArn?: string;
  FunctionArn?: string;
  State?: string;
  BatchSize?: number;
}

export const listFunctions = () =>
  collect(async (Marker) => {
    const query = { Marker, MaxItems: 50 };
    const page = await lambda.call<{ Functions: FunctionConfiguration[]; NextMarker?: string }>('GET', FUNCTIONS, { query });
    return { items: page.Functions, next: page.NextMarker };
  });

export const getFunction = (name: string) =>
  lambda.call<{ Configuration: FunctionConfiguration; Code: { Location?: string }; Tags?: Record<string, string> }>(
    'GET',
    [...FUNCTIONS, name],
  );

export const listMappings = () =>
  collect(async (Marker) => {
    const path = ['2015-03-31', 'event-source-mappings'];
    const page = await lambda.call<{ EventSourceMappings: EventSourceMapping[]; NextMarker?: string }>('GET', path, {
      query: { Marker },
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
  };
}
