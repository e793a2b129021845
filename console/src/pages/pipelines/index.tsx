import type { Area } from '../../lib/area';
import { jobHref, machineHref } from '../../lib/links';
import { to } from '../../lib/router';

const nameOf = (arn: string | undefined) => arn?.split(':').at(-1) ?? '';

export const area: Area = {
  id: 'pipelines',
  title: 'Pipelines',
  pages: [
    { path: '/pipelines', title: 'State machines', nav: true, keywords: 'step functions workflows', wide: true, load: () => import('./Machines') },
    { path: '/pipelines/create', title: 'Create state machine', keywords: 'step functions new', wide: true, load: () => import('./CreateMachine') },
    {
      path: '/pipelines/machines/:name',
      title: 'State machine',
      crumb: ({ name }) => name ?? '',
      wide: true,
      load: () => import('./Machine'),
    },
    {
      path: '/pipelines/executions/:arn',
      title: 'Execution',
      crumb: ({ arn }) => nameOf(arn),
      wide: true,
      load: () => import('./Execution'),
    },
    { path: '/pipelines/jobs', title: 'Glue jobs', nav: true, keywords: 'etl visual python shell runs', wide: true, load: () => import('./Jobs') },
    {
      path: '/pipelines/jobs/:name',
      title: 'Glue job',
      parent: '/pipelines/jobs',
      crumb: ({ name }) => name ?? '',
      wide: true,
      load: () => import('./JobPage'),
    },
    {
      path: '/pipelines/jobs/:name/runs/:run',
      title: 'Run',
      parent: '/pipelines/jobs/:name',
      crumb: ({ run }) => run ?? '',
      wide: true,
      load: () => import('./JobRunPage'),
    },
    {
      path: '/pipelines/schedules',
      title: 'Schedules and rules',
      nav: true,
      keywords: 'eventbridge scheduler cron rate events',
      wide: true,
      load: () => import('./Schedules'),
    },
    {
      path: '/pipelines/schedules/:group/:name',
      title: 'Schedule',
      parent: '/pipelines/schedules',
      crumb: ({ name }) => name ?? '',
      wide: true,
      load: () => import('./SchedulePage'),
    },
    {
      path: '/pipelines/rules/:bus/:name',
      title: 'Rule',
      parent: '/pipelines/schedules',
      crumb: ({ name }) => name ?? '',
      wide: true,
      load: () => import('./RulePage'),
    },
  ],
  commands: [
    async () => [{ id: 'machine:create', title: 'Create state machine', kind: 'Action', href: to('/pipelines/create') }],
    async () => {
      const { listMachines } = await import('../../aws/states');
      return (await listMachines()).map(({ name }) => ({ id: `machine:${name}`, title: name, kind: 'State machine', href: machineHref(name) }));
    },
    async () => {
      const { getJobs } = await import('../../aws/glue');
      return (await getJobs()).map(({ Name }) => ({ id: `job:${Name}`, title: Name, kind: 'Glue job', href: jobHref(Name) }));
    },
  ],
};
