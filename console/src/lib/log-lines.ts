/** What a log's lines say: their level, the JSON in them, the invocation that they belong to, and what its REPORT line sums up. */

export type LineKind = 'error' | 'warning' | 'debug' | 'start' | 'end' | 'report' | 'plain';

/** What Lambda says at the end of an invocation. Times are milliseconds, memory is MB. */
export interface Report {
  requestId: string;
  duration: number;
  billed: number;
  memorySize: number;
  maxMemory: number;
  /** Only of the invocation that started the instance. */
  init?: number;
  /** `error`, `timeout`; none where all went well, or where the function answered with an error. */
  status?: string;
}

const PLATFORM = /^(START|END|REPORT|INIT_START|INIT_REPORT) ?(?:RequestId: |Runtime)?/;
const ERROR = /^\s*(Traceback \(most recent call last\)|\w*(Error|Exception)\b:|Task timed out)|\b(ERROR|FATAL|CRITICAL)\b|Task timed out after|\[(ERROR|CRITICAL|FATAL)\]/;
const WARNING = /\b(WARN|WARNING)\b/;
const DEBUG = /\b(DEBUG|TRACE)\b/;

/** How a line is coloured. A level inside JSON counts before words. */
export function kindOf(message: string): LineKind {
  const platform = PLATFORM.exec(message)?.[1];
  if (platform === 'START') return 'start';
  if (platform === 'END') return 'end';
  if (platform === 'REPORT') return /Status: \w/.test(message) ? 'error' : 'report';
  const head = message.slice(0, 2_000);
  const level = head.startsWith('{') ? levelOf(message) : undefined;
  const words = level === undefined ? head : level.toUpperCase();
  if (ERROR.test(words)) return 'error';
  if (WARNING.test(words)) return 'warning';
  return DEBUG.test(words) ? 'debug' : 'plain';
}

function levelOf(message: string): string | undefined {
  const document = parsed(message);
  if (!document || typeof document !== 'object') return undefined;
  const { level, levelname, severity, errorType } = document as Record<string, unknown>;
  if (errorType !== undefined) return 'ERROR';
  const found = level ?? levelname ?? severity;
  return typeof found === 'string' ? found : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The JSON of a line, laid out: the whole line, or what stands behind its last tab as Node.js's console writes it. */
export function jsonOf(message: string): string | undefined {
  for (const text of [message.trim(), message.slice(message.lastIndexOf('\t') + 1).trim()]) {
    if (!/^[{[]/.test(text)) continue;
    const found = parsed(text);
    if (found !== undefined && found !== null) return JSON.stringify(found, null, 2);
  }
  return undefined;
}

/** A message as lines: Python's handler holds the lines of a record together by carriage returns. */
export const unfolded = (message: string) => message.replace(/\r\n?/g, '\n').replace(/\n+$/, '');

const REQUEST = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/;

/** The invocation that a line names. */
export const requestOf = (message: string) => REQUEST.exec(message)?.[0];

export function reportOf(message: string): Report | undefined {
  const requestId = /^REPORT RequestId: (\S+)/.exec(message)?.[1];
  if (!requestId) return undefined;
  const number = (name: string) => {
    const found = new RegExp(`\\t${name}: ([\\d.]+)`).exec(message)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const init = number('Init Duration');
  const status = /Status: (\w+)/.exec(message)?.[1];
  return {
    requestId,
    duration: number('Duration') ?? 0,
    billed: number('Billed Duration') ?? 0,
    memorySize: number('Memory Size') ?? 0,
    maxMemory: number('Max Memory Used') ?? 0,
    ...(init === undefined ? {} : { init }),
    ...(status === undefined ? {} : { status }),
  };
}
