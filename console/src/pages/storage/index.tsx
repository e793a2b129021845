import type { Area } from '../../lib/area';
import { bucketHref } from '../../lib/links';

export const area: Area = {
  id: 'storage',
  title: 'Storage',
  pages: [
    { path: '/storage', title: 'Buckets', nav: true, keywords: 's3 objects files upload', wide: true, load: () => import('./Buckets') },
    {
      path: '/storage/buckets/:bucket',
      title: 'Bucket',
      crumb: ({ bucket }) => bucket ?? '',
      wide: true,
      load: () => import('./Bucket'),
    },
    {
      path: '/storage/buckets/:bucket/object',
      title: 'Object',
      parent: '/storage/buckets/:bucket',
      wide: true,
      load: () => import('./ObjectPage'),
    },
  ],
  commands: [
    async () => {
      const { listBuckets } = await import('../../aws/s3');
      return (await listBuckets()).map(({ name }) => ({ id: `bucket:${name}`, title: name, kind: 'Bucket', href: bucketHref(name) }));
    },
  ],
};
