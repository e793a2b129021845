/** A time in this machine's zone, with UTC when the pointer is over it. */
import { platformNow } from '../aws/session';
import { type Moment, ago, date, localTime, utcTime } from './format';

export function Time({ at, relative }: { at: Moment; relative?: boolean }) {
  const found = date(at);
  if (!found) return <span>–</span>;
  const title = relative ? `${localTime(found)} · ${utcTime(found)}` : utcTime(found);
  return (
    <time dateTime={found.toISOString()} title={title} className="bh-time">
      {relative ? ago(found, platformNow()) : localTime(found)}
    </time>
  );
}
