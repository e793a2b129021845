import type { Area } from '../../lib/area';
import { IAM_ROWS, iamCommands } from './iam/rows';
import { LOG_ROWS, logCommands } from './logs/rows';
import { METRIC_ROWS } from './metrics/rows';
import { SERVER_ROWS } from './server/rows';
import { STACK_ROWS, stackCommands } from './stacks/rows';

export const area: Area = {
  id: 'operations',
  title: 'Operations',
  pages: [...STACK_ROWS, ...LOG_ROWS, ...METRIC_ROWS, ...IAM_ROWS, ...SERVER_ROWS],
  // Who may read one kind of thing may not be allowed to read another one.
  commands: async () => {
    const found = await Promise.allSettled([stackCommands(), logCommands(), iamCommands()]);
    return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  },
};
