/** An error of a function: what it is, and where in the code it came from. */

export interface Failure {
  type: string;
  message: string;
  stack: StackLine[];
}

/** A line of a stack trace; those in the function's own code say which file and line. */
export interface StackLine {
  text: string;
  file?: string;
  line?: number;
}

/** What a function's error says; none if the payload is no error document. */
export function failureOf(payload: string): Failure | undefined {
  let document: unknown;
  try {
    document = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (!document || typeof document !== 'object' || !('errorMessage' in document || 'errorType' in document)) return undefined;
  const { errorType, errorMessage, stackTrace, trace } = document as Record<string, unknown>;
  const lines = [stackTrace, trace].find(Array.isArray) ?? [];
  return { type: String(errorType ?? 'Error'), message: String(errorMessage ?? ''), stack: lines.flatMap((line) => String(line).replace(/\n$/, '').split('\n')).map(stackLine) };
}

/** `File "/var/task/app.py", line 3` of Python, `file:///var/task/index.mjs:3:9` of Node.js. */
export function stackLine(text: string): StackLine {
  const found = /\/var\/task\/([^":)]+)(?:", line |:)(\d+)/.exec(text);
  return found?.[1] ? { text, file: found[1], line: Number(found[2]) } : { text };
}

/** The line that people should look at: the innermost one of their own. Python tells the innermost last, Node.js first. */
export function culprit({ stack }: Failure): StackLine | undefined {
  const own = stack.filter(({ file }) => file !== undefined);
  return own.some(({ text }) => /^\s*File "/.test(text)) ? own.at(-1) : own[0];
}
