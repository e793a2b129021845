/** The log of a function, as it is written. */
import Link from '@cloudscape-design/components/link';

import { type FunctionConfiguration, logGroupOf } from '../../aws/lambda';
import { logGroupHref } from '../../lib/links';
import { LogView } from '../../lib/log-view';
import { Empty } from '../../lib/states';
import { tabHref } from './hrefs';

export function LogsTab({ config }: { config: FunctionConfiguration }) {
  const group = logGroupOf(config);
  return (
    <LogView
      group={group}
      tools={<Link href={logGroupHref(group)}>Log group</Link>}
      empty={
        <Empty title="No lines here" action={<Link href={tabHref(config.FunctionName, 'test')}>Test the function</Link>}>
          What the function prints comes to {group}, line by line, a moment later. Its role must be allowed logs:CreateLogGroup, logs:CreateLogStream and logs:PutLogEvents.
        </Empty>
      }
    />
  );
}
