/** Where in a JSON text something stands. */
import type { Problem } from '../../lib/editor';

type At = Pick<Problem, 'line' | 'column'>;

function at(text: string, offset: number): At {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/**
 * The place of what a JSON pointer such as `/States/Load/Next` names: of its key where it is a member. The nearest thing
 * around it where it is not there itself.
 */
export function locate(text: string, pointer: string): At {
  const wanted = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  const path: (string | number)[] = [];
  let best = { depth: -1, offset: 0 };
  let key: { name: string; offset: number } | undefined;
  const fits = () => path.every((part, depth) => String(part) === wanted[depth]);
  for (let found = tokens.exec(text); found; found = tokens.exec(text)) {
    const [token] = found;
    const inArray = typeof path.at(-1) === 'number';
    if (token === '}' || token === ']') {
      path.pop();
      continue;
    }
    if (token === ',') {
      const last = path.pop();
      path.push(typeof last === 'number' ? last + 1 : '');
      key = undefined;
      continue;
    }
    if (token === ':') continue;
    if (!inArray && path.length > 0 && key === undefined && token.startsWith('"')) {
      key = { name: JSON.parse(token) as string, offset: found.index };
      path[path.length - 1] = key.name;
      if (path.length <= wanted.length && path.length > best.depth && fits()) best = { depth: path.length, offset: key.offset };
      continue;
    }
    if ((inArray || path.length === 0) && path.length <= wanted.length && path.length > best.depth && fits()) {
      best = { depth: path.length, offset: found.index };
    }
    key = undefined;
    if (token === '{') path.push('');
    else if (token === '[') path.push(0);
  }
  return at(text, best.offset);
}
