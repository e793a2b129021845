/** Which streams of a group are read: all of them, or up to a hundred. */
import Multiselect from '@cloudscape-design/components/multiselect';

import { describeStreams } from '../../../aws/logs';
import { localTime } from '../../../lib/format';
import { useLive } from '../../../lib/live';
import { paceOf } from './pace';

/** Streams that one search may name. */
const MOST = 100;

export function StreamField({ group, chosen, onChange }: { group: string; chosen: readonly string[]; onChange: (names: string[]) => void }) {
  const streams = useLive(`logs/streams/${group}`, () => describeStreams(group, 1_000), { every: paceOf });
  const options = (streams.data ?? []).map(({ logStreamName, lastEventTimestamp }) => ({
    value: logStreamName,
    label: logStreamName,
    ...(lastEventTimestamp === undefined ? {} : { description: `Last event ${localTime(new Date(lastEventTimestamp))}` }),
  }));
  return (
    <div className="bh-streams">
      <Multiselect
        ariaLabel="Streams"
        options={options}
        selectedOptions={chosen.map((value) => ({ value, label: value }))}
        onChange={({ detail }) => onChange(detail.selectedOptions.flatMap(({ value }) => value ?? []).slice(0, MOST))}
        placeholder="All streams"
        filteringType="auto"
        filteringAriaLabel="Find streams"
        tokenLimit={2}
        expandToViewport
        virtualScroll
        inlineTokens
        statusType={streams.loading ? 'loading' : 'finished'}
        empty="It has no streams yet"
      />
    </div>
  );
}
