/**
 * Topics: ordered, offset-numbered streams of publications to clients, with a bounded history. A topic is named
 * `name:{uuid}` and lives on the shard of that id; it needs no actor. Publications are part of a shard's commit; a
 * subscriber gets each of them after the commit, in order, and can read on from any offset that is still kept.
 */

import { isActorType, isUuid, shardOf } from '../actor/address.ts';
import { TroupeError } from '../errors.ts';

export interface Publication {
  readonly topic: string;
  readonly offset: number;
  readonly data: unknown;
}

export interface TopicHistory {
  /** Changes when offsets seen before have lost their meaning. */
  readonly epoch: string;
  readonly head: number;
  /** True when the asked position (offset and, if given, epoch) can be continued without a gap. */
  readonly recovered: boolean;
  readonly publications: readonly Publication[];
}

/** The shard of a topic. Throws `TOPIC_INVALID` when its name is not `name:{uuid}`. */
export function topicShard(topic: string, shards: number): number {
  const colon = topic.indexOf(':');
  const id = topic.slice(colon + 1);
  if (colon < 1 || !isActorType(topic.slice(0, colon)) || !isUuid(id)) {
    throw new TroupeError('TOPIC_INVALID', `"${topic}" is not a topic; one looks like room:<uuid in lower case>.`, {
      topic,
    });
  }
  return shardOf(id, shards);
}
