/** What is in an object, as far as it can be shown: rows, text, a picture. Only what is looked at is read. */
import Button from '@cloudscape-design/components/button';
import { lazy, Suspense, useEffect, useState } from 'react';

import { getObject } from '../../aws/s3';
import type { ObjectFacts } from '../../aws/s3-objects';
import { bytes } from '../../lib/format';
import { useLive } from '../../lib/live';
import { Empty, Loading, Shown } from '../../lib/states';
import { TextPreview } from './TextPreview';
import { type Source, rangeOf } from './text';
import { type Look, lookOf } from './types';

const ParquetPreview = lazy(() => import('./ParquetPreview'));

const HEAD = 4096;
const LARGEST_PICTURE = 25 * 1024 * 1024;

export function Preview({ source, facts }: { source: Source; facts: ObjectFacts }) {
  const name = `s3/head/${source.bucket}/${source.key}/${source.versionId ?? facts.etag}`;
  const look = useLive(name, async () => {
    const head = source.size === 0 ? new Uint8Array() : await rangeOf(source, 0, Math.min(HEAD, source.size) - 1);
    return lookOf(source.key, facts.contentType, facts.contentEncoding, head);
  });
  if (source.size === 0) return <Empty title="This object is empty">It has a name and no bytes.</Empty>;
  return (
    <Shown live={look} what="The object can't be read">
      {(found) => <As look={found} source={source} type={facts.contentType} key={name} />}
    </Shown>
  );
}

function As({ look, source, type }: { look: Look; source: Source; type: string }) {
  switch (look.view) {
    case 'parquet':
      return (
        <Suspense fallback={<Loading text="Loading the reader of Parquet" />}>
          <ParquetPreview source={source} />
        </Suspense>
      );
    case 'image':
      return <Picture source={source} type={type} />;
    case 'none':
      return <Empty title="No preview">{look.why ?? 'Files of this kind can be downloaded.'}</Empty>;
    default:
      return <TextPreview source={source} look={look} />;
  }
}

function Picture({ source, type }: { source: Source; type: string }) {
  const [wanted, setWanted] = useState(source.size <= LARGEST_PICTURE);
  const picture = useLive(
    `s3/picture/${source.bucket}/${source.key}/${source.versionId ?? ''}`,
    async (signal) => {
      const { bucket, key, versionId } = source;
      const response = await getObject(bucket, key, { signal, ...(versionId ? { versionId } : {}) });
      // Within <img> nothing of an SVG file runs, whoever wrote it.
      return new Blob([await response.arrayBuffer()], { type });
    },
    { enabled: wanted },
  );
  const [url, setUrl] = useState('');
  useEffect(() => {
    if (!picture.data) return undefined;
    const made = URL.createObjectURL(picture.data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [picture.data]);
  if (!wanted) {
    return (
      <Empty title="A large picture" action={<Button onClick={() => setWanted(true)}>Show it</Button>}>
        Showing it reads {bytes(source.size)}.
      </Empty>
    );
  }
  return (
    <Shown live={picture} what="The picture can't be read">
      {() => (url ? <img className="bh-picture" src={url} alt={source.key} /> : <Loading />)}
    </Shown>
  );
}
