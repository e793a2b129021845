import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vite';

/** The server that `npm run dev` shows. */
const ENDPOINT = process.env.BOATHOUSE_ENDPOINT ?? 'http://127.0.0.1:4566';

/** Puts a Brotli-compressed copy beside each file that compresses; the server's build embeds these. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      if (this.meta.watchMode) return;
      for (const file of files('dist/site')) {
        if (!/\.(js|css|html|svg|json)$/.test(file)) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 };
        writeFileSync(`${file}.br`, brotliCompressSync(readFileSync(file), { params }));
      }
    },
  };
}

/**
 * Cloudscape's style sheet holds its fonts as data, which the content policy does not let in and every first view would pay
 * for. They become files, of which a browser fetches those that it shows.
 */
function fonts(): Plugin {
  return {
    name: 'fonts',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('@cloudscape-design/global-styles/index.css')) return undefined;
      const folder = join(import.meta.dirname, 'node_modules/.cache/fonts');
      mkdirSync(folder, { recursive: true });
      return code.replace(/url\(['"]?data:font\/woff2;base64,([^'")]+)['"]?\)/g, (_, data: string) => {
        const bytes = Buffer.from(data, 'base64');
        const path = join(folder, `open-sans-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}.woff2`);
        writeFileSync(path, bytes);
        return `url("${relative(dirname(id.split('?')[0] ?? id), path)}")`;
      });
    },
  };
}

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

export default defineConfig({
  base: '/_console/',
  resolve: {
    // The names of Cloudscape's colours differ from release to release; the package of tokens is another release.
    alias: { '@tokens': join(import.meta.dirname, 'node_modules/@cloudscape-design/components/internal/generated/styles/tokens.js') },
  },
  plugins: [react(), fonts(), compressed()],
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2022',
    // Everything is a file of its own: the content policy allows no scripts or fonts inside others.
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    chunkSizeWarningLimit: 1200,
  },
  server: {
    // What is not a page of the console goes to the server, signed for the address in the browser.
    proxy: { '^/(?!_console(/|$))|^/_console/api/': { target: ENDPOINT, changeOrigin: false } },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
} as Parameters<typeof defineConfig>[0]);
