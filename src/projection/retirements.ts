/**
 * Which actors of a shard were retired, and at which version: their snapshots' stamps say so. Whoever folds a shard's
 * journal and writes or compares snapshots reduces the same actors at the same versions, so that a snapshot is the fold
 * of the journal for them as well.
 */

import { type Address, typeOf } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import type { Journal } from '../journal/journal.ts';

const pageActors = 256;

/** Reads the snapshots of the shard; none when no definition retires anything. Records that are damaged are left out. */
export async function retirementsOf(
  journal: Journal,
  shard: number,
  hosts: ReadonlyMap<string, HostedMachine>,
): Promise<ReadonlyMap<Address, number>> {
  const retirements = new Map<Address, number>();
  for (const [type, hosted] of hosts) {
    if (hosted.definition.retire === undefined) continue;
    for (let after = ''; ; ) {
      const range = { prefix: `${type}/`, limit: pageActors, ...(after === '' ? {} : { after }) };
      const page = (await journal.listActors(shard, range)).map(({ actor }) => actor);
      const records = await journal.readActors(shard, page);
      for (const [at, record] of records.entries()) {
        if (record === undefined || record instanceof Error || record.snapshot === undefined) continue;
        const retired = hosted.retiredAt(record.snapshot.payload);
        if (retired !== undefined) retirements.set(page[at]!, retired);
      }
      if (page.length < pageActors) break;
      after = page.at(-1)!;
    }
  }
  return retirements;
}

/** The type of an actor whose definition retires it. */
export function isRetiring(hosts: ReadonlyMap<string, HostedMachine>, actor: Address): boolean {
  return hosts.get(typeOf(actor))?.definition.retire !== undefined;
}
