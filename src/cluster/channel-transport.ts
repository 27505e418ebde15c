/**
 * The transport between shards of several nodes: to a shard of this process directly, to any other on its channel. It
 * does not need to know who owns that one. What gets lost on the way, or reaches a shard that nobody owns just then, is
 * sent again by the outbox, and asked for by the shard's next owner.
 */

import type { Shard } from '../shard/shard.ts';
import type { Transport } from '../shard/transport.ts';
import type { Post } from './post.ts';

export function channelTransport(shards: readonly Shard[], post: Post): Transport {
  return {
    deliver(to, from, n, parcel) {
      if (shards[to]?.isHere) shards[to].arrive(from, n, parcel);
      else post.toShard(to, ['parcel', from, n, parcel]);
    },
    acknowledge(sender, receiver, n) {
      if (shards[sender]?.isHere) shards[sender].outbox.acknowledge(receiver, n);
      else post.toShard(sender, ['acknowledge', receiver, n]);
    },
    resend(sender, receiver, n) {
      if (shards[sender]?.isHere) shards[sender].outbox.resend(receiver, n);
      else post.toShard(sender, ['resend', receiver, n]);
    },
  };
}
