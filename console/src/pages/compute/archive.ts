/**
 * Zip archives, as functions' code comes in them. Files that nobody changes go into the next archive as they were packed, with
 * their times and permissions (a `bootstrap` must stay executable); only the others are packed anew. The browser itself deflates.
 */

/** A file as it stands in an archive. */
export interface Packed {
  path: string;
  /** Bytes, unpacked. */
  size: number;
  /** 0: stored, 8: deflated. */
  method: number;
  crc: number;
  /** As packed. */
  data: Uint8Array<ArrayBuffer>;
  /** Permissions, in the upper half, where `madeBy` says Unix. */
  attributes: number;
  madeBy: number;
  /** The date and time of DOS. */
  time: number;
}

export class ArchiveError extends Error {}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const UTF8 = 0x0800;
const UNIX = 3 << 8;
/** Version 2.0, which knows deflated files. */
const VERSION = 20;
const LARGE = 0xffffffff;

/** The files of an archive, without its folders. */
export function readArchive(bytes: Uint8Array<ArrayBuffer>): Packed[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOf(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === LARGE) throw new ArchiveError('It is an archive of the kind zip64, which is not shown here');
  const found: Packed[] = [];
  for (let entry = 0; entry < count; entry += 1) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) throw new ArchiveError('The list of its files is damaged');
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [number, number, number];
    const path = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name));
    const local = view.getUint32(at + 42, true);
    if (!path.endsWith('/')) found.push({ path, ...entryAt(view, at), data: dataOf(bytes, view, local, view.getUint32(at + 20, true)) });
    at += 46 + name + extra + comment;
  }
  return found;
}

function endOf(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 65_557); at -= 1) {
    if (view.getUint32(at, true) === END) return at;
  }
  throw new ArchiveError('It is no zip archive');
}

function entryAt(view: DataView, at: number): Omit<Packed, 'path' | 'data'> {
  if (view.getUint16(at + 8, true) & 1) throw new ArchiveError('It holds encrypted files');
  return {
    madeBy: view.getUint16(at + 4, true),
    method: view.getUint16(at + 10, true),
    time: view.getUint32(at + 12, true),
    crc: view.getUint32(at + 16, true),
    size: view.getUint32(at + 24, true),
    attributes: view.getUint32(at + 38, true),
  };
}

function dataOf(bytes: Uint8Array<ArrayBuffer>, view: DataView, local: number, size: number): Uint8Array<ArrayBuffer> {
  if (local + 30 > bytes.length || view.getUint32(local, true) !== LOCAL) throw new ArchiveError('One of its files is damaged');
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  return bytes.subarray(start, start + size);
}

async function through(data: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer());
}

export async function unpack({ method, data }: Packed): Promise<Uint8Array<ArrayBuffer>> {
  if (method === 0) return data;
  if (method === 8) return through(data, new DecompressionStream('deflate-raw'));
  throw new ArchiveError(`It is packed by method ${method}, which is not known here`);
}

/** A file for an archive; permissions are those of `before` if it takes the place of one. */
export async function pack(path: string, content: Uint8Array<ArrayBuffer>, before?: Packed): Promise<Packed> {
  const deflated = await through(content, new CompressionStream('deflate-raw'));
  const smaller = deflated.length < content.length;
  return {
    path,
    size: content.length,
    method: smaller ? 8 : 0,
    crc: crc32(content),
    data: smaller ? deflated : content,
    attributes: before?.attributes ?? (0o100644 << 16) >>> 0,
    madeBy: before?.madeBy ?? UNIX | VERSION,
    // The same files are the same archive, whenever it is made: 1 January 1980.
    time: before?.time ?? 0x00210000,
  };
}

export function writeArchive(files: readonly Packed[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const central: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const file of files) {
    const name = new TextEncoder().encode(file.path);
    const common = commonOf(file, name.length);
    const local = join([numbers([LOCAL, 4]), common, name, file.data]);
    central.push(join([numbers([CENTRAL, 4], [file.madeBy, 2]), common, numbers([0, 2], [0, 2], [0, 2], [file.attributes, 4], [at, 4]), name]));
    parts.push(local);
    at += local.length;
  }
  const size = central.reduce((sum, { length }) => sum + length, 0);
  const end = numbers([END, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [at, 4], [0, 2]);
  return join([...parts, ...central, end]);
}

/** What stands before a file and in the list alike. */
const commonOf = ({ method, time, crc, data, size }: Packed, name: number) =>
  numbers([VERSION, 2], [UTF8, 2], [method, 2], [time, 4], [crc, 4], [data.length, 4], [size, 4], [name, 2], [0, 2]);

function numbers(...values: [value: number, bytes: 2 | 4][]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of values) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

function join(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let crc = LARGE;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ LARGE) >>> 0;
}

/** For a request's JSON. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
