/**
 * Lists the actors of a shard in order of their address. The order is a sorted set that exists only while somebody
 * lists (listing.lua says why); the first page of a listing makes it from the index records, page by page, without
 * holding up the server. Commits keep it complete from the moment its making begins, so that no actor is missed.
 */

import type { Address } from '../../actor/address.ts';
import { TroupeError } from '../../errors.ts';
import type { ActorIndex, RangeOptions } from '../journal.ts';
import type { Reply } from './connection.ts';
import type { ShardKeys } from './keys.ts';
import { functionName } from './library.ts';
import { lexRange } from './ranges.ts';
import { indexOf } from './replies.ts';
import { commandOf } from './resp.ts';

type Send = (bytes: Buffer) => Promise<Reply>;

/** Index records read per step of making the order. */
const scanCount = 500;
/** Somebody else may begin to make the order at the same time, and wins. */
const attemptsMax = 10;

export async function listActors(
  shard: number,
  keys: ShardKeys,
  range: RangeOptions,
  nonce: string,
  send: Send,
): Promise<readonly ActorIndex[]> {
  if (range.limit < 1) return [];
  const { command, from, to } = lexRange(range);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const call = commandOf('FCALL', functionName('list_actors'), 2, keys.addresses, keys.actors, command);
    const page = (await send(call.bytes(from).bytes(to).number(range.limit).done())) as readonly Buffer[] | null;
    if (page !== null) return indexesOf(shard, page);
    await makeOrder(keys, `${nonce}-${attempt}`, send);
  }
  throw new TroupeError('JOURNAL_UNAVAILABLE', `The actors of shard ${shard} are being listed by too many at once.`, {
    shard,
  });
}

/** Gives up silently when somebody else has begun after it: the next look finds that one's work, or begins again. */
async function makeOrder({ addresses, actors }: ShardKeys, nonce: string, send: Send): Promise<void> {
  await send(commandOf('FCALL', functionName('start_listing'), 1, addresses, nonce).done());
  let cursor = '0';
  do {
    const reply = await send(commandOf('HSCAN', actors, cursor, 'COUNT', scanCount).done());
    const [next, pairs] = reply as readonly [Buffer, readonly Buffer[]];
    cursor = String(next);
    const add = commandOf('FCALL', functionName('add_listing'), 1, addresses, nonce, cursor === '0' ? 1 : 0);
    for (let i = 0; i < pairs.length; i += 2) add.bytes(pairs[i] as Buffer);
    if ((await send(add.done())) !== 1) return;
  } while (cursor !== '0');
}

function indexesOf(shard: number, page: readonly Buffer[]): readonly ActorIndex[] {
  const indexes: ActorIndex[] = [];
  for (let i = 0; i < page.length; i += 2) {
    indexes.push(indexOf(shard, String(page[i]) as Address, page[i + 1] as Buffer));
  }
  return indexes;
}
