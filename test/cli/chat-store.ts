/** Fills a store with a little chat: two users, each created by their saga. */

import { userIdOf } from '../../actors/api-identity.ts';
import { chatActors, chatProjections, sagas } from '../../actors/chat.ts';
import { openJournal, openSystem } from '../../src/index.ts';

export const alice = userIdOf('alice@example.com');
export const bob = userIdOf('bob@example.com');

export async function fillChatStore(url: string): Promise<void> {
  const journal = await openJournal(url, { shards: 4 });
  const system = await openSystem({ journal, actors: chatActors, projections: chatProjections });
  try {
    for (const name of ['alice', 'bob']) {
      const email = `${name}@example.com`;
      const userId = userIdOf(email);
      const operationId = system.mint(userId);
      await system.actor(sagas.USER_CREATE, operationId).ask(
        {
          type: 'USER_CREATE_START',
          operationId,
          responsibleService: 'SAGA_SERVICE',
          responsibleUserId: userId,
          payload: {
            userId,
            email,
            username: name,
            type: 'REGULAR_USER',
            primaryLanguage: 'ENGLISH',
            at: system.now(),
            fingerprint: name,
          },
        },
        { operation: operationId },
      );
      await system.settled(operationId, userId);
    }
  } finally {
    await system.stop();
  }
}
