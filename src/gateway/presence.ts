/**
 * Who is connected: the sockets of each user, as a store. It tells when a user's first socket comes and when the last
 * one goes, exactly once each, in order. It lives in memory and is never journaled.
 */

import { createStore } from '@xstate/store';
import * as z from 'zod';

export interface Present {
  readonly sockets: number;
  /** Sockets per user. Changed in place: copying it for each connection would cost as much as there are users. */
  readonly users: ReadonlyMap<string, number>;
}

const ofUser = z.object({ user: z.string() });

export function createPresence() {
  return createStore({
    context: { sockets: 0, users: new Map() } as Present,
    schemas: { emitted: { online: ofUser, offline: ofUser } },
    on: {
      opened: (context, event: { user: string }, enqueue) => {
        const users = context.users as Map<string, number>;
        const before = users.get(event.user) ?? 0;
        users.set(event.user, before + 1);
        if (before === 0) enqueue.emit.online({ user: event.user });
        return { sockets: context.sockets + 1, users };
      },
      closed: (context, event: { user: string }, enqueue) => {
        const users = context.users as Map<string, number>;
        const before = users.get(event.user);
        if (before === undefined) return context;
        if (before === 1) {
          users.delete(event.user);
          enqueue.emit.offline({ user: event.user });
        } else users.set(event.user, before - 1);
        return { sockets: context.sockets - 1, users };
      },
    },
  });
}
export type Presence = ReturnType<typeof createPresence>;
