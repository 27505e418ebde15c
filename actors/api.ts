/**
 * The chat's API, put together: its commands, its queries, its sockets, and the development mode's tokens. It is data
 * for a gateway; opening one is the server's work.
 */

import * as z from 'zod';
import {
  type ActorSystem,
  type Clock,
  type GatewayOptions,
  json,
  jsonOf,
  type Log,
  type OpenRoute,
  signToken,
  tokenSeconds,
  validated,
} from '../src/index.ts';
import { chatCommands } from './api-commands.ts';
import { callerOf, Requesters, userIdOf } from './api-identity.ts';
import { ChatOperations } from './api-operations.ts';
import { chatQueries } from './api-queries.ts';
import { Views } from './api-views.ts';
import { chatSockets } from './notifications.ts';
import { Hub } from './notifications-hub.ts';
import { chatCatalog, languageTags } from './texts.ts';

export interface ChatApiOptions {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly log: Log;
  readonly authSecret: string;
  /** Whether anybody may get a token for anybody. */
  readonly devMode: boolean;
}

export type ChatApi = Pick<
  GatewayOptions,
  'catalog' | 'languageOf' | 'commands' | 'queries' | 'openRoutes' | 'operations' | 'sockets' | 'ready'
> & { readonly hub: Hub };

const tokenRequest = z.object({
  email: z
    .string()
    .regex(/^[^\s@]+@[^\s@]+$/)
    .max(320),
});

function devTokens(secret: string, clock: Clock): OpenRoute {
  return {
    method: 'POST',
    path: '/dev/tokens',
    async answer(request) {
      const { email } = validated(tokenRequest, jsonOf(request.body), 422);
      const token = await signToken(secret, email, clock.now(), tokenSeconds);
      return json(200, { token, userId: userIdOf(email) });
    },
  };
}

export function chatApi({ system, clock, log, authSecret, devMode }: ChatApiOptions): ChatApi {
  const requesters = new Requesters(system);
  const operations = new ChatOperations(system, clock);
  const views = new Views(system);
  const failed = (error: unknown): void => log.error({ err: error }, 'notifications failed');
  const hub = new Hub({ system, views, requesters, clock, failed });
  return {
    hub,
    operations,
    catalog: chatCatalog,
    commands: chatCommands({ system, operations, requesters }),
    queries: chatQueries({ system, views, operations, requesters }),
    openRoutes: devMode ? [devTokens(authSecret, clock)] : [],
    sockets: (commands) => [chatSockets(hub, commands)],
    ready: () => system.ready(),
    async languageOf(claims) {
      const requester = await requesters.find(callerOf(claims));
      return requester === undefined ? undefined : languageTags[requester.language];
    },
  };
}
