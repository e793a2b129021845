/** What stands in the place of delivered objects when there are none: either nothing has landed, or all of it has moved on. */
import Link from '@cloudscape-design/components/link';

import { getMetricData } from '../../aws/cloudwatch';
import { platformNow } from '../../aws/session';
import { count } from '../../lib/format';
import { metricsHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { to } from '../../lib/router';
import { Empty } from '../../lib/states';

const HOUR = 3600;
const LOOKED_BACK = 3 * 24 * HOUR;
const DELIVERED = 'DeliveryToS3.Records';

/** How many records a stream has delivered in the last three days, by its metrics. */
async function deliveredRecords(name: string, signal: AbortSignal): Promise<number> {
  const now = Math.ceil(platformNow() / 1000 / HOUR + 1) * HOUR;
  const Metric = { Namespace: 'AWS/Firehose', MetricName: DELIVERED, Dimensions: [{ Name: 'DeliveryStreamName', Value: name }] };
  const queries = [{ Id: 'delivered', MetricStat: { Metric, Period: HOUR, Stat: 'Sum' } }];
  const results = await getMetricData(queries, { StartTime: now - LOOKED_BACK, EndTime: now }, { signal });
  return results.flatMap(({ Values }) => Values).reduce((sum, value) => sum + value, 0);
}

export function NothingLies({ name }: { name: string }) {
  // Who may not read metrics is told what the bucket tells.
  const told = useLive(`cloudwatch/delivered/${name}`, (signal) => deliveredRecords(name, signal).catch(() => 0), { every: 10_000 });
  if (!told.data) {
    return <Empty title="Nothing delivered yet">Records are gathered first: they land when enough of them have come, or their time is over. Send a record to see it arrive.</Empty>;
  }
  return (
    <Empty title={`${count(told.data)} records were delivered, and have moved on`}>
      Something takes the objects out of the landing prefix as they come. <Link href={to('/')}>How data flows</Link> shows where to, and the{' '}
      <Link href={metricsHref('AWS/Firehose', { DeliveryStreamName: name }, { IncomingRecords: 'Sum', [DELIVERED]: 'Sum' })}>metrics</Link> when they came.
    </Empty>
  );
}
