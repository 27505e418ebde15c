/** Builds the pages once before the tests, which would otherwise do so side by side. */

import { buildPages, pagesState } from '../../web/build.ts';

export async function setup(): Promise<void> {
  if (pagesState() === 'fresh') return;
  process.stdout.write('Building the pages.\n');
  await buildPages();
}
