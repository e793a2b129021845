/** CSV, read piece by piece: RFC 4180, with line ends of every kind. */

/** Takes texts as they come; rows come out when they are whole. */
export class CsvReader {
  private rest = '';

  constructor(private readonly delimiter = ',') {}

  /** The rows that are whole now. With `end` what is left is the last one. */
  push(text: string, end = false): string[][] {
    const all = this.rest + text;
    const rows: string[][] = [];
    let row: string[] = [];
    let from = 0;
    let at = 0;
    while (at < all.length) {
      const cell = this.cell(all, at, end);
      if (!cell) break;
      row.push(cell.text);
      at = cell.next;
      if (cell.ends) {
        // A line without anything is none.
        if (row.length > 1 || row[0] !== '') rows.push(row);
        row = [];
        from = at;
      }
    }
    if (end && row.length > 0) {
      // A delimiter was the last character: an empty cell follows it.
      if (all.endsWith(this.delimiter)) row.push('');
      rows.push(row);
      from = all.length;
    }
    this.rest = all.slice(from);
    return rows;
  }

  private cell(all: string, start: number, end: boolean): { text: string; next: number; ends: boolean } | undefined {
    let at = start;
    let text = '';
    if (all[at] === '"') {
      for (;;) {
        const close = all.indexOf('"', at + 1);
        if (close < 0) {
          if (!end) return undefined;
          return { text: text + all.slice(at + 1), next: all.length, ends: false };
        }
        text += all.slice(at + 1, close);
        at = close + 1;
        if (all[at] !== '"') break;
        text += '"';
      }
      // Whether a second quote follows is known with the next piece only.
      if (at === all.length && !end) return undefined;
    }
    let stop = at;
    while (stop < all.length && all[stop] !== this.delimiter && all[stop] !== '\n' && all[stop] !== '\r') stop += 1;
    text += all.slice(at, stop);
    if (stop === all.length) return end ? { text, next: stop, ends: false } : undefined;
    if (all[stop] === this.delimiter) return { text, next: stop + 1, ends: false };
    if (all[stop] === '\r' && stop + 1 === all.length && !end) return undefined;
    return { text, next: all[stop] === '\r' && all[stop + 1] === '\n' ? stop + 2 : stop + 1, ends: true };
  }
}

/** The delimiter of a file's first line: whichever occurs most. */
export function delimiterOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]/) < 0 ? undefined : text.search(/[\r\n]/));
  const found = [',', ';', '\t', '|'].map((delimiter) => [line.split(delimiter).length, delimiter] as const);
  return found.reduce((best, one) => (one[0] > best[0] ? one : best))[1];
}

/**
 * Whether the first row names the columns: names are there, differ and are no numbers, as crawlers judge it too.
 */
export function hasHeader(rows: readonly (readonly string[])[]): boolean {
  const [first, ...others] = rows;
  if (!first || others.length === 0) return false;
  const distinct = new Set(first).size === first.length;
  return distinct && first.every((cell) => cell !== '' && Number.isNaN(Number(cell)));
}
