/**
 * The chat's API, put together: its commands, its queries, its sockets, and the development mode's tokens. It is data
 * for a gateway; opening one is the server's work.
 */

import type { ActorSystem, Clock, GatewayOptions, Log } from '../src/index.ts';
import { chatCommands } from './api-commands.ts';
import { withFeeds } from './api-feeds.ts';
import { callerOf, Requesters } from './api-identity.ts';
import { ChatOperations } from './api-operations.ts';
import { chatQueries } from './api-queries.ts';
import { clientConfig, devTokens } from './api-sign-in.ts';
import { Views } from './api-views.ts';
import { ChatChannels } from './channels.ts';
import type { Oidc } from './config-oidc.ts';
import { chatSockets } from './notifications.ts';
import { Hub } from './notifications-hub.ts';
import { chatCatalog, languageTags } from './texts.ts';

export interface ChatApiOptions {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly log: Log;
  /** Signs the development mode's tokens: without a secret there is none. */
  readonly authSecret: string | undefined;
  /** Whether anybody may get a token for anybody. */
  readonly devMode: boolean;
  /** Whether they may ask for an operator's. */
  readonly devAdmins: boolean;
  readonly oidc: Oidc | undefined;
}

export type ChatApi = Pick<
  GatewayOptions,
  'catalog' | 'channels' | 'languageOf' | 'commands' | 'queries' | 'openRoutes' | 'operations' | 'sockets' | 'ready'
> & { readonly hub: Hub };

export function chatApi({ system, clock, log, authSecret, devMode, devAdmins, oidc }: ChatApiOptions): ChatApi {
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
    queries: withFeeds(chatQueries({ system, views, operations, requesters }), system, views),
    channels: { rules: new ChatChannels(system, views, clock), topics: system },
    openRoutes: [
      clientConfig({ devMode, oidc }),
      ...(devMode && authSecret !== undefined ? [devTokens({ authSecret, clock, admins: devAdmins })] : []),
    ],
    sockets: (commands) => [chatSockets(hub, commands)],
    ready: () => system.ready(),
    async languageOf(claims) {
      const requester = await requesters.find(callerOf(claims));
      return requester === undefined ? undefined : languageTags[requester.language];
    },
  };
}
