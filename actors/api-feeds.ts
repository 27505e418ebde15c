/**
 * Where reads stand in the feeds of what they show. The position is read first: what is published after it may be in the
 * answer already, and nothing that is not in the answer was published before it. So whoever follows the channels from
 * there on misses nothing.
 *
 * Reads of one's rooms name the channels of all of them, also of those that are not listed yet because nobody has
 * written in them: their first message is heard there.
 */

import type { ActorSystem, Claims, FeedPosition, Query } from '../src/index.ts';
import { callerOf } from './api-identity.ts';
import type { Views } from './api-views.ts';

/** Channels read at once. */
const channelsAtOnce = 64;

interface Asked {
  readonly claims: Claims;
  readonly params: { readonly roomId?: string };
}

interface Reads {
  readonly system: ActorSystem;
  readonly views: Views;
}

type FeedOf = (asked: Asked, reads: Reads) => Promise<readonly FeedPosition[]>;

const own: FeedOf = ({ claims }, { system }) => positionsOf(system, [`user:${callerOf(claims)}`]);

const room: FeedOf = ({ params }, { system }) => positionsOf(system, [`room:${params.roomId}`]);

const everything: FeedOf = async (asked, reads) => {
  // Before the list of rooms: one that is joined later is told of behind this position.
  const user = await own(asked, reads);
  const roomIds = await reads.views.roomIdsOf(callerOf(asked.claims));
  const rooms = await positionsOf(
    reads.system,
    roomIds.map((roomId) => `room:${roomId}`),
  );
  return [...user, ...rooms];
};

/** By the query's name. */
const feedsOf: Readonly<Record<string, FeedOf>> = {
  CURRENT_USER: own,
  USERS_ALL: everything,
  ROOMS: everything,
  ROOM: room,
  MESSAGES: everything,
  ROOM_MESSAGES: room,
  UNREAD: everything,
  TRANSLATION_QUEUE: everything,
};

async function positionsOf(system: ActorSystem, channels: readonly string[]): Promise<readonly FeedPosition[]> {
  const positions: FeedPosition[] = [];
  for (let at = 0; at < channels.length; at += channelsAtOnce) {
    const pages = channels.slice(at, at + channelsAtOnce).map(async (channel): Promise<FeedPosition> => {
      const { epoch, head } = await system.readTopic(channel, { offset: Number.MAX_SAFE_INTEGER, limit: 1 });
      return { channel, epoch, offset: head };
    });
    positions.push(...(await Promise.all(pages)));
  }
  return positions;
}

/** The queries, with the positions that their answers are good from. */
export function withFeeds(queries: readonly Query[], system: ActorSystem, views: Views): readonly Query[] {
  return queries.map((query) => {
    const feedOf = query.name === undefined ? undefined : feedsOf[query.name];
    if (feedOf === undefined) return query;
    return {
      ...query,
      answer: async (call) => {
        const feed = await feedOf(call as Asked, { system, views });
        return { ...(await query.answer(call)), feed };
      },
    };
  });
}
