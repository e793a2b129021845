/** The lines that make one text of another. */

export interface Line {
  kind: 'same' | 'added' | 'removed' | 'skipped';
  text: string;
}

/** Lines around a change that are shown with it. */
const AROUND = 3;

export function diffLines(before: string, after: string): Line[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const same = (text: string): Line => ({ kind: 'same', text });
  const middle = changed(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return fold([...a.slice(0, start).map(same), ...middle, ...a.slice(a.length - end).map(same)]);
}

/** By the longest lines that both have in common. */
function changed(a: readonly string[], b: readonly string[]): Line[] {
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [old = '', young = ''] = [a[i], b[j]];
    if (i < a.length && j < b.length && old === young) {
      lines.push({ kind: 'same', text: old });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ kind: 'removed', text: old });
      i += 1;
    } else {
      lines.push({ kind: 'added', text: young });
      j += 1;
    }
  }
  return lines;
}

/** Leaves out what is far from any change. */
function fold(lines: readonly Line[]): Line[] {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ kind }) => kind !== 'same'));
  return lines.flatMap((line, at): Line[] => {
    if (near[at]) return [line];
    return near[at - 1] === false ? [] : [{ kind: 'skipped', text: '⋯' }];
  });
}
