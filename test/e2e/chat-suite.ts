/** All that the chat promises to its clients, against one started server or several nodes. */

import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { Chat } from './chat.ts';
import type { StoreKind } from './stores.ts';
import { blameSuite } from './suites/blame.ts';
import { consistencySuite } from './suites/consistency.ts';
import { idempotencySuite } from './suites/idempotency.ts';
import { identitySuite } from './suites/identity.ts';
import { idSuite } from './suites/ids.ts';
import { lifecycleSuite } from './suites/lifecycle.ts';
import { notificationSuite } from './suites/notifications.ts';
import { privacySuite } from './suites/privacy.ts';
import { problemSuite } from './suites/problems.ts';
import { raceSuite } from './suites/races.ts';
import { readSuite } from './suites/reads.ts';
import { ruleSuite } from './suites/rules.ts';
import { sagaSuite } from './suites/sagas.ts';
import { translationSuite } from './suites/translations.ts';
import { unreadSuite } from './suites/unread.ts';

const suites = {
  sagas: sagaSuite,
  rules: ruleSuite,
  notifications: notificationSuite,
  races: raceSuite,
  privacy: privacySuite,
  reads: readSuite,
  unread: unreadSuite,
  translations: translationSuite,
  ids: idSuite,
  identity: identitySuite,
  problems: problemSuite,
  blame: blameSuite,
  consistency: consistencySuite,
  idempotency: idempotencySuite,
  lifecycle: lifecycleSuite,
};

/** Several nodes on a loaded machine take their time. */
const slowlyMs = 180_000;

/** On several nodes each call goes to another one; stops and starts are test/cluster/'s then. */
export function chatSuite(kind: StoreKind, nodes = 1): void {
  describe(nodes === 1 ? `the chat on ${kind}` : `the chat on ${nodes} nodes`, () => {
    let chat: Chat | undefined;
    beforeAll(async () => {
      chat = await Chat.start(kind, { nodes });
    }, slowlyMs);
    afterEach(() => {
      chat?.disconnect();
      if (chat?.fate !== undefined) throw new Error(chat.fate);
    });
    afterAll(() => chat?.remove());

    const running = (): Chat => {
      if (chat === undefined) throw new Error('The server did not start.');
      return chat;
    };
    for (const [name, suite] of Object.entries(suites)) {
      if (nodes === 1 || suite !== lifecycleSuite) describe(name, () => suite(running));
    }
  });
}
