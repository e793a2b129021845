/**
 * The log viewer: the events of a group, of some of its streams, filtered, in a range of time, followed as they come. Filter,
 * range and live tail stand in the address (`filter`, `range`, `tail`), so that what is seen can be sent as a link.
 *
 *     <LogView group="/aws/lambda/clean" empty={<Empty title="Nothing yet">…</Empty>} />
 *     <LogView group={name} streams={[stream]} range="all" tail={false} height="calc(100vh - 320px)" />
 *     <LogView group={['/aws/lambda/a', '/aws/lambda/b']} histogram />
 *
 * It keeps the last 50,000 lines and draws those in sight. It rests while somebody reads: from scrolling up or opening a line until
 * the last line is in sight again. `log-feed.ts` is the way to the server, `log-tail.ts` what the server tells by itself,
 * `log-lines.ts` what lines say, `log-rows.tsx` the rows alone, `log-range.ts` the ranges in addresses, `log-histogram.tsx` when the
 * lines were written, `log-help.tsx` how filter patterns are written.
 */
import Button from '@cloudscape-design/components/button';
import Input from '@cloudscape-design/components/input';
import Toggle from '@cloudscape-design/components/toggle';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { platformNow } from '../aws/session';
import { count } from './format';
import { type LogState, feedOf } from './log-feed';
import { PatternHelp } from './log-help';
import { LogHistogram } from './log-histogram';
import { unfolded } from './log-lines';
import { rangeOf, rangeText } from './log-range';
import { RangeSelect } from './log-range-select';
import { LogRows } from './log-rows';
import { tailInput, useTail } from './log-tail';
import { useLive } from './live';
import { notifyError } from './notify';
import { useParam } from './router';
import { Empty, ErrorBox, Loading } from './states';
import './log-view.css';

export interface LogViewProps {
  /** One group, or several whose lines are merged. */
  group: string | readonly string[];
  /** Only these streams; all without. */
  streams?: readonly string[];
  /** The range that is shown when the address names none: `5m`, `1h`, `7d`, `all`. */
  range?: string;
  /** Whether it follows when the address doesn't say. */
  tail?: boolean;
  /** What stands there when the group has nothing at all in that range. */
  empty?: ReactNode;
  /** Whether bars above the lines say when they were written. */
  histogram?: boolean;
  /** More tools in the bar. */
  tools?: ReactNode;
  /** Pixels or any CSS length, at most. */
  height?: number | string;
}

/** Milliseconds between reads while it follows and the server does not say when there is something. */
const EVERY_MS = 1_500;
/** A filter is asked for when nobody has typed for so long (ms). */
const TYPING_MS = 450;

export function LogView(props: LogViewProps) {
  const { streams, empty, height = 'max(280px, calc(100vh - 430px))' } = props;
  const groups = typeof props.group === 'string' ? [props.group] : props.group;
  const group = groups.join('\n');
  const [filter, setFilter] = useParam('filter');
  const [range, setRange] = useParam('range', props.range ?? '1h');
  const [tail, setTail] = useParam('tail', props.tail === false ? 'off' : 'on');
  const [away, setAway] = useState(false);
  const [wrap, setWrap] = useState(false);
  // A range that ends has nothing to follow.
  const open = !range.includes('~');
  const wanted = open && tail === 'on';
  const follow = wanted && !away;
  const { live, again } = useLog(group, streams, filter, range, { follow, paused: wanted && away });
  useEffect(() => setAway(false), [group, filter, range, tail]);
  const only = useCallback((request: string) => setFilter(`"${request}"`), [setFilter]);
  const state = live.data;
  return (
    <section className="bh-logview" aria-label={groups.length === 1 ? `Log of ${group}` : `Logs of ${groups.length} groups`}>
      <div className="bh-logbar">
        <Filter value={filter} onChange={setFilter} />
        <div className="bh-logbar-range">
          <RangeSelect value={range} onChange={setRange} />
        </div>
        <Toggle checked={wanted} disabled={!open} onChange={({ detail }) => setTail(detail.checked ? 'on' : 'off')}>
          Live tail
        </Toggle>
        <Toggle checked={wrap} onChange={({ detail }) => setWrap(detail.checked)}>
          Wrap lines
        </Toggle>
        {props.tools}
      </div>
      {live.error && <ErrorBox error={live.error} what="The log can't be read" onRetry={live.refresh} />}
      {!state ? (
        !live.error && <Loading text="Reading the log" />
      ) : state.lines.length === 0 && state.ended ? (
        <Nothing filter={filter} range={range} empty={empty} onClear={() => setFilter('')} onAll={() => setRange('all')} />
      ) : (
        <>
          <State state={state} follow={follow} paused={wanted && away} onResume={() => setAway(false)} onAgain={open ? again : undefined} />
          {props.histogram && <LogHistogram lines={state.lines} range={rangeOf(range, platformNow())} now={platformNow()} onRange={(from, to) => setRange(rangeText(from, to))} />}
          <LogRows label="Log lines" lines={state.lines} follow={follow} onAway={setAway} wrap={wrap} streams={streams?.length !== 1} onRequest={only} height={height} />
        </>
      )}
    </section>
  );
}

/** One search: read to its end, and followed from there on. Another filter or range is another one. `groups` is a name in each line. */
function useLog(groups: string, streams: readonly string[] | undefined, pattern: string, range: string, { follow, paused }: { follow: boolean; paused: boolean }) {
  const [round, setRound] = useState(0);
  const names = streams?.join('\n') ?? '';
  const feed = useMemo(
    () => feedOf(groups.split('\n'), { streams: names ? names.split('\n') : undefined, pattern, ...rangeOf(range, platformNow()) }),
    [groups, names, pattern, range, round],
  );
  const known = useRef<{ feed: typeof feed; state: LogState }>(undefined);
  const rests = useRef(paused);
  rests.current = paused;
  const load = async (signal: AbortSignal): Promise<LogState> => {
    if (paused && known.current?.feed === feed) return known.current.state;
    const state = await feed.more(signal);
    // Somebody may have begun to read meanwhile; the feed keeps what has come.
    if (rests.current && known.current?.feed === feed) return known.current.state;
    known.current = { feed, state };
    return state;
  };
  // Whether the server says when there is something.
  const told = useRef(false);
  const live = useLive<LogState>(`logs/view/${groups}/${names}/${pattern}/${range}/${round}`, load, {
    every: (state) => (paused ? undefined : state && !state.ended ? 0 : follow && !told.current ? EVERY_MS : undefined),
  });
  const { refresh } = live;
  const ready = follow && !paused && live.data?.ended === true && !live.data.missing;
  const listening = useTail(tailInput(groups.split('\n'), streams, pattern), ready, () => void refresh());
  told.current = listening;
  // A search that has ended, and was neither followed nor told of, is not read on by itself.
  const asks = follow && !listening;
  const before = useRef({ asks, refresh });
  useEffect(() => {
    if (asks && !before.current.asks && before.current.refresh === refresh) void refresh();
    before.current = { asks, refresh };
  }, [asks, refresh]);
  return { live, again: useCallback(() => setRound((one) => one + 1), []) };
}

function Filter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <div className="bh-logbar-filter">
      <Input
        type="search"
        value={text}
        ariaLabel="Filter pattern"
        placeholder={'Filter pattern: ERROR, "two words", { $.level = "error" }'}
        clearAriaLabel="Clear the filter"
        onChange={({ detail }) => setText(detail.value)}
        onKeyDown={({ detail }) => detail.key === 'Enter' && onChange(text)}
      />
      <PatternHelp onUse={onChange} />
    </div>
  );
}

interface StateProps {
  state: LogState;
  follow: boolean;
  /** It would follow, if nobody were reading. */
  paused: boolean;
  onResume: () => void;
  /** Reads all again; none where that changes nothing. */
  onAgain: (() => void) | undefined;
}

function State({ state, follow, paused, onResume, onAgain }: StateProps) {
  const { lines, ended, dropped } = state;
  const copy = () => {
    const text = lines.map(({ timestamp, message }) => `${new Date(timestamp).toISOString()} ${unfolded(message)}`).join('\n');
    navigator.clipboard.writeText(text).catch((error: unknown) => notifyError('The lines could not be copied', error));
  };
  return (
    <div className="bh-logstate">
      <span>
        {count(lines.length)} {lines.length === 1 ? 'line' : 'lines'}
        {!ended && ', reading on'}
        {dropped > 0 && ` (${count(dropped)} older ones left out)`}
      </span>
      {(follow || paused) && <span className={`bh-logfollow ${follow ? 'bh-logfollow-on' : ''}`}>{follow ? 'Following' : 'Paused while you read'}</span>}
      {paused && (
        <Button variant="inline-link" onClick={onResume}>
          Follow
        </Button>
      )}
      {!follow && !paused && onAgain && (
        <Button variant="inline-link" onClick={onAgain}>
          Read again
        </Button>
      )}
      <Button variant="inline-link" iconName="copy" onClick={copy}>
        Copy all
      </Button>
    </div>
  );
}

function Nothing({ filter, range, empty, onClear, onAll }: { filter: string; range: string; empty: ReactNode; onClear: () => void; onAll: () => void }) {
  if (filter) {
    return (
      <Empty title="No line matches" action={<Button onClick={onClear}>Clear the filter</Button>}>
        Words must all be there, <code>?ERROR ?WARN</code> finds either, <code>-DEBUG</code> leaves out, and <code>{'{ $.level = "error" }'}</code> asks JSON lines.
      </Empty>
    );
  }
  const action = range === 'all' ? undefined : <Button onClick={onAll}>Show all times</Button>;
  return (
    <>
      {empty ?? <Empty title="No lines">Nothing was written here{range === 'all' ? ' yet' : ' in this time'}.</Empty>}
      {action && <div className="bh-none">{action}</div>}
    </>
  );
}
