/**
 * Lines of a log as rows that open: coloured by what they say, JSON laid out, only those in sight in the document. The viewer
 * that reads them is `log-view.tsx`; lines that are there already (the log of a test) are shown by this alone.
 *
 *     <LogRows label="Log of the test" lines={lines} height={240} />
 */
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { LogEvent } from '../aws/logs';
import { localTime, utcTime } from './format';
import { idOf } from './log-feed';
import { jsonOf, kindOf, requestOf, unfolded } from './log-lines';
import './editor.css';
import './log-view.css';

export interface LogRowsProps {
  /** What they are, for screen readers. */
  label: string;
  lines: readonly LogEvent[];
  /** Stay at the last line as lines come. */
  follow?: boolean;
  /** Somebody has scrolled up or opened a line, or is back at the last line. */
  onAway?: (away: boolean) => void;
  /** Lines as long as they are, instead of one row each until they are opened. */
  wrap?: boolean;
  /** False leaves the times out, of lines that have none. */
  times?: boolean;
  /** Show which stream a line is of. */
  streams?: boolean;
  /** Offered in open lines that name an invocation: show only its lines. */
  onRequest?: ((request: string) => void) | undefined;
  /** Pixels or any CSS length, at most. */
  height?: number | string;
}

const ROW = 22;
/** Scrolled up by more than this (pixels) is away from the end. */
const NEAR = 40;

export function LogRows({ label, lines, follow = false, onAway, wrap = false, times = true, streams = false, onRequest, height = 420 }: LogRowsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 20,
    getItemKey: (at) => (lines[at] ? idOf(lines[at]) : at),
  });
  const last = useRef(0);
  const end = lines.at(-1);
  const [ending, total] = [end && idOf(end), virtual.getTotalSize()];
  // At once and never again later: what scrolls by itself some frames on would take somebody back who has scrolled up since.
  useLayoutEffect(() => {
    if (follow && frame.current) frame.current.scrollTop = frame.current.scrollHeight;
  }, [follow, ending, total]);
  const watch = () => {
    const element = frame.current;
    if (!element || !onAway) return;
    const up = element.scrollTop < last.current - 2;
    last.current = element.scrollTop;
    const rest = element.scrollHeight - element.clientHeight - element.scrollTop;
    if (up && rest > NEAR) onAway(true);
    else if (rest < 4) onAway(false);
  };
  const toggle = (id: string, index: number) => {
    const next = new Set(open);
    if (!next.delete(id)) {
      next.add(id);
      // Who opens a line reads it: what comes meanwhile must not push it away.
      onAway?.(true);
      requestAnimationFrame(() => frame.current?.querySelector(`[data-index="${index}"]`)?.scrollIntoView({ block: 'nearest' }));
    }
    setOpen(next);
  };
  const seen = virtual.getVirtualItems();
  return (
    // A region that scrolls must be reachable by keyboard.
    <div className={`bh-lines ${wrap ? 'bh-lines-wrap' : ''}`} ref={frame} onScroll={watch} style={{ maxHeight: height }} tabIndex={0} role="region" aria-label={label}>
      <div style={{ height: total, position: 'relative' }}>
        <div style={{ position: 'absolute', insetInline: 0, top: 0, transform: `translateY(${seen[0]?.start ?? 0}px)` }}>
          {seen.map(({ index, key }) => {
            const line = lines[index];
            if (!line) return null;
            const id = idOf(line);
            return (
              <div key={key} data-index={index} ref={virtual.measureElement}>
                <Row line={line} open={open.has(id)} onToggle={() => toggle(id, index)} times={times} stream={streams} wrap={wrap} onRequest={onRequest} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  line: LogEvent;
  open: boolean;
  onToggle: () => void;
  times: boolean;
  stream: boolean;
  wrap: boolean;
  onRequest: ((request: string) => void) | undefined;
}

/** `14:05:09.123` in this machine's zone. */
const clock = (timestamp: number) => `${localTime(timestamp).slice(11)}.${String(timestamp % 1000).padStart(3, '0')}`;

function Row({ line, open, onToggle, times, stream, wrap, onRequest }: RowProps) {
  const { message, timestamp, logStreamName } = line;
  const kind = useMemo(() => kindOf(message), [message]);
  const text = unfolded(message);
  const [first = '', ...rest] = text.split('\n');
  return (
    <div className={`bh-line bh-line-${kind} ${open ? 'bh-line-open' : ''}`}>
      <button type="button" className="bh-line-head" aria-expanded={open} onClick={onToggle}>
        {times && (
          <time dateTime={new Date(timestamp).toISOString()} title={`${localTime(timestamp)} · ${utcTime(timestamp)}`}>
            {clock(timestamp)}
          </time>
        )}
        {stream && (
          <span className="bh-line-stream" title={[line.logGroupName, logStreamName].filter(Boolean).join(' ')}>
            {(line.logGroupName ?? logStreamName)?.split(/[/\]]/).at(-1)}
          </span>
        )}
        <span className="bh-line-text">{wrap && !open ? text : first}</span>
        {!open && !wrap && rest.length > 0 && <span className="bh-line-more">+{rest.length} {rest.length === 1 ? 'line' : 'lines'}</span>}
      </button>
      {open && <Opened line={line} text={text} times={times} onRequest={onRequest} />}
    </div>
  );
}

function Opened({ line, text, times, onRequest }: { line: LogEvent; text: string; times: boolean; onRequest: RowProps['onRequest'] }) {
  const json = jsonOf(line.message);
  const request = requestOf(line.message);
  return (
    <div className="bh-line-body">
      <pre>{json === undefined ? text : coloured(json)}</pre>
      <div className="bh-line-foot">
        <CopyToClipboard variant="icon" textToCopy={json ?? text} copyButtonAriaLabel="Copy the line" copySuccessText="Copied" copyErrorText="It could not be copied" />
        {times && <span>{localTime(line.timestamp)}</span>}
        {line.logStreamName && <span className="bh-wrap">{[line.logGroupName, line.logStreamName].filter(Boolean).join(' · ')}</span>}
        {request && onRequest && (
          <Button variant="inline-link" onClick={() => onRequest(request)}>
            Only this request
          </Button>
        )}
      </div>
    </div>
  );
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON in the editor's colours. */
function coloured(json: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const found of json.matchAll(TOKENS)) {
    parts.push(json.slice(at, found.index));
    const [whole, quoted, colon] = found;
    const name = quoted === undefined ? 'number' : colon ? 'name' : 'string';
    parts.push(
      <span key={found.index} className={`bh-json-${name}`}>
        {whole}
      </span>,
    );
    at = found.index + whole.length;
  }
  parts.push(json.slice(at));
  return parts;
}
