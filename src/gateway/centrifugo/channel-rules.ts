/**
 * What an application declares of its channels: which topic is a client's own, who may follow one, what a publication is
 * to clients, and what clients may tell each other. A channel is a topic; its offsets, epoch and history are the topic's.
 */

import type { ActorSystem } from '../../actor-system.ts';
import type { Publication } from '../../topic/topic.ts';
import type { Claims } from '../tokens.ts';

/** What a publication is to the clients that follow its channel. */
export interface Shown {
  /** JSON; where it is told in a language, a function of that. */
  readonly data: string | ((language: string) => string);
  /** The operation whose outcome it is: the reply to its command goes first. */
  readonly outcomeOf?: string;
  /** Users who may follow the channel from here on, where that has changed. */
  readonly members?: readonly string[];
}

export interface ChannelRules {
  /** Id of a client's user, as other clients see it. */
  userOf(claims: Claims): string;
  /** The channel that the server subscribes a client to. */
  ownChannel(claims: Claims): string;
  /** Whether a client may follow a channel; `unknown`: there is none. */
  admit(channel: string, claims: Claims): Admittance | Promise<Admittance>;
  /** Whether clients of a channel are told of each other. */
  hasPresence(channel: string): boolean;
  /** Every publication means one thing; what takes time keeps the channel's next publication waiting. */
  shown(publication: Publication): Shown | Promise<Shown>;
  /** What a client that publishes `data` tells the others, as JSON; undefined: it may not. Never journaled. */
  told(channel: string, claims: Claims, data: unknown): string | undefined;
}

export type Admittance = 'allowed' | 'denied' | 'unknown';

/** What channels need of a system. */
export type ChannelTopics = Pick<ActorSystem, 'subscribe' | 'listening' | 'readTopic' | 'signals'>;
