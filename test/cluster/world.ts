/** A store for the running test, the journals that are its nodes, and an ear that remembers what it heard. */

import { onTestFinished } from 'vitest';
import type { Channel, ChannelListener, ClusterStore, InboxRecord, NodeInfo } from '../../src/cluster/cluster-store.ts';
import { broughtBy } from '../../src/cluster/ring.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { eventually } from '../journal/adapter.ts';
import { text } from '../journal/writer.ts';

/** One store, empty at first, with 4 shards. */
export interface ClusterWorld {
  /** Opens one more journal on it. */
  open(): Promise<Journal>;
  /** Breaks all subscriptions that are there; they come about again by themselves. */
  interrupt(): Promise<void>;
  /** Removes everything. Called after all journals were closed. */
  dispose(): Promise<void>;
}

export type WorldFactory = () => Promise<ClusterWorld>;

/** A journal that has a cluster. */
export interface Node extends Journal {
  readonly cluster: ClusterStore;
}

export interface FreshWorld {
  open(): Promise<Node>;
  interrupt(): Promise<void>;
}

/** A world for the running test: its journals are closed and it is disposed of afterwards. */
export async function freshWorld(createWorld: WorldFactory): Promise<FreshWorld> {
  const world = await createWorld();
  const journals: Journal[] = [];
  onTestFinished(async () => {
    for (const journal of journals) await journal.close();
    await world.dispose();
  });
  return {
    open: async () => {
      const journal = await world.open();
      journals.push(journal);
      if (journal.cluster === undefined) throw new Error('The journal has no cluster.');
      return journal as Node;
    },
    interrupt: () => world.interrupt(),
  };
}

/** The first node of a new world. */
export async function freshNode(createWorld: WorldFactory): Promise<Node> {
  return (await freshWorld(createWorld)).open();
}

export function nodeInfo(id: string, parts: Partial<NodeInfo> = {}): NodeInfo {
  return {
    id,
    nonce: `nonce of ${id}`,
    role: 'all',
    weight: 1,
    isDraining: false,
    startedAt: 1_700_000_000_000,
    about: '',
    heads: {},
    ...parts,
  };
}

/** Number and text of envelopes. */
export function plainInbox(records: readonly InboxRecord[]): readonly string[] {
  return records.map(({ n, payload }) => `${n} ${text(payload)}`);
}

/** What came along with a ring, as text. */
function plainBrought({ n, payload, isAbsent }: InboxRecord): string {
  return `${n} ${text(payload)}${isAbsent === true ? ' absent' : ''}`;
}

export class Ear implements ChannelListener {
  /** Messages as text, in order. */
  readonly heard: string[] = [];
  readonly sizes: number[] = [];
  actives = 0;

  message(payload: Uint8Array): void {
    const brought = broughtBy(payload);
    this.heard.push(brought === undefined ? (text(payload) as string) : plainBrought(brought));
    this.sizes.push(payload.length);
  }

  active(): void {
    this.actives += 1;
  }

  /** Until it has heard `message`, and with it everything before. */
  async hears(message: string): Promise<readonly string[]> {
    return eventually(async () => (this.heard.includes(message) ? this.heard : undefined));
  }

  async isActive(times = 1): Promise<void> {
    await eventually(async () => (this.actives >= times ? true : undefined));
  }
}

/** Listens, and is active. */
export async function listening(store: ClusterStore, channel: Channel): Promise<Ear & { stop(): void }> {
  const ear = new Ear();
  const stop = store.listen(channel, ear);
  await ear.isActive();
  return Object.assign(ear, { stop });
}
