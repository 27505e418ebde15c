/**
 * The plain protocol of the chat's sockets: `/ws/chat/{userId}`, JSON text frames. One's own user id alone, for any valid
 * token, also before the user exists, so that the outcome of its creation arrives. Commands come in, replies, outcomes and
 * news go out; what is in them is the hub's and the commands' work.
 */

import { type OpenedSocket, Refusal, type SignedIn, type SocketCommands, type SocketRoute } from '../src/index.ts';
import { id } from './api-fields.ts';
import { callerOf } from './api-identity.ts';
import type { Hub } from './notifications-hub.ts';

export function chatSockets(hub: Hub, commands: SocketCommands): SocketRoute {
  return {
    path: '/ws/chat/{userId}',
    history: hub,
    admit({ userId }) {
      if (id.safeParse(userId).success) return;
      const errors = () => [{ field: 'userId', detail: 'a UUID in lower case, with dashes' }];
      throw new Refusal('VALIDATION_FAILED', { status: 400, params: { fields: 'userId' }, errors });
    },
    open(opened: OpenedSocket): SignedIn {
      const { connection, claims, params, language, close } = opened;
      const userId = callerOf(claims);
      if (params.userId !== userId) throw new Refusal('NOT_OWN_USER');
      const socket = { connection, userId, language, close };
      const caller = { connection, claims, language: () => language ?? hub.languageOf(userId), close, inFlight: 0 };
      return {
        ready: hub.attach(socket),
        message: (text) => commands.receive(caller, text),
        closed: () => hub.detach(socket),
      };
    },
  };
}
