/** What kinds of files there are: their media types by name, and how they are shown. */

const TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  orc: 'application/vnd.apache.orc',
  avro: 'application/vnd.apache.avro',
  gz: 'application/gzip',
  py: 'text/x-python',
  sql: 'application/sql',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  md: 'text/markdown',
  log: 'text/plain',
  txt: 'text/plain',
};

/** The media type to store with a file: what its name says, else what the browser thinks. */
export function contentType(key: string, given: string): string {
  return TYPES[extension(key)] ?? (given || 'application/octet-stream');
}

export function extension(key: string): string {
  return /\.([A-Za-z0-9]+)$/.exec(key)?.[1]?.toLowerCase() ?? '';
}

/** The last part of a key; a folder keeps its slash. */
export function baseName(key: string): string {
  return /([^/]+\/?)$/.exec(key)?.[1] ?? key;
}

/** The folder that a key is in, with its slash; empty at the top. */
export function folderOf(key: string): string {
  return key.slice(0, key.length - baseName(key).length);
}

export type View = 'csv' | 'json' | 'parquet' | 'image' | 'text' | 'none';

export interface Look {
  view: View;
  gzip: boolean;
  /** Between the columns of a CSV file. */
  delimiter?: string;
  /** Why there is nothing to see. */
  why?: string;
}

const BY_NAME: Readonly<Record<string, View>> = {
  csv: 'csv', tsv: 'csv', json: 'json', ndjson: 'json', jsonl: 'json', parquet: 'parquet',
  png: 'image', jpg: 'image', jpeg: 'image', gif: 'image', webp: 'image', svg: 'image', avif: 'image', ico: 'image', bmp: 'image',
  txt: 'text', log: 'text', md: 'text', sql: 'text', py: 'text', js: 'text', ts: 'text', html: 'text', xml: 'text', yaml: 'text',
  yml: 'text', toml: 'text', sh: 'text', ini: 'text', css: 'text', metadata: 'none', orc: 'none', avro: 'none', zip: 'none', pdf: 'none',
};

/** How to show an object, by its name, its media type and its first bytes. */
export function lookOf(key: string, type: string, encoding: string | undefined, head: Uint8Array): Look {
  const gzip = (head[0] === 0x1f && head[1] === 0x8b) || encoding === 'gzip';
  const name = extension(key) === 'gz' ? key.slice(0, -3) : key;
  const ending = extension(name);
  const starts = (text: string) => [...text].every((c, at) => head[at] === c.charCodeAt(0));
  if (starts('PAR1')) return { view: 'parquet', gzip: false };
  if (starts('ORC')) return { view: 'none', gzip, why: 'ORC files are shown through a table in the catalogue: crawl the folder and ask Athena.' };
  if (starts('Obj\u0001')) return { view: 'none', gzip, why: 'Avro files are shown through a table in the catalogue.' };
  const known = BY_NAME[ending];
  if (known === 'csv') return { view: 'csv', gzip, delimiter: ending === 'tsv' ? '\t' : ',' };
  if (known === 'image' || type.startsWith('image/')) return { view: 'image', gzip };
  if (known && known !== 'none' && known !== 'parquet') return { view: known, gzip };
  if (/\/(x-nd)?json/.test(type)) return { view: 'json', gzip };
  if (type === 'text/csv') return { view: 'csv', gzip, delimiter: ',' };
  // A compressed file of an unknown kind is most often lines of text here.
  if (gzip && ending !== 'tar' && ending !== 'tgz') return { view: 'text', gzip };
  const first = head.find((byte) => byte > 0x20);
  if (isText(head)) return { view: first === 0x7b || first === 0x5b ? 'json' : 'text', gzip };
  return { view: 'none', gzip, why: 'These are not characters: download it to look at it with a program of its kind.' };
}

/** Whether bytes are UTF-8 text, perhaps cut off within a character. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
