/** API Gateway's HTTP APIs. Operations that are not here: `apigateway.call('GET', ['v2', 'apis', …])`. */
import { collect, restService } from './call';

export const apigateway = restService('apigateway');

export interface Api {
  apiId: string;
  name: string;
  description?: string;
  protocolType: string;
  apiEndpoint: string;
  createdDate?: string;
}

export interface Route {
  routeId: string;
  routeKey: string;
  target?: string;
  authorizationType?: string;
  authorizerId?: string;
}

export interface Integration {
  integrationId: string;
  integrationType: string;
  integrationSubtype?: string;
  integrationUri?: string;
  payloadFormatVersion?: string;
}

export interface Stage {
  stageName: string;
  autoDeploy?: boolean;
  deploymentId?: string;
  lastUpdatedDate?: string;
}

function items<Item>(segments: readonly string[]): Promise<Item[]> {
  return collect(async (nextToken) => {
    const page = await apigateway.call<{ items: Item[]; nextToken?: string }>('GET', segments, { query: { nextToken } });
    return { items: page.items, next: page.nextToken };
  });
}

export const getApis = () => items<Api>(['v2', 'apis']);
export const getRoutes = (api: string) => items<Route>(['v2', 'apis', api, 'routes']);
export const getIntegrations = (api: string) => items<Integration>(['v2', 'apis', api, 'integrations']);
export const getStages = (api: string) => items<Stage>(['v2', 'apis', api, 'stages']);

/** An API; with a function's ARN one whose `$default` route and stage lead there. */
export const createApi = (name: string, target: string) =>
  apigateway.call<Api>('POST', ['v2', 'apis'], { body: { name, protocolType: 'HTTP', ...(target ? { target } : {}) } });

export const getApi = (api: string) => apigateway.call<Api>('GET', ['v2', 'apis', api]);

export const deleteApi = (api: string) => apigateway.raw('DELETE', ['v2', 'apis', api]);

export interface Authorizer {
  authorizerId: string;
  name: string;
  authorizerType: string;
  identitySource?: string[];
  authorizerUri?: string;
}

export const getAuthorizers = (api: string) => items<Authorizer>(['v2', 'apis', api, 'authorizers']);

/** Where an API is called on this port. */
export const invokePath = (api: string, stage: string) => `/_aws/execute-api/${api}${stage === '$default' ? '' : `/${stage}`}`;
