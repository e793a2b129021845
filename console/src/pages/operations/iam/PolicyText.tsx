/** A policy document to read, with some of its statements marked. */
import { useEffect, useMemo, useRef } from 'react';

import { prettyJson } from '../../../lib/format';
import { spans } from './document';
import '../../../lib/editor.css';
import './iam.css';

export interface Mark {
  /** The statement's place among the document's. */
  at: number;
  tone: 'good' | 'bad' | 'near';
}

const SAID: Record<Mark['tone'], string> = { good: 'allows', bad: 'denies', near: 'comes near' };

/** Pixels above the first marked line. */
const ABOVE = 48;

export function PolicyText({ label, document, marks = [] }: { label: string; document: string; marks?: readonly Mark[] }) {
  const lines = useMemo(() => {
    const text = prettyJson(document);
    const places = spans(text);
    const marked = new Map<number, Mark['tone']>();
    for (const { at, tone } of marks) {
      const span = places[at];
      for (let line = span?.start.line ?? 1; line <= (span?.end.line ?? 0); line += 1) marked.set(line, tone);
    }
    return text.split('\n').map((line, at) => ({ line, tone: marked.get(at + 1) }));
  }, [document, marks]);
  const frame = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const first = frame.current?.querySelector<HTMLElement>('[class^=bh-mark]');
    // Only the document scrolls, not the page.
    if (frame.current && first) frame.current.scrollTop = first.offsetTop - frame.current.offsetTop - ABOVE;
  }, [lines]);
  return (
    <pre className="bh-document" ref={frame} tabIndex={0} role="region" aria-label={label}>
      {lines.map(({ line, tone }, at) => (
        <span key={at} className={tone ? `bh-mark-${tone}` : ''} title={tone && `This statement ${SAID[tone]} it`}>
          <Json line={line} />
        </span>
      ))}
    </pre>
  );
}

/** A line in the editor's colours. */
function Json({ line }: { line: string }) {
  const parts = line.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?)/);
  return parts.map((part, at) => {
    if (!part.startsWith('"')) return part;
    return (
      <span key={at} className={part.endsWith(':') ? 'bh-json-name' : 'bh-json-text'}>
        {part}
      </span>
    );
  });
}
