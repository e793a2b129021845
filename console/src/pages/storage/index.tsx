import type { Area } from '../../lib/area';
import { bucketHref } from '../../lib/links';

export const area: Area = {
  id: 'storage',
  title: 'Storage',
  pages: [
    { path: '/storage', title: 'Buckets', nav: true, keywords: 's3 objects files', load: () => import('./Buckets') },
  ],
  commands: async () => {
    const { listBuckets } = await import('../../aws/s3');
    return (await listBuckets()).map(({ name }) => ({ id: `bucket:${name}`, title: name, kind: 'Bucket', href: bucketHref(name) }));
  },
};
