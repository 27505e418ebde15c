/**
 * The answers to a connected client's commands about channels: subscribing, history, who is there, and what a client
 * tells the others. History is for whoever may follow the channel, the rest for whoever does.
 */

import type { GatewayObserver } from '../../observer.ts';
import type { RateLimiter } from '../token-bucket.ts';
import type { Claims } from '../tokens.ts';
import type { ChannelRules, ChannelTopics } from './channel-rules.ts';
import { historyOf } from './history.ts';
import { type Command, errors, type Request } from './protocol.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Commands that take time and a part of the user's rate. */
export type Timely = Exclude<
  Extract<Command, { readonly request: unknown }>,
  { readonly kind: 'connect' | 'rpc' | 'ping' | 'send' }
>;

export interface AnswerContext {
  readonly rules: ChannelRules;
  readonly topics: ChannelTopics;
  readonly tellLimiter: RateLimiter;
  readonly observer: GatewayObserver;
  readonly subscriptions: Subscriptions;
  readonly claims: Claims;
  readonly client: string;
  readonly language: string;
}

/** Calls `reply` with the result as JSON. Rejects with a `ProtocolError`. */
export async function answer(
  command: Exclude<Timely, { readonly kind: 'refresh' }>,
  context: AnswerContext,
  reply: (result: string) => void,
): Promise<void> {
  const { rules, topics, subscriptions, claims, language } = context;
  switch (command.kind) {
    case 'subscribe':
      assertPlain(command.request);
      return subscriptions.subscribe(command.request, reply);
    case 'unsubscribe':
      // What the server has subscribed a client to is not for the client to end.
      if (command.request.channel === rules.ownChannel(claims)) throw errors.permissionDenied;
      await subscriptions.unsubscribe(command.request.channel);
      return reply('{}');
    case 'publish':
      tell(command.request, context);
      return reply('{}');
    case 'presence':
    case 'presence_stats':
      return reply(await presenceOf(subscriptions, command.kind, command.request.channel));
    case 'history':
      await assertAdmitted(command.request.channel, context);
      return reply(await historyOf(rules, topics, command.request, language));
    case 'sub_refresh':
      throw errors.notAvailable;
  }
}

function assertPlain({ type = 0, tf }: Request<'subscribe'>): void {
  if (type !== 0 || tf !== undefined) throw errors.notAvailable;
}

async function assertAdmitted(channel: string, { rules, claims }: AnswerContext): Promise<void> {
  const admittance = await rules.admit(channel, claims);
  if (admittance === 'unknown') throw errors.unknownChannel;
  if (admittance === 'denied') throw errors.permissionDenied;
}

function tell({ channel, data }: Request<'publish'>, context: AnswerContext): void {
  const { rules, tellLimiter, observer, subscriptions, claims, client } = context;
  const subscription = subscriptions.get(channel);
  const told = subscription === undefined ? undefined : rules.told(channel, claims, data);
  if (subscription === undefined || told === undefined) throw errors.permissionDenied;
  if (tellLimiter.take(client) > 0) {
    observer.rateLimited();
    throw errors.tooManyRequests;
  }
  subscription.channel.say(subscription.info, told);
}

/** Who follows a channel that the client follows, as JSON. */
async function presenceOf(
  subscriptions: Subscriptions,
  kind: 'presence' | 'presence_stats',
  channel: string,
): Promise<string> {
  const subscription = subscriptions.get(channel);
  if (subscription === undefined) throw errors.permissionDenied;
  const { presence } = subscription.channel;
  if (presence === undefined) throw errors.notAvailable;
  const infos = await presence.all();
  if (kind === 'presence') {
    return JSON.stringify({ presence: Object.fromEntries(infos.map((info) => [info.client, info])) });
  }
  return JSON.stringify({ num_clients: infos.length, num_users: new Set(infos.map(({ user }) => user)).size });
}
