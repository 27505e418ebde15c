/**
 * The conformance suite of the journal port. An adapter's test is
 *
 *     describeJournal('memory', adapter);
 *
 * where `adapter` (adapter.ts) makes empty stores and says what can be done to them from outside. Each test has a store
 * of its own. What the suite cannot see from outside the port (a crash in the middle of a commit, a second process) is
 * tested beside each adapter.
 */

import { describe } from 'vitest';
import type { JournalAdapter } from './adapter.ts';
import { commitTests } from './conformance/commits.ts';
import { damageTests } from './conformance/damage.ts';
import { leaseTests } from './conformance/leases.ts';
import { recordTests } from './conformance/records.ts';
import { refusalTests } from './conformance/refusals.ts';
import { rewindTests } from './conformance/rewinds.ts';
import { storeTests } from './conformance/store.ts';
import { topicTests } from './conformance/topics.ts';
import { trimTests } from './conformance/trims.ts';
import { viewTests } from './conformance/views.ts';

export function describeJournal(name: string, adapter: JournalAdapter): void {
  describe(`${name} journal`, () => {
    describe('commits', () => commitTests(adapter));
    describe('refusals', () => refusalTests(adapter));
    describe('leases', () => leaseTests(adapter));
    describe('records', () => recordTests(adapter));
    if (adapter.rewinds === true) describe('rewinds', () => rewindTests(adapter));
    describe('topics', () => topicTests(adapter));
    describe('trims', () => trimTests(adapter));
    describe('views', () => viewTests(adapter));
    describe('store', () => storeTests(adapter));
    describe('damage', () => damageTests(adapter));
  });
}
