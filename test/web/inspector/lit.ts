/** What is lit in a chart. */

import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** For noisy machines. */
export const waitMs = 20_000;

/** The innermost states that are lit in the chart. */
function lit(page: Page): Promise<string> {
  return page
    .locator('.state.is-active:not(.is-outer)')
    .evaluateAll((states) => states.map((state) => state.getAttribute('data-state-id')).join(' '));
}

export async function isLit(page: Page, state: string): Promise<void> {
  await expect.poll(() => lit(page), { timeout: waitMs }).toBe(state);
}
