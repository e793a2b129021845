/** When a schedule or a rule fires next, and how that is told. */
import { platformNow } from '../../aws/session';
import type { Rule, ScheduleDetails } from '../../aws/events';
import { Time } from '../../lib/time';
import { nextTimes } from './cron';

export function scheduleTimes(schedule: ScheduleDetails, now: number, most: number): number[] {
  const { StartDate, EndDate, CreationDate } = schedule;
  const begins = (StartDate ?? CreationDate ?? 0) * 1000;
  // A schedule doesn't fire before it begins, and may do so at that very moment.
  const after = StartDate === undefined ? now : Math.max(now, begins - 1);
  return nextTimes(schedule.ScheduleExpression, { after, zone: schedule.ScheduleExpressionTimezone, anchor: begins, until: EndDate && EndDate * 1000 }, most);
}

/** Of a rate only where it is known when it began, and with it that it first fires one period later. */
export function ruleTimes({ ScheduleExpression = '', Since }: Rule, now: number, most: number): number[] {
  const anchor = Since && Since * 1000;
  return nextTimes(ScheduleExpression, { after: Math.max(now, anchor ?? now), anchor }, most);
}

export function First({ times, enabled }: { times: (now: number, most: number) => number[]; enabled: boolean }) {
  const [time] = enabled ? times(platformNow(), 1) : [];
  return time === undefined ? <span>–</span> : <Time at={new Date(time)} />;
}

interface NextTimesProps {
  times: readonly number[];
  enabled: boolean;
  /** Why there are none. */
  none: string;
}

export function NextTimes({ times, enabled, none }: NextTimesProps) {
  if (times.length === 0) return <span>{none}</span>;
  return (
    <>
      {!enabled && <p>While it is disabled it doesn't fire. Enabled, it would:</p>}
      <ol className="bh-times" aria-label="Next times">
        {times.map((time) => (
          <li key={time}>
            <Time at={new Date(time)} /> <span className="bh-soft">(<Time at={new Date(time)} relative />)</span>
          </li>
        ))}
      </ol>
    </>
  );
}
