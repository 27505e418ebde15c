/**
 * What belongs to a store and not to one of its shards: its layout, its number of shards, its id. Whoever comes first
 * writes them; everybody else finds them, and is refused when they differ from what was asked for.
 */

import { TroupeError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import { defaultShards } from '../bounds.ts';
import { assertShards, shardsDiffer } from '../checks.ts';
import type { Reply } from './connection.ts';
import { metaKey } from './keys.ts';
import { layoutVersion } from './library.ts';
import { commandOf } from './resp.ts';
import type { Wire } from './wire.ts';

/** Number of shards and id of the store, which is made if there is none. */
export async function openStore(
  wire: Wire,
  prefix: string,
  asked: number | undefined,
  ids: Ids,
): Promise<{ readonly shards: number; readonly id: string }> {
  const key = metaKey(prefix);
  const ask = (...args: readonly string[]): Promise<Reply> => wire.send(key, commandOf(...args).done());
  await ask('HSETNX', key, 'layout', String(layoutVersion));
  await ask('HSETNX', key, 'shards', String(asked ?? defaultShards));
  await ask('HSETNX', key, 'id', ids.nonce());
  const [layout, stored, id] = ((await ask('HMGET', key, 'layout', 'shards', 'id')) as readonly Buffer[]).map(String);
  if (layout !== String(layoutVersion)) {
    throw new TroupeError(
      'JOURNAL_INCOMPATIBLE',
      `The store "${prefix}" has the layout ${layout}; this version of Troupe reads and writes layout ${layoutVersion}.`,
      { stored: layout, expected: layoutVersion },
    );
  }
  const shards = Number(stored);
  assertShards(shards);
  if (asked !== undefined && asked !== shards) throw shardsDiffer(shards, asked);
  return { shards, id: id as string };
}
