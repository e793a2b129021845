import type { Command, PageRow } from '../../../lib/area';
import { stackHref } from '../../../lib/links';

/** A stack that is gone is known by its id only. */
export const stackName = (nameOrId: string | undefined) => (nameOrId?.startsWith('arn:') ? nameOrId.split('/').at(1) : nameOrId) ?? '';

export const STACK_ROWS: readonly PageRow[] = [
  { path: '/operations', title: 'Stacks', nav: true, keywords: 'cloudformation templates deploy', wide: true, load: () => import('./Stacks') },
  { path: '/operations/create-stack', title: 'Create stack', keywords: 'cloudformation template deploy', load: () => import('./CreateStack') },
  { path: '/operations/stacks/:name', title: 'Stack', crumb: ({ name }) => stackName(name), wide: true, load: () => import('./StackPage') },
  {
    path: '/operations/stacks/:name/update',
    title: 'Update',
    parent: '/operations/stacks/:name',
    load: () => import('./UpdateStack'),
  },
];

export async function stackCommands(): Promise<Command[]> {
  const { describeStacks } = await import('../../../aws/cloudformation');
  return (await describeStacks()).map(({ name }) => ({ id: `stack:${name}`, title: name, kind: 'Stack', href: stackHref(name) }));
}
