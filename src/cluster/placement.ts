/**
 * Which node each shard belongs on: weighted rendezvous hashing over the nodes that own shards. A pure function of what
 * a node knows of the others, so that nodes with the same view agree without talking, whatever order the list is in.
 *
 * It guarantees that a node that comes, goes or is told to drain moves only shards to it or from it, about its share of
 * them; that each node's share follows its weight; and that a pin wins while its node is there to honour it.
 *
 * It deliberately does not make anything so: two views may differ for a moment, and only a lease decides who writes.
 */

import type { ClusterView, LiveNode } from './cluster-store.ts';

/** Whether the node's role is to own shards. */
export function ownsShards(node: Pick<LiveNode, 'role'>): boolean {
  return node.role !== 'gateway';
}

/** Whether shards may be moved to the node by hand; those it gets by itself need a weight, too. */
function isReceiving(node: LiveNode): boolean {
  return ownsShards(node) && !node.isDraining;
}

const fnvBasis = 0x811c9dc5;
const fnvPrime = 0x01000193;

/** FNV-1a, 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv). */
function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), fnvPrime);
  return hash >>> 0;
}

/** The finalizer of MurmurHash3 (Appleby): every bit of the input reaches every bit of the output. */
function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * 53 bits of the node and the shard, as a number above 0 and below 1. Two halves of different beginnings; each is mixed
 * once with the node and again with the shard, since FNV alone leaves ids that differ in their last character close.
 */
function unit(node: string, shard: number): number {
  const high = mixed(mixed(fnv1a(node, fnvBasis)) ^ Math.imul(shard + 1, 0x9e3779b1));
  const low = mixed(mixed(fnv1a(node, mixed(fnvBasis))) ^ Math.imul(shard + 1, 0x85ebca77));
  return ((high & 0x1fffff) * 2 ** 32 + low + 0.5) / 2 ** 53;
}

/**
 * The id of the node that the shard belongs on; undefined when no node may own it (none is there, or all of those that
 * own shards are draining or have no weight).
 *
 * The score of a node is `-weight / ln(u)`, `u` being uniform in (0, 1) by hashing its id and the shard; the highest
 * wins. So the chance of each is its weight over the sum (Schindelhauer and Schomaker, "Weighted Distributed Hash
 * Tables", SPAA 2005; without weights: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998).
 */
export function placementOf(shard: number, view: ClusterView): string | undefined {
  const pin = view.pins.get(shard);
  if (pin !== undefined && view.nodes.some((node) => node.id === pin && isReceiving(node))) return pin;
  let best: string | undefined;
  let bestScore = 0;
  for (const node of view.nodes) {
    if (!isReceiving(node) || node.weight <= 0) continue;
    const score = -node.weight / Math.log(unit(node.id, shard));
    // Equal scores are a matter of chance, but then the id decides, not the order of the list.
    if (best === undefined || score > bestScore || (score === bestScore && node.id < best)) {
      best = node.id;
      bestScore = score;
    }
  }
  return best;
}
