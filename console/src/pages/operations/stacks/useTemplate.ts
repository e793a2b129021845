/** What the server makes of a template while somebody writes it. */
import { useEffect, useState } from 'react';

import { type TemplateSummary, templateSummary, validateTemplate } from '../../../aws/cloudformation';
import type { AwsError } from '../../../aws/error';
import { useLive } from '../../../lib/live';
import { type Draft, sourceOf } from './drafts';

/** How long somebody must have stopped typing before the server is asked (ms). */
const PAUSE_MS = 400;

export interface Checked {
  state: 'none' | 'asking' | 'valid' | 'invalid';
  /** Of this very template, if it is valid. */
  summary: TemplateSummary | undefined;
  error: AwsError | undefined;
  /** Of the last valid one: fields don't vanish while somebody types. */
  last: TemplateSummary | undefined;
}

export function useTemplate(draft: Draft): Checked {
  const source = sourceOf(draft);
  const key = JSON.stringify(source ?? null);
  const [settled, setSettled] = useState(key);
  const [last, setLast] = useState<TemplateSummary>();
  useEffect(() => {
    const timer = setTimeout(() => setSettled(key), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [key]);
  const asked = settled === key && source !== undefined;
  const live = useLive(
    `cloudformation/check/${key}`,
    async () => {
      if (!source) return undefined;
      const [summary] = await Promise.all([templateSummary(source), validateTemplate(source)]);
      return summary;
    },
    { enabled: asked },
  );
  const summary = asked ? live.data : undefined;
  useEffect(() => {
    if (summary) setLast(summary);
  }, [summary]);
  if (!source) return { state: 'none', summary: undefined, error: undefined, last };
  if (summary) return { state: 'valid', summary, error: undefined, last: summary };
  const error = asked ? live.error : undefined;
  return { state: error ? 'invalid' : 'asking', summary: undefined, error, last };
}
