/** What runs of crawlers have done, and what a crawler's role must be allowed to do. */
import type { Crawl } from '../../aws/glue-crawlers';

type Counts = Partial<Record<'ADD' | 'UPDATE' | 'DELETE', number>>;

const WORDS: [keyof Counts, string][] = [
  ['ADD', 'added'],
  ['UPDATE', 'updated'],
  ['DELETE', 'deleted'],
];

/** `2 tables added, 31 partitions added`; nothing changed is said too. */
export function changed(summary: string | undefined): string {
  if (!summary) return '–';
  let counts: Record<string, Counts>;
  try {
    counts = JSON.parse(summary) as Record<string, Counts>;
  } catch {
    return summary;
  }
  const parts = Object.entries(counts).flatMap(([kind, changes]) =>
    WORDS.flatMap(([name, word]) => {
      const number = Number(changes[name] ?? 0);
      return number > 0 ? [`${number} ${kind.toLowerCase()}${number === 1 ? '' : 's'} ${word}`] : [];
    }),
  );
  return parts.length > 0 ? parts.join(', ') : 'No changes';
}

/** How long a run took, or has been going on for, in ms. */
export function took({ StartTime, EndTime }: Crawl, now: number): number {
  return (EndTime === undefined ? now : EndTime * 1000) - StartTime * 1000;
}

/** Roles that Glue may take on. */
export function trustsGlue(trust: string): boolean {
  return trust.includes('glue.amazonaws.com');
}

export const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'glue.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

/** What a crawler needs: to read its targets, and to keep the catalogue in step. */
export function policyFor(paths: readonly string[]): string {
  const places = paths.map((path) => path.replace(/^s3:\/\//, '').replace(/\/+$/, ''));
  const buckets = [...new Set(places.map((place) => place.split('/')[0]))];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:GetObject', Resource: places.map((place) => `arn:aws:s3:::${place}/*`) },
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: buckets.map((bucket) => `arn:aws:s3:::${bucket}`) },
      {
        Effect: 'Allow',
        Action: [
          'glue:GetDatabase', 'glue:GetTable', 'glue:GetTables', 'glue:CreateTable', 'glue:UpdateTable', 'glue:DeleteTable', 'glue:BatchDeleteTable',
          'glue:GetPartition', 'glue:GetPartitions', 'glue:BatchGetPartition', 'glue:CreatePartition', 'glue:BatchCreatePartition', 'glue:UpdatePartition',
          'glue:BatchUpdatePartition', 'glue:DeletePartition', 'glue:BatchDeletePartition',
        ],
        Resource: '*',
      },
    ],
  });
}

/** What is wrong with a target's path. */
export function pathProblem(path: string): string | undefined {
  return /^s3:\/\/[a-z0-9][a-z0-9.-]{2,62}(\/.*)?$/.test(path) ? undefined : 'A path such as s3://bucket/folder/';
}
