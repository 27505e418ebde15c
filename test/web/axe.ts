/** What axe finds on a page as it is. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Report {
  readonly violations: readonly { readonly id: string; readonly impact: string; readonly nodes: readonly object[] }[];
}

/** What is serious or worse: the rule, and the first places. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  // As a debugger does: the policy of the pages would not let it in as a script.
  const { violations } = (await page.evaluate(
    `${source}; axe.run(document, { resultTypes: ['violations'] })`,
  )) as Report;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id} ${JSON.stringify(nodes.slice(0, 3))}`);
}

/** How many pixels of a page cannot be seen without moving it sideways. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}
