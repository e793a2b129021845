/** Lambda: what belongs to functions. Versions, aliases, permissions, limits, event source mappings, layers, tags. */
import { collect } from './call';
import { AwsError } from './error';
import { type EventSourceMapping, type FunctionConfiguration, FUNCTIONS, lambda } from './lambda';

export interface Alias {
  AliasArn: string;
  Name: string;
  FunctionVersion: string;
  Description?: string;
  RoutingConfig?: { AdditionalVersionWeights?: Record<string, number> };
}

/** All pages of a list whose items stand under `name`. */
function list<Item>(segments: readonly string[], name: string, query: Record<string, string | undefined> = {}): Promise<Item[]> {
  return collect(async (Marker) => {
    const page = await lambda.call<Record<string, unknown>>('GET', segments, { query: { ...query, Marker } });
    return { items: (page[name] ?? []) as Item[], next: (page.NextMarker ?? undefined) as string | undefined };
  });
}

/** What there may be none of. */
async function perhaps<Output>(asked: Promise<Output>): Promise<Output | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof AwsError && error.isMissing) return undefined;
    throw error;
  }
}

export const listVersions = (name: string) => list<FunctionConfiguration>([...FUNCTIONS, name, 'versions'], 'Versions');

export const publishVersion = (name: string, Description: string) =>
  lambda.call<FunctionConfiguration>('POST', [...FUNCTIONS, name, 'versions'], { body: { Description } });

export const listAliases = (name: string) => list<Alias>([...FUNCTIONS, name, 'aliases'], 'Aliases');

export type AliasInput = Omit<Alias, 'AliasArn'>;

export const createAlias = (name: string, input: AliasInput) => lambda.call<Alias>('POST', [...FUNCTIONS, name, 'aliases'], { body: input });

export const updateAlias = (name: string, { Name, ...rest }: AliasInput) =>
  lambda.call<Alias>('PUT', [...FUNCTIONS, name, 'aliases', Name], { body: rest });

export const deleteAlias = (name: string, alias: string) => lambda.raw('DELETE', [...FUNCTIONS, name, 'aliases', alias]);

/** The resource policy's text; none if nobody was ever permitted anything. */
export const getPolicy = (name: string) =>
  perhaps(lambda.call<{ Policy: string }>('GET', [...FUNCTIONS, name, 'policy'])).then((found) => found?.Policy);

export const removePermission = (name: string, statement: string) => lambda.raw('DELETE', [...FUNCTIONS, name, 'policy', statement]);

export const putConcurrency = (name: string, ReservedConcurrentExecutions: number) =>
  lambda.call('PUT', ['2017-10-31', 'functions', name, 'concurrency'], { body: { ReservedConcurrentExecutions } });

export const deleteConcurrency = (name: string) => lambda.raw('DELETE', ['2017-10-31', 'functions', name, 'concurrency']);

export interface EventInvokeConfig {
  MaximumRetryAttempts?: number;
  MaximumEventAgeInSeconds?: number;
  DestinationConfig?: { OnSuccess?: { Destination?: string }; OnFailure?: { Destination?: string } };
}

const invokeConfig = (name: string) => ['2019-09-25', 'functions', name, 'event-invoke-config'];

export const getEventInvokeConfig = (name: string) => perhaps(lambda.call<EventInvokeConfig>('GET', invokeConfig(name)));

export const putEventInvokeConfig = (name: string, config: EventInvokeConfig) => lambda.call('PUT', invokeConfig(name), { body: config });

const MAPPINGS = ['2015-03-31', 'event-source-mappings'];

export interface NewMapping {
  FunctionName: string;
  EventSourceArn: string;
  BatchSize?: number;
  MaximumBatchingWindowInSeconds?: number;
}

export const createMapping = (input: NewMapping) => lambda.call<EventSourceMapping>('POST', MAPPINGS, { body: input });

export const updateMapping = (uuid: string, changes: { Enabled?: boolean; BatchSize?: number }) =>
  lambda.call<EventSourceMapping>('PUT', [...MAPPINGS, uuid], { body: changes });

export const deleteMapping = (uuid: string) => lambda.raw('DELETE', [...MAPPINGS, uuid]);

const tags = (arn: string) => ['2017-03-31', 'tags', arn];

/** Makes a function's tags what `wanted` says. */
export async function setTags(arn: string, wanted: Record<string, string>, before: Record<string, string>): Promise<void> {
  const gone = Object.keys(before).filter((name) => !(name in wanted));
  if (gone.length > 0) await Promise.all(gone.map((name) => lambda.raw('DELETE', tags(arn), { query: { tagKeys: name } })));
  if (Object.keys(wanted).length > 0) await lambda.raw('POST', tags(arn), { body: { Tags: wanted } });
}

export interface LayerVersion {
  LayerVersionArn: string;
  Version: number;
  Description?: string;
  CreatedDate?: string;
  CompatibleRuntimes?: string[];
  LicenseInfo?: string;
  Content?: { Location?: string; CodeSha256?: string; CodeSize?: number };
}

export interface Layer {
  LayerName: string;
  LayerArn: string;
  LatestMatchingVersion: LayerVersion;
}

const LAYERS = ['2018-10-31', 'layers'];

export const listLayers = () => list<Layer>(LAYERS, 'Layers');

export const listLayerVersions = (name: string) => list<LayerVersion>([...LAYERS, name, 'versions'], 'LayerVersions');

export const getLayerVersion = (name: string, version: number) => lambda.call<LayerVersion>('GET', [...LAYERS, name, 'versions', String(version)]);

export const publishLayer = (name: string, ZipFile: string, Description: string, CompatibleRuntimes: readonly string[]) =>
  lambda.call<LayerVersion>('POST', [...LAYERS, name, 'versions'], { body: { Content: { ZipFile }, Description, CompatibleRuntimes } });

export const deleteLayerVersion = (name: string, version: number) => lambda.raw('DELETE', [...LAYERS, name, 'versions', String(version)]);
