/** The state of anything, with the colour and sign that it has everywhere. */
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

/** The colours that states come in. */
export type Tone = 'good' | 'bad' | 'busy' | 'waiting' | 'off';

const TONES: [RegExp, Tone][] = [
  [/FAIL|ERROR|TIMED_?OUT|^TIMEOUT|ROLLBACK(?!.*IN_PROGRESS)|CRASH|UNHEALTHY|DENIED/, 'bad'],
  [/ABORT|CANCEL|STOPPED|DISABLED|INACTIVE|DELETED|DELETE_COMPLETE|SKIPPED/, 'off'],
  [/PENDING|QUEUED|WAITING|SCHEDULED|REVIEW_IN_PROGRESS|CREATED$/, 'waiting'],
  [/IN_PROGRESS|RUNNING|STARTING|STOPPING|CREATING|UPDATING|DELETING|CRAWLING/, 'busy'],
  [/SUCCE|COMPLETE|ACTIVE|READY|ENABLED|AVAILABLE|^OK$|HEALTHY/, 'good'],
];

export function tone(state: string | undefined): Tone {
  const upper = (state ?? '').toUpperCase();
  return TONES.find(([pattern]) => pattern.test(upper))?.[1] ?? 'off';
}

const TYPES: Record<Tone, StatusIndicatorProps.Type> = {
  good: 'success',
  bad: 'error',
  busy: 'in-progress',
  waiting: 'pending',
  off: 'stopped',
};

/** `CREATE_IN_PROGRESS` as `Create in progress`. */
export function stateText(state: string): string {
  const words = state.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function Status({ state, text }: { state: string | undefined; text?: string }) {
  if (!state) return <span>–</span>;
  return <StatusIndicator type={TYPES[tone(state)]}>{text ?? stateText(state)}</StatusIndicator>;
}
