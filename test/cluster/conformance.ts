/**
 * The conformance suite of the cluster port. An adapter's test is
 *
 *     describeClusterStore('memory', createWorld);
 *
 * where `createWorld` (world.ts) makes one empty store, on which several journals may be open at once: each is a node. What
 * the suite cannot see from outside the port is tested beside each adapter.
 */

import { describe } from 'vitest';
import { channelTests } from './conformance/channels.ts';
import { commitTests } from './conformance/commits.ts';
import { inboxTests } from './conformance/inboxes.ts';
import { membershipTests } from './conformance/membership.ts';
import { ringTests } from './conformance/rings.ts';
import type { WorldFactory } from './world.ts';

export function describeClusterStore(name: string, createWorld: WorldFactory): void {
  describe(`${name} cluster store`, () => {
    describe('membership', () => membershipTests(createWorld));
    describe('inboxes', () => inboxTests(createWorld));
    describe('commits', () => commitTests(createWorld));
    describe('rings', () => ringTests(createWorld));
    describe('channels', () => channelTests(createWorld));
  });
}
