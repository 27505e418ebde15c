/**
 * What a shard is given: its number, the ports and parts that all shards of a system share, and, where there are other
 * nodes, its inbox and whom to tell that it came or went.
 */

import type { HostedMachine } from '../actor/logic.ts';
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Journal, Known, Owner } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { Projections } from '../projection/projections.ts';
import type { Hub } from '../topic/hub.ts';
import type { Witness } from '../witness.ts';
import type { InboxSource } from './inbox.ts';
import type { Transport } from './transport.ts';

export interface ShardOptions {
  readonly shard: number;
  readonly shards: number;
  readonly journal: Journal;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly log: Log;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly projections: Projections;
  readonly transport: Transport;
  readonly hub: Hub;
  readonly observer: Observer;
  readonly witness: Witness;
  /** Asks for a `pump` soon. */
  readonly schedule: () => void;
  /** Envelopes of other nodes. Undefined where there are none: then nobody else can ever own the shard. */
  readonly inbox?: InboxSource;
  /** Where other nodes have seen the shard stand. */
  readonly known?: () => Known | undefined;
  /** The shard was taken and stands at these marks. Undefined: every sender is asked through the transport. */
  readonly took?: () => void;
  /** It is not ours any more, or about to be given away: quiet then, and still ours until the promise is settled. */
  readonly gone?: () => Promise<void>;
  /** Whether the store has been out of reach for so long that nobody is to wait for it any more. */
  readonly isCutOff?: () => boolean;
}

export interface ShardStats {
  turns: number;
  commits: number;
  envelopes: number;
  rehydrated: number;
  passivated: number;
  recoveries: number;
  deadLetters: number;
}

export function freshStats(): ShardStats {
  return { turns: 0, commits: 0, envelopes: 0, rehydrated: 0, passivated: 0, recoveries: 0, deadLetters: 0 };
}
