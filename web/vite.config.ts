/** The two pages and what they share. `web/build.ts` builds with it; `npx vite web` serves them while they are written. */

import { join } from 'node:path';
import { defineConfig } from 'vite';

const root = import.meta.dirname;
/** `npx vite web` serves pages alone; what they ask for is asked of `npm start`. */
const server = 'http://127.0.0.1:8082';

export default defineConfig({
  root,
  appType: 'mpa',
  publicDir: false,
  // Not next to the packages, which may be on a file system that cannot be written.
  cacheDir: join(root, 'dist', '.vite'),
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // light-dark() as it is.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Nothing inline: the policy of the pages takes scripts, styles and images from files alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { chat: join(root, 'chat/index.html'), inspector: join(root, 'inspector/index.html') },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ['/v1', '/dev', '/client-config', '/inspect', '/connection'].map((path) => [path, { target: server, ws: true }]),
    ),
  },
});
