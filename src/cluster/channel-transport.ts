/**
 * The transport between shards of several nodes: to a shard of this process directly, to any other on its channel. It
 * does not need to know who owns that one. What gets lost on the way, or reaches a shard that nobody owns just then, is
 * sent again by the outbox, and asked for by the shard's next owner.
 */

import { packed } from '../shard/parcel.ts';
import type { Shard } from '../shard/shard.ts';
import type { Transport } from '../shard/transport.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { Post } from './post.ts';

export interface ChannelTransportOptions {
  readonly node: string;
  readonly shards: readonly Shard[];
  readonly post: Post;
  readonly acknowledgements: Acknowledgements;
}

export function channelTransport({ node, shards, post, acknowledgements }: ChannelTransportOptions): Transport {
  return {
    deliver(to, from, n, parcel, isPatient) {
      if (shards[to]?.isHere) shards[to].arrive(from, n, parcel);
      else if (isPatient === true) post.toShard(to, ['parcel', from, n, packed(parcel), node]);
      else post.toShard(to, ['parcel', from, n, packed(parcel)]);
    },
    acknowledge(sender, receiver, n, gatherFor) {
      if (shards[sender]?.isHere) shards[sender].outbox.acknowledge(receiver, n);
      else if (gatherFor !== undefined) acknowledgements.add(gatherFor, sender, receiver, n);
      else post.toShard(sender, ['acknowledge', receiver, n]);
    },
    resend(sender, receiver, n) {
      if (shards[sender]?.isHere) shards[sender].outbox.resend(receiver, n);
      else post.toShard(sender, ['resend', receiver, n]);
    },
  };
}
