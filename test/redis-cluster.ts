/** A Redis Cluster of three primaries with a replica each, on loopback: for tests of failovers and moving slots. */

import { askServer, isFollowing, until } from './redis-sentinel.ts';
import { RedisServer } from './redis-server.ts';

export interface RedisClusterOptions {
  /** Default 3. */
  readonly primaries?: number;
  /** Of each primary. Default 1. */
  readonly replicas?: number;
  /** Until a silent node is taken for dead. Default 1,000. */
  readonly nodeTimeoutMs?: number;
  /** Further settings of the servers. */
  readonly settings?: Readonly<Record<string, string | readonly string[]>>;
}

const slotCount = 16_384;

export class RedisCluster {
  readonly #servers: RedisServer[];
  /** Node ids, by server. */
  readonly #ids: Map<RedisServer, string>;
  readonly #settings: NonNullable<RedisClusterOptions['settings']>;

  private constructor(
    servers: readonly RedisServer[],
    ids: ReadonlyMap<RedisServer, string>,
    settings: NonNullable<RedisClusterOptions['settings']>,
  ) {
    this.#servers = [...servers];
    this.#ids = new Map(ids);
    this.#settings = settings;
  }

  /** Resolves when every node takes the cluster for whole and every replica follows. */
  static async start(options: RedisClusterOptions = {}): Promise<RedisCluster> {
    const { primaries = 3, replicas = 1, nodeTimeoutMs = 1_000, settings = {} } = options;
    const common = {
      'cluster-node-timeout': String(nodeTimeoutMs),
      'cluster-replica-validity-factor': '0',
      'cluster-allow-replica-migration': 'no',
      'repl-diskless-sync-delay': '0',
      'repl-ping-replica-period': '1',
      ...settings,
    };
    const count = primaries * (1 + replicas);
    const servers = await Promise.all(
      Array.from({ length: count }, () => RedisServer.start({ cluster: true, settings: common })),
    );
    const ids = new Map<RedisServer, string>();
    for (const [i, server] of servers.entries()) {
      ids.set(server, String(await askServer(server, 'CLUSTER', 'MYID')));
      await askServer(server, 'CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    }
    const cluster = new RedisCluster(servers, ids, common);
    const [first] = servers as [RedisServer];
    for (const server of servers.slice(1)) {
      await askServer(server, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port), String(await busPortOf(first)));
    }
    for (let i = 0; i < primaries; i++) {
      const [from, to] = [i, i + 1].map((part) => Math.floor((part * slotCount) / primaries)) as [number, number];
      await askServer(servers[i] as RedisServer, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1));
    }
    await Promise.all(servers.map((server) => until(() => cluster.#sees(server, `cluster_known_nodes:${count}`))));
    const following = servers.slice(primaries);
    for (const [i, replica] of following.entries()) {
      const primary = ids.get(servers[i % primaries] as RedisServer) as string;
      await until(() =>
        askServer(replica, 'CLUSTER', 'REPLICATE', primary).then(
          () => true,
          () => false,
        ),
      );
    }
    await Promise.all(servers.map((server) => until(() => cluster.#sees(server, 'cluster_state:ok'))));
    await Promise.all(following.map(isFollowing));
    // A failover needs primaries that know of the replica.
    await until(async () => {
      const nodes = await Promise.all(servers.map((server) => askServer(server, 'CLUSTER', 'NODES')));
      return nodes.every(
        (text) => String(text).match(/\bslave\b/g)?.length === following.length || following.length === 0,
      );
    });
    return cluster;
  }

  get url(): string {
    return `redis+cluster://${this.#servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** Primaries at first, then their replicas in the same order, again and again. */
  get servers(): readonly RedisServer[] {
    return this.#servers;
  }

  /** The node that has the slot, in the eyes of most nodes. */
  async primaryOf(slot: number): Promise<RedisServer> {
    const votes = new Map<RedisServer, number>();
    await Promise.all(
      this.#servers.map(async (server) => {
        const text = String(await withinASecond(askServer(server, 'CLUSTER', 'NODES')).catch(() => ''));
        const owner = this.#ownerIn(text, slot);
        if (owner !== undefined) votes.set(owner, (votes.get(owner) ?? 0) + 1);
      }),
    );
    const [best] = [...votes].sort((a, b) => b[1] - a[1]);
    if (best === undefined) throw new Error(`Nobody has slot ${slot}.`);
    return best[0];
  }

  /** A replica of the node that has the slot. */
  async replicaOf(slot: number): Promise<RedisServer> {
    const primary = this.#ids.get(await this.primaryOf(slot)) as string;
    for (const server of this.#servers) {
      const text = String(await withinASecond(askServer(server, 'CLUSTER', 'NODES')).catch(() => ''));
      if (new RegExp(`myself,slave ${primary}`).test(text)) return server;
    }
    throw new Error(`The primary of slot ${slot} has no replica.`);
  }

  /** kill -9 of the node that has the slot. Gives it. */
  async killPrimary(slot: number): Promise<RedisServer> {
    const primary = await this.primaryOf(slot);
    await primary.kill();
    return primary;
  }

  /** Puts a replica in the place of the node that has the slot, without losing a write. Gives the new one. */
  async failover(slot: number): Promise<RedisServer> {
    const [before, replica] = [await this.primaryOf(slot), await this.replicaOf(slot)];
    await isFollowing(replica);
    // A server gives an attempt up after five seconds, for example when votes were late.
    for (let attempt = 1; ; attempt++) {
      await askServer(replica, 'CLUSTER', 'FAILOVER');
      try {
        return await this.primaryAfter(slot, before, 6_000);
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  }

  /** Resolves with the node that has got the slot instead of `before`, once most nodes know. */
  async primaryAfter(slot: number, before: RedisServer, ms?: number): Promise<RedisServer> {
    await until(async () => (await this.primaryOf(slot).catch(() => before)) !== before, ms);
    return this.primaryOf(slot);
  }

  /** Begins to move a slot: from here on ASK and TRYAGAIN are said. */
  async beginMigration(slot: number, to: RedisServer): Promise<void> {
    const from = await this.primaryOf(slot);
    await askServer(to, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', this.#ids.get(from) as string);
    await askServer(from, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', this.#ids.get(to) as string);
  }

  /** Moves at most `max` keys of a slot; 0 when there are none left. */
  async moveKeys(slot: number, to: RedisServer, max = 1_000): Promise<number> {
    const from = await this.primaryOf(slot);
    const keys = (await askServer(from, 'CLUSTER', 'GETKEYSINSLOT', String(slot), String(max))) as readonly string[];
    if (keys.length > 0) {
      await askServer(from, 'MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
    }
    return keys.length;
  }

  async endMigration(slot: number, to: RedisServer): Promise<void> {
    const from = await this.primaryOf(slot);
    for (const server of [to, from]) {
      await askServer(server, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', this.#ids.get(to) as string);
    }
    await this.primaryAfter(slot, from);
  }

  /** Moves a slot with its keys to another primary. Gives that one. */
  async migrateSlot(slot: number, to?: RedisServer): Promise<RedisServer> {
    const target = to ?? (await this.otherPrimary(slot));
    await this.beginMigration(slot, target);
    while ((await this.moveKeys(slot, target)) > 0);
    await this.endMigration(slot, target);
    return target;
  }

  /** A primary without slots joins, with a replica. */
  async addPrimary(): Promise<RedisServer> {
    const start = (): Promise<RedisServer> => RedisServer.start({ cluster: true, settings: this.#settings });
    const [primary, replica] = await Promise.all([start(), start()]);
    const first = this.#servers[0] as RedisServer;
    const bus = String(await busPortOf(first));
    for (const server of [primary, replica]) {
      this.#ids.set(server, String(await askServer(server, 'CLUSTER', 'MYID')));
      this.#servers.push(server);
      await askServer(server, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port), bus);
    }
    const known = `cluster_known_nodes:${this.#servers.length}`;
    await Promise.all(this.#servers.map((server) => until(() => this.#sees(server, known))));
    await askServer(replica, 'CLUSTER', 'REPLICATE', this.#ids.get(primary) as string);
    await isFollowing(replica);
    // Until then they refuse whatever comes.
    for (const server of [primary, replica]) await until(() => this.#sees(server, 'cluster_state:ok'));
    return primary;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.dispose()));
  }

  /** A primary that does not have the slot. */
  async otherPrimary(slot: number): Promise<RedisServer> {
    const from = await this.primaryOf(slot);
    const half = slotCount / 2;
    for (const other of [slot + half, slot + half / 2, slot + half / 4].map((far) => far % slotCount)) {
      const primary = await this.primaryOf(other);
      if (primary !== from) return primary;
    }
    throw new Error('There is one primary only.');
  }

  #ownerIn(nodes: string, slot: number): RedisServer | undefined {
    for (const line of nodes.split('\n')) {
      const [id, , , , , , , , ...ranges] = line.split(' ');
      const has = ranges.some((range) => {
        const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
        return from !== undefined && slot >= Number(from) && slot <= Number(to ?? from);
      });
      if (has) return this.#servers.find((server) => this.#ids.get(server) === id);
    }
    return undefined;
  }

  async #sees(server: RedisServer, fact: string): Promise<boolean> {
    return String(await askServer(server, 'CLUSTER', 'INFO')).includes(fact);
  }
}

async function busPortOf(server: RedisServer): Promise<number> {
  const [, port] = (await askServer(server, 'CONFIG', 'GET', 'cluster-port')) as readonly string[];
  return Number(port);
}

function withinASecond<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('It hangs.')), 1_000);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
