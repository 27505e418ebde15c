/**
 * The pages for `troupe start`: built when they are missing or made of other sources, in a process of its own, so that
 * the builder's memory is not the server's. A server without pages is a server still; a sentence says so.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { canBuildPages, pagesFolder, pagesState } from '../../web/build.ts';
import type { Terminal } from './terminal.ts';

const loader = import.meta.resolve('tsx/esm');
const builder = fileURLToPath(new URL('../../web/build.ts', import.meta.url));

/** The folder of the pages, or undefined when there are none and none can be built. */
export function providePages(terminal: Terminal): string | undefined {
  const state = pagesState();
  if (state === 'fresh') return pagesFolder;
  if (canBuildPages()) {
    terminal.err(`Building the pages, which are ${state === 'missing' ? 'missing' : 'older than their sources'}.`);
    const { status, stderr } = spawnSync(process.execPath, ['--import', loader, builder], { encoding: 'utf8' });
    if (status === 0) return pagesFolder;
    terminal.err(`They could not be built: ${stderr.trim()}`);
  }
  if (pagesState() !== 'missing') return pagesFolder;
  terminal.err('There are no pages: "npm install" with development packages builds them. All else works.');
  return undefined;
}
