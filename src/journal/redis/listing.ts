/**
 * Lists the actors of a shard in order of their address. The order is a sorted set that exists only while somebody
 * lists (listing.lua says why); the first page of a listing makes it from the index records, part by part, without
 * holding up the server. Commits keep it complete from the moment its making begins, so that no actor is missed.
 *
 * A page that is not ready within the deadline rejects; the making goes on, and a later call finds it further.
 */

import type { Address } from '../../actor/address.ts';
import { type Clock, sleep } from '../../clock.ts';
import { TroupeError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { ActorIndex, RangeOptions } from '../journal.ts';
import type { Reply } from './connection.ts';
import type { ShardKeys } from './keys.ts';
import { functionName } from './library.ts';
import { lexRange } from './ranges.ts';
import { actorOfField } from './records.ts';
import { indexOf } from './replies.ts';
import { commandOf } from './resp.ts';

/** Index records read per step of making the order. */
const scanCount = 1_000;
/** Between looks at an order that another node makes. */
const lookAgainMs = 20;

export interface ListingSettings {
  readonly send: (key: string, bytes: Buffer) => Promise<Reply>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly deadlineMs: number;
}

export class ActorListing {
  readonly #settings: ListingSettings;
  /** The orders this process is making, by shard. */
  readonly #making = new Map<number, Promise<void>>();

  constructor(settings: ListingSettings) {
    this.#settings = settings;
  }

  async page(shard: number, keys: ShardKeys, range: RangeOptions): Promise<readonly ActorIndex[]> {
    if (range.limit < 1) return [];
    const { clock, deadlineMs, send } = this.#settings;
    const end = clock.monotonic() + deadlineMs;
    const { command, from, to } = lexRange(range);
    for (;;) {
      const call = commandOf('FCALL', functionName('list_actors'), 2, keys.addresses, keys.actors, command);
      const page = (await send(keys.actors, call.bytes(from).bytes(to).number(range.limit).done())) as
        | readonly (Buffer | null)[]
        | null;
      if (page !== null) return indexesOf(shard, page);
      await this.#made(shard, keys, end - clock.monotonic());
    }
  }

  /** Resolves when the making of the order has ended; rejects after `ms`. */
  async #made(shard: number, keys: ShardKeys, ms: number): Promise<void> {
    const { clock, ids } = this.#settings;
    const making = this.#making.get(shard) ?? this.#make(keys, ids.nonce()).finally(() => this.#making.delete(shard));
    this.#making.set(shard, making);
    let cancel: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `The actors of shard ${shard} are being put in order; ask again.`;
      cancel = clock.after(ms, () => reject(new TroupeError('JOURNAL_UNAVAILABLE', message, { shard })));
    });
    try {
      await Promise.race([making, late]);
    } finally {
      cancel?.();
    }
  }

  /** Leaves it to another node that makes it already; the next look finds that one's order, or waits again. */
  async #make({ addresses, actors }: ShardKeys, nonce: string): Promise<void> {
    const { send, clock } = this.#settings;
    const started = await send(
      addresses,
      commandOf('FCALL', functionName('start_listing'), 1, addresses, nonce).done(),
    );
    if (started === 0) return sleep(clock, lookAgainMs);
    let cursor = '0';
    do {
      const reply = await send(actors, commandOf('HSCAN', actors, cursor, 'COUNT', scanCount).done());
      const [next, pairs] = reply as readonly [Buffer, readonly Buffer[]];
      cursor = String(next);
      const add = commandOf('FCALL', functionName('add_listing'), 1, addresses, nonce, cursor === '0' ? 1 : 0);
      for (let i = 0; i < pairs.length; i += 2) add.text(actorOfField(pairs[i] as Buffer));
      if ((await send(addresses, add.done())) !== 1) return;
    } while (cursor !== '0');
  }
}

function indexesOf(shard: number, page: readonly (Buffer | null)[]): readonly ActorIndex[] {
  const indexes: ActorIndex[] = [];
  for (let i = 0; i < page.length; i += 2) {
    indexes.push(indexOf(shard, String(page[i]) as Address, page[i + 1] ?? Buffer.alloc(0)));
  }
  return indexes;
}
