import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const SITE = join(import.meta.dirname, '../dist/site');

interface Chunk {
  file: string;
  imports?: string[];
  dynamicImports?: string[];
  css?: string[];
  assets?: string[];
}

/** Bytes as they go over the wire: fonts are packed already, of which a first view shows three. */
const BUDGET = 600_000;
const FONTS = 3 * 18_000;

test('the first view is less than 600 kB', () => {
  const chunks = JSON.parse(readFileSync(join(SITE, 'manifest.json'), 'utf8')) as Record<string, Chunk>;
  const files = new Set<string>();
  const visit = (name: string) => {
    const chunk = chunks[name];
    if (!chunk || files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.css?.forEach((file) => files.add(file));
    chunk.imports?.forEach(visit);
  };
  // The home page with its graph.
  ['index.html', 'src/pages/home/Home.tsx', 'src/lib/graph-canvas.tsx'].forEach((name) => {
    expect(chunks[name], name).toBeDefined();
    visit(name);
  });
  const sizes = [...files].map((file) => [statSync(join(SITE, `${file}.br`)).size, file] as const);
  const sum = sizes.reduce((total, [size]) => total + size, FONTS);
  console.log(`first view: ${sum} bytes in ${sizes.length} files and 3 fonts`);
  expect(sum, JSON.stringify(sizes.sort(([a], [b]) => b - a))).toBeLessThan(BUDGET);
});
