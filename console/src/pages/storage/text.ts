/** An object's text, a piece at a time: only the ranges that are asked for are read, and gzip is unpacked on the way. */
import { getObject } from '../../aws/s3';

const RANGE = 256 * 1024;

export interface Source {
  bucket: string;
  key: string;
  size: number;
  versionId?: string | undefined;
}

export class TextReader {
  private readonly reader: ReadableStreamDefaultReader<BufferSource>;
  private readonly decoder = new TextDecoder();
  /** Bytes of the object that were read. */
  read = 0;
  ended = false;

  constructor(source: Source, gzip: boolean) {
    const raw = new ReadableStream<BufferSource>(
      {
        pull: async (into) => {
          if (this.read >= source.size) return into.close();
          const last = Math.min(this.read + RANGE, source.size) - 1;
          const bytes = await rangeOf(source, this.read, last);
          this.read += bytes.byteLength;
          into.enqueue(bytes);
          return undefined;
        },
      },
      // Nothing is read ahead.
      { highWaterMark: 0 },
    );
    const plain: ReadableStream<BufferSource> = gzip ? raw.pipeThrough(new DecompressionStream('gzip')) : raw;
    this.reader = plain.getReader();
  }

  /** About so many characters more; fewer at the end. */
  async more(characters = RANGE): Promise<string> {
    let text = '';
    while (text.length < characters && !this.ended) {
      const { done, value } = await this.reader.read();
      if (done) this.ended = true;
      text += this.decoder.decode(value, { stream: !done });
    }
    return text;
  }

  async cancel(): Promise<void> {
    await this.reader.cancel();
  }
}

/** Bytes `first` to `last` of an object. */
export async function rangeOf({ bucket, key, versionId }: Source, first: number, last: number): Promise<Uint8Array<ArrayBuffer>> {
  const response = await getObject(bucket, key, { first, last, ...(versionId ? { versionId } : {}) });
  return new Uint8Array(await response.arrayBuffer());
}
