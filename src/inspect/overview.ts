/**
 * One look at the whole: who is there, where the shards are and stand, and what could not be delivered. It is put together
 * from what the store says of all nodes and what this process knows of its own shards; looking asks no other node.
 */

import type { Address } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { ClusterStore, ShardStatus } from '../cluster/cluster-store.ts';
import { decode } from '../journal/codec.ts';
import type { DeadLetterRecord } from '../journal/journal.ts';
import type { Inspected } from '../witness.ts';
import type { DeadLetterRow, NodeRow, Overview, ShardRow } from './answers.ts';
import { redactionOf } from './personal.ts';

/** Statuses asked for at once. */
const pageSize = 512;

export async function overviewOf(system: Inspected, deadLettersMax: number): Promise<Overview> {
  const { cluster } = system.journal;
  const [nodes, shards, deadLetters] = await Promise.all([
    nodesOf(system, cluster),
    cluster === undefined ? ownShards(system) : allShards(system, cluster),
    deadLettersOf(system, deadLettersMax),
  ]);
  return { nodes, shards, deadLetters };
}

async function nodesOf({ node }: Inspected, cluster: ClusterStore | undefined): Promise<readonly NodeRow[]> {
  if (cluster === undefined) return [{ id: node, role: 'all', isDraining: false, expiresInMs: null, about: '' }];
  const { nodes } = await cluster.view();
  return nodes.map(({ id, role, isDraining, expiresInMs, about }) => ({ id, role, isDraining, expiresInMs, about }));
}

function ownShards({ node, standings }: Inspected): readonly ShardRow[] {
  return standings().map(({ shard, owned, epoch, commits, seq, inboxLag, mailbox, cells }) => ({
    shard,
    owner: owned ? node : null,
    epoch,
    commits,
    seq,
    inboxLag,
    isHere: owned,
    mailbox,
    resident: cells,
  }));
}

async function allShards({ journal, standings }: Inspected, cluster: ClusterStore): Promise<readonly ShardRow[]> {
  const statuses: ShardStatus[] = [];
  for (let first = 0; first < journal.shards; first += pageSize) {
    const length = Math.min(pageSize, journal.shards - first);
    statuses.push(...(await cluster.statuses(Array.from({ length }, (_, i) => first + i))));
  }
  const own = standings();
  return statuses.map(({ shard, node, expiresInMs, epoch, commits, seq, inboxLast, inboxDone }) => {
    const here = own[shard]?.owned === true ? own[shard] : undefined;
    return {
      shard,
      owner: expiresInMs > 0 && node !== '' ? node : null,
      epoch,
      commits,
      seq,
      inboxLag: Math.max(0, inboxLast - inboxDone),
      isHere: here !== undefined,
      ...(here === undefined ? {} : { mailbox: here.mailbox, resident: here.cells }),
    };
  });
}

async function deadLettersOf(system: Inspected, max: number): Promise<Overview['deadLetters']> {
  const { journal } = system;
  const shards = Array.from({ length: journal.shards }, (_, shard) => shard);
  const letters = await Promise.all(shards.map((shard) => journal.readDeadLetters(shard, max)));
  const all = letters.flatMap((records, shard) => records.map((record) => letterOf(system, shard, record)));
  return {
    total: all.length,
    isMore: letters.some(({ length }) => length >= max),
    recent: all.sort((a, b) => b.at - a.at).slice(0, max),
  };
}

function letterOf({ hosted }: Inspected, shard: number, record: DeadLetterRecord): DeadLetterRow {
  const { code, reason, at } = record;
  const { to, event } = decode<Envelope>(record.payload);
  const definition = hosted.get(typeIn(to))?.definition;
  // Of an actor that nobody knows any more, what is personal is not known either.
  const shown = definition === undefined ? { type: event.type } : redactionOf(definition)(event);
  return { shard, address: to, event: shown, code, reason, at };
}

/** The type of what may be no address: the letter of a publication is addressed to its topic. */
function typeIn(to: Address): string {
  return to.split('/', 1)[0] ?? '';
}
