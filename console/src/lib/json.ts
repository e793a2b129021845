/** What is wrong with text that people write as JSON. */
import type { Problem } from './editor';

/** Where JSON stops being JSON; at its end where the browser doesn't say. */
export function jsonProblems(text: string): Problem[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    const before = text.slice(0, at).split('\n');
    return [{ line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message }];
  }
}
