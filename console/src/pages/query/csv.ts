/**
 * Results as Athena writes them: every value in quotes, what is null without. Read piece by piece, as the object comes in.
 */

/** A value of a result; null is undefined. */
export type Value = string | undefined;
export type Row = readonly Value[];

export class CsvReader {
  private row: Value[] = [];
  private field = '';
  private state: 'start' | 'plain' | 'quoted' | 'quote' = 'start';

  /** The rows that are whole with these characters. */
  push(text: string): Row[] {
    const rows: Row[] = [];
    let at = 0;
    while (at < text.length) {
      if (this.state === 'quoted') {
        const end = text.indexOf('"', at);
        this.field += text.slice(at, end < 0 ? text.length : end);
        if (end < 0) return rows;
        this.state = 'quote';
        at = end + 1;
        continue;
      }
      const char = text[at] ?? '';
      at += 1;
      if (char === '"') this.quote();
      else if (char === ',') this.endField();
      else if (char === '\n') rows.push(this.endRow());
      else if (char !== '\r') {
        this.field += char;
        this.state = 'plain';
      }
    }
    return rows;
  }

  /** What is left when nothing more comes. */
  end(): Row[] {
    return this.row.length > 0 || this.state !== 'start' ? [this.endRow()] : [];
  }

  private quote(): void {
    if (this.state === 'quote') this.field += '"';
    this.state = 'quoted';
  }

  private endField(): void {
    this.row.push(this.state === 'start' ? undefined : this.field);
    this.field = '';
    this.state = 'start';
  }

  private endRow(): Row {
    this.endField();
    const { row } = this;
    this.row = [];
    return row;
  }
}
