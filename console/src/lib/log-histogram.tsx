/** Bars that say when lines were written, errors apart; a click on one looks at its time only. */
import { useMemo } from 'react';

import type { LogEvent } from '../aws/logs';
import { count, localTime } from './format';
import { type Bucket, buckets } from './log-buckets';
import type { Range } from './log-range';

export interface LogHistogramProps {
  lines: readonly LogEvent[];
  range: Range;
  now: number;
  onRange: (from: number, to: number) => void;
}

export function LogHistogram({ lines, range, now, onRange }: LogHistogramProps) {
  // A range that goes on with the time is laid out anew when lines come, not at each look.
  const bars = useMemo(() => buckets(lines, range, now), [lines, range.from === undefined, range.to]);
  const highest = bars.reduce((most, bar) => Math.max(most, bar.lines), 1);
  const [first, last] = [bars[0], bars.at(-1)];
  if (!first || !last) return null;
  return (
    <div className="bh-histogram" role="group" aria-label="Lines over time">
      <div className="bh-histogram-bars">
        {bars.map((bar) => (
          // By keyboard the range is chosen in the bar of tools: so many stops would be in the way.
          <button key={bar.from} type="button" tabIndex={-1} title={titleOf(bar)} aria-label={titleOf(bar)} onClick={() => onRange(bar.from, bar.to)}>
            <span className="bh-histogram-bad" style={{ height: `${(bar.errors / highest) * 100}%` }} />
            <span style={{ height: `${((bar.lines - bar.errors) / highest) * 100}%` }} />
          </button>
        ))}
      </div>
      <div className="bh-histogram-ends">
        <span>{localTime(first.from)}</span>
        <span>{localTime(last.to)}</span>
      </div>
    </div>
  );
}

function titleOf({ from, to, lines, errors }: Bucket): string {
  const bad = errors > 0 ? `, ${count(errors)} ${errors === 1 ? 'error' : 'errors'}` : '';
  return `${localTime(from)} – ${localTime(to).slice(11)}: ${count(lines)} ${lines === 1 ? 'line' : 'lines'}${bad}`;
}
