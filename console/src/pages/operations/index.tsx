import type { Area } from '../../lib/area';
import { IAM_COMMANDS, IAM_ROWS } from './iam/rows';
import { LOG_ROWS, logCommands } from './logs/rows';
import { METRIC_ROWS } from './metrics/rows';
import { SERVER_ROWS } from './server/rows';
import { STACK_ROWS, stackCommands } from './stacks/rows';

export const area: Area = {
  id: 'operations',
  title: 'Operations',
  pages: [...STACK_ROWS, ...LOG_ROWS, ...METRIC_ROWS, ...IAM_ROWS, ...SERVER_ROWS],
  commands: [stackCommands, logCommands, ...IAM_COMMANDS],
};
