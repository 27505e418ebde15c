/** The inspection of one chat, on any store and with any number of nodes. */

import { afterAll, beforeAll, describe } from 'vitest';
import type { StoreKind } from '../e2e/stores.ts';
import { askingSuite } from './asking-suite.ts';
import { type InhabitedChat, inhabitedChat } from './inspected-chat.ts';
import { watchingSuite } from './watching-suite.ts';

export function inspectorSuite(kind: StoreKind, nodes: number): void {
  describe(`the chat on ${kind}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`, () => {
    let inhabited: InhabitedChat;

    beforeAll(async () => {
      inhabited = await inhabitedChat(kind, nodes);
    });

    afterAll(() => inhabited?.chat.stop());

    askingSuite(() => inhabited);
    watchingSuite(() => inhabited);
  });
}
