/** Of each failed test, what its browser and its server had to say. */
import { afterEach } from 'vitest';

import { Browser } from './browser';

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(`${task.name}:\n${await Browser.scenes()}`);
});
