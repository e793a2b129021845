import type { Area } from '../../lib/area';
import { functionHref } from '../../lib/links';
import { to } from '../../lib/router';
import { layerHref, tabHref } from './hrefs';

export const area: Area = {
  id: 'compute',
  title: 'Compute',
  pages: [
    { path: '/compute', title: 'Functions', nav: true, keywords: 'lambda code python node', wide: true, load: () => import('./Functions') },
    { path: '/compute/functions/:name', title: 'Function', crumb: ({ name }) => name ?? '', wide: true, load: () => import('./FunctionPage') },
    { path: '/compute/layers', title: 'Layers', nav: true, keywords: 'lambda libraries packages', wide: true, load: () => import('./Layers') },
    { path: '/compute/layers/:name', title: 'Layer', parent: '/compute/layers', crumb: ({ name }) => name ?? '', wide: true, load: () => import('./LayerPage') },
    { path: '/compute/mappings', title: 'Event source mappings', nav: true, keywords: 'lambda sqs queue triggers', wide: true, load: () => import('./Mappings') },
  ],
  commands: [
    async () => [{ id: 'create-function', title: 'Create function', kind: 'Action', href: to('/compute', { create: 'function' }), keywords: 'lambda new' }],
    async () => {
      const { listFunctions } = await import('../../aws/lambda');
      return (await listFunctions()).flatMap(({ FunctionName }) => [
        { id: `function:${FunctionName}`, title: FunctionName, kind: 'Function', href: functionHref(FunctionName), keywords: 'lambda' },
        { id: `function-test:${FunctionName}`, title: `Test ${FunctionName}`, kind: 'Action', href: tabHref(FunctionName, 'test') },
        { id: `function-logs:${FunctionName}`, title: `Logs of ${FunctionName}`, kind: 'Action', href: tabHref(FunctionName, 'logs') },
      ]);
    },
    async () => {
      const { listLayers } = await import('../../aws/lambda-settings');
      return (await listLayers()).map(({ LayerName }) => ({ id: `layer:${LayerName}`, title: LayerName, kind: 'Layer', href: layerHref(LayerName) }));
    },
  ],
};
