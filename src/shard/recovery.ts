/**
 * What becomes of the turns that were under way when a commit did not simply succeed. The head that the shard was taken
 * with decides: done ones are let out, the others run again; where somebody else has written since, nobody can tell any
 * more, and commands are answered so. It only judges; taking.ts takes the shard, and shard.ts does what follows.
 */

import { type ErrorCode, TroupeError } from '../errors.ts';
import type { Head, Journal } from '../journal/journal.ts';
import type { Barrier, Command, Delivery, Read } from './delivery.ts';
import type { Flight } from './pipeline.ts';
import type { Turn } from './turn.ts';

export interface Fates {
  /** Their commits are in the journal. */
  readonly done: readonly { readonly turn: Turn; readonly offsets: readonly number[] }[];
  /** Their commits are not, and never will be. */
  readonly discarded: readonly Turn[];
  /** Taken by turns of which nobody can tell any more. */
  readonly lost: readonly Delivery[];
}

/** Judges the flights of a shard by the head that its new epoch was acquired with. */
export async function fatesOf(journal: Journal, shard: number, head: Head, flights: readonly Flight[]): Promise<Fates> {
  const committed = flights.filter((flight) => flight.commit !== undefined);
  const last = committed.findIndex(({ commit }) => commit!.number === head.commits && commit!.id === head.commitId);
  const first = committed[0]?.commit?.number;
  const isForeign = last < 0 && first !== undefined && head.commits >= first;
  if (isForeign) return { done: [], discarded: [], lost: flights.flatMap(({ turn }) => turn.taken) };
  const border = last < 0 ? 0 : flights.indexOf(committed[last]!) + 1;
  const done = flights.slice(0, border).map(({ turn }) => turn);
  const offsets = await offsetsOf(journal, shard, done);
  return {
    done: done.map((turn, index) => ({ turn, offsets: offsets[index]! })),
    discarded: flights.slice(border).map(({ turn }) => turn),
    lost: [],
  };
}

/** The offsets of the publications of these turns: the last ones of their topics, since nobody else has written. */
async function offsetsOf(journal: Journal, shard: number, turns: readonly Turn[]): Promise<number[][]> {
  const next = new Map<string, number>();
  for (const { topic } of turns.flatMap(({ publications }) => publications)) {
    if (!next.has(topic)) next.set(topic, (await journal.readTopic(shard, topic, Number.MAX_SAFE_INTEGER, 1)).head);
  }
  const reversed = [...turns].reverse().map(({ publications }) =>
    [...publications]
      .reverse()
      .map(({ topic }) => {
        const offset = next.get(topic)!;
        next.set(topic, offset - 1);
        return offset;
      })
      .reverse(),
  );
  return reversed.reverse();
}

/**
 * What of `deliveries` runs again. Parcels, timers and what came through the inbox do not: their senders, the journal and
 * the inbox have them. Commands and reads that were tried `attemptsMax` times already are answered with `code`.
 */
export function requeue(deliveries: readonly Delivery[], attemptsMax: number, code: ErrorCode): Delivery[] {
  const again: Delivery[] = [];
  for (const delivery of deliveries) {
    if (!isOutside(delivery) || delivery.inbox !== undefined) continue;
    delivery.attempts++;
    if (delivery.attempts <= attemptsMax) again.push(delivery);
    else delivery.waiting.reject(refusal(code, delivery.kind));
  }
  return again;
}

/** Whether it comes from outside the shards: somebody waits for its answer. */
export function isOutside(delivery: Delivery): delivery is Command | Read | Barrier {
  return delivery.kind === 'command' || delivery.kind === 'read' || delivery.kind === 'barrier';
}

export function isFromInbox(delivery: Delivery): boolean {
  return isOutside(delivery) && delivery.inbox !== undefined;
}

function refusal(code: ErrorCode, kind: Command['kind'] | 'read' | 'barrier'): TroupeError {
  if (code === 'SHARD_LOST') return new TroupeError(code, 'The shard is owned by another node.');
  if (code === 'STOPPED') return new TroupeError(code, 'This node is stopping; try another one, or again later.');
  const fate =
    kind === 'command' ? ' Whether the command was carried out is not known; look before you repeat it.' : '';
  return new TroupeError(code, `The journal cannot be reached.${fate}`);
}
