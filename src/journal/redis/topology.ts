/**
 * Which node of a cluster has which slot. The map comes from whichever known node answers first, is corrected at once by
 * what a MOVED says, and is read again as long as somebody says that it seems wrong. It guarantees that at most one
 * reading is under way, that readings begin at least `pauseMs` apart, and that a node that hangs holds up one for
 * `patienceMs` only.
 *
 * It deliberately uses connections of its own, one per question: those of the calls may be what hangs.
 */

import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { RedisConnection, type Reply } from './connection.ts';
import type { ClusterAccess } from './endpoint.ts';
import { commandOf } from './resp.ts';
import { hostPortOf, nodeName, type SlotRange, slotCount, slotRangesOf } from './slots.ts';

export interface TopologyOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  /** The map differs from what it was. */
  readonly onChange: () => void;
  /** A reading has ended; true: read again. */
  readonly isDoubtful: () => boolean;
}

const patienceMs = 1_000;
const pauseMs = 50;
const pauseMsMax = 500;
/** Nodes asked in one reading before it begins anew. */
const askedMax = 8;

export class Topology {
  readonly #options: TopologyOptions;
  readonly #owners: (string | undefined)[] = new Array(slotCount);
  /** Nodes that a map has named, and the seeds: whoever can be asked. */
  #nodes: readonly string[];
  #turn = 0;
  #reading = false;
  #again = false;
  #trouble = 'no node has answered yet';
  #closed = false;

  constructor(options: TopologyOptions) {
    this.#options = options;
    this.#nodes = options.access.seeds.map(nodeName);
  }

  /** Why there is no better map. */
  get trouble(): string {
    return this.#trouble;
  }

  ownerOf(slot: number): string | undefined {
    return this.#owners[slot];
  }

  primaries(): readonly string[] {
    return [...new Set(this.#owners)].filter((node) => node !== undefined);
  }

  /** What a node has said of one slot. */
  moved(slot: number, node: string): void {
    if (this.#owners[slot] === node) return;
    this.#owners[slot] = node;
    this.#options.onChange();
  }

  /** Reads the map, at once or as soon as the reading under way has ended. */
  refresh(): void {
    this.#again = true;
    if (!this.#reading) void this.#readWhileDoubtful();
  }

  close(): void {
    this.#closed = true;
  }

  async #readWhileDoubtful(): Promise<void> {
    this.#reading = true;
    let pause = pauseMs;
    while (!this.#closed && (this.#again || this.#options.isDoubtful())) {
      if (this.#again) pause = pauseMs;
      this.#again = false;
      await this.#read();
      await pauseFor(this.#options.clock, pause);
      pause = Math.min(2 * pause, pauseMsMax);
    }
    this.#reading = false;
  }

  /** Asks another node first each time, so that one with an old map, or none, is not all there is to hear. */
  async #read(): Promise<void> {
    const seeds = this.#options.access.seeds.map(nodeName);
    const nodes = [...new Set([...this.#nodes, ...seeds])];
    const start = this.#turn++ % nodes.length;
    for (const node of [...nodes.slice(start), ...nodes.slice(0, start)].slice(0, askedMax)) {
      if (this.#closed) return;
      const ranges = await this.#ask(node);
      if (ranges === undefined || ranges.length === 0) continue;
      this.#take(ranges);
      return;
    }
  }

  async #ask(node: string): Promise<readonly SlotRange[] | undefined> {
    const { access, clock } = this.#options;
    const asked = hostPortOf(node);
    const endpoint = { options: { ...access.credentials, ...asked } };
    const connection = new RedisConnection({ endpoint, deadlineMs: patienceMs, clock });
    try {
      const reply: Reply = await connection.send(commandOf('CLUSTER', 'SLOTS').done());
      return slotRangesOf(reply, asked);
    } catch (error) {
      this.#trouble = `${node}: ${messageOf(error)}`;
      return undefined;
    } finally {
      await connection.close();
    }
  }

  #take(ranges: readonly SlotRange[]): void {
    const owners: (string | undefined)[] = new Array(slotCount);
    for (const { from, to, primary } of ranges) owners.fill(primary, from, to + 1);
    this.#nodes = [...new Set(ranges.flatMap(({ primary, replicas }) => [primary, ...replicas]))];
    let isChanged = false;
    for (let slot = 0; slot < slotCount; slot++) {
      if (this.#owners[slot] === owners[slot]) continue;
      this.#owners[slot] = owners[slot];
      isChanged = true;
    }
    if (isChanged) this.#options.onChange();
  }
}

/** A wait that does not keep the process alive. */
function pauseFor(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
