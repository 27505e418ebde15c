/**
 * The names of a store's keys. All keys of a shard share its hash tag, so that they live in one slot of a cluster and
 * one call can change them together; there are a dozen of them plus one per topic and per view. Channels are named alike,
 * so that a shard's own lie in its slot, where its functions can ring.
 */

import type { Channel } from '../../cluster/cluster-store.ts';

/** The keys of one shard: `prefix:{shard}:name`. */
export interface ShardKeys {
  /** Hash: lease and head. */
  readonly shard: string;
  /** Stream: one entry per event, with its seq as id. */
  readonly journal: string;
  /** Hash: address to index record. */
  readonly actors: string;
  /** Sorted set: addresses in order, while somebody lists them. */
  readonly addresses: string;
  /** Hash: address to snapshot record. */
  readonly snapshots: string;
  /** Hash: address, zero byte and id to timer record. */
  readonly timers: string;
  /** Hash: `shard:n` to message. */
  readonly outbox: string;
  /**
   * Hash: `in:shard` (arrived), `out:shard` (last sent), `acked:shard` (arrived there) to n; of the inbox, `inbox` (handled),
   * `inbox:sent` (number given out last) and `inbox:rung` (1 until it is read).
   */
  readonly marks: string;
  /** Hash: name to version. */
  readonly projections: string;
  /** List: dead letters, the newest last. */
  readonly dead: string;
  /** Hash: topic to the offset of its newest publication. */
  readonly topics: string;
  /** Stream: envelopes not handled yet, with their numbers as ids; absent while there is none. */
  readonly inbox: string;
}

/** Hash: `node:id` to what it says of itself, `alive:id` to its time and process, `drain:id`, and `pin:shard` to a node. */
export function clusterKey(prefix: string): string {
  return `${prefix}:{all}:cluster`;
}

/** The name of a sharded channel. */
export function channelName(prefix: string, channel: Channel): string {
  switch (channel.kind) {
    case 'shard':
      return `${prefix}:{${channel.shard}}:post`;
    case 'topic':
      return `${prefix}:{${channel.shard}}:news:${channel.topic}`;
    case 'signal':
      return `${prefix}:{${channel.shard}}:signal:${channel.topic}`;
    case 'node':
      return `${prefix}:{node:${channel.node}}:post`;
    case 'everyone':
      return `${prefix}:{all}:post`;
    case 'watch':
      return `${prefix}:{all}:watch`;
    case 'watcher':
      return `${prefix}:{node:${channel.node}}:watcher`;
  }
}

export function shardKeys(prefix: string, shard: number): ShardKeys {
  const key = (name: string): string => `${prefix}:{${shard}}:${name}`;
  return {
    shard: key('shard'),
    journal: key('journal'),
    actors: key('actors'),
    addresses: key('addresses'),
    snapshots: key('snapshots'),
    timers: key('timers'),
    outbox: key('outbox'),
    marks: key('marks'),
    projections: key('projections'),
    dead: key('dead'),
    topics: key('topics'),
    inbox: key('inbox'),
  };
}

/** List: the publications kept of one topic, the newest last. */
export function topicKey(prefix: string, shard: number, topic: string): string {
  return `${prefix}:{${shard}}:topic:${topic}`;
}

/** Sorted set: the rows of one view, each a member that begins with the row's key. */
export function viewKey(prefix: string, shard: number, view: string): string {
  return `${prefix}:{${shard}}:view:${view}`;
}

/** Hash: what belongs to the store and not to a shard. */
export function metaKey(prefix: string): string {
  return `${prefix}:meta`;
}
