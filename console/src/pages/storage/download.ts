/** Downloads by the browser itself, which writes them to disk as they come. */
import { presignedUrl } from '../../aws/s3';
import { baseName } from './types';

const SECONDS = 300;

export function download(bucket: string, key: string, versionId?: string): void {
  const name = baseName(key).replace(/["\\]/g, '_');
  const query: [string, string][] = [['response-content-disposition', `attachment; filename="${name}"; filename*=UTF-8''${encodeURIComponent(name)}`]];
  if (versionId) query.push(['versionId', versionId]);
  const anchor = document.createElement('a');
  anchor.href = presignedUrl(bucket, key, SECONDS, query);
  anchor.download = name;
  anchor.click();
}
