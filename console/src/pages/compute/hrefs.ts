/** Places within a function's page. */
import { seg, to } from '../../lib/router';

const functionPath = (name: string) => `/compute/functions/${seg(name)}`;

export const tabHref = (name: string, tab: string) => to(functionPath(name), { tab });
export const codeHref = (name: string, file: string, line?: number) => to(functionPath(name), { tab: 'code', file, line });
/** The lines of one invocation. */
export const logsHref = (name: string, request: string, range?: string) => to(functionPath(name), { tab: 'logs', filter: `"${request}"`, range });
export const layerHref = (name: string) => to(`/compute/layers/${seg(name)}`);
