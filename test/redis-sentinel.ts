/** A primary with replicas, watched by three Sentinels, on loopback: for tests of failovers. */

import { Redis } from 'ioredis';
import { RedisServer } from './redis-server.ts';

export interface RedisSentinelOptions {
  /** Default 1. */
  readonly replicas?: number;
  /** Until a silent primary is taken for dead. Default 500. */
  readonly downAfterMs?: number;
  /** Further settings of the servers. */
  readonly settings?: Readonly<Record<string, string | readonly string[]>>;
}

const name = 'troupe';
const waitMs = 30_000;

export class RedisSentinel {
  readonly #servers: readonly RedisServer[];
  readonly #sentinels: readonly RedisServer[];

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.#servers = servers;
    this.#sentinels = sentinels;
  }

  /** Resolves when the replicas follow and the Sentinels know of each other and of them. */
  static async start(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
    const { replicas = 1, downAfterMs = 500, settings = {} } = options;
    const common = { 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '1', ...settings };
    const primary = await RedisServer.start({ settings: common });
    const replicaof = ['127.0.0.1', String(primary.port)];
    const following = await Promise.all(
      Array.from({ length: replicas }, () => RedisServer.start({ settings: { ...common, replicaof } })),
    );
    const sentinel = [
      `sentinel monitor ${name} 127.0.0.1 ${primary.port} 2`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} 4000`,
      `sentinel parallel-syncs ${name} 5`,
    ];
    const sentinels = await Promise.all([1, 2, 3].map(() => RedisServer.start({ sentinel })));
    const group = new RedisSentinel([primary, ...following], sentinels);
    await Promise.all(
      sentinels.map((one) =>
        until(async () => {
          const said = await askServer(one, 'SENTINEL', 'MASTER', name);
          const facts = new Map(chunks(said as readonly string[]));
          return facts.get('num-slaves') === String(replicas) && facts.get('num-other-sentinels') === '2';
        }),
      ),
    );
    await Promise.all(following.map(isFollowing));
    return group;
  }

  get url(): string {
    return `redis+sentinel://${this.#sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${name}`;
  }

  get servers(): readonly RedisServer[] {
    return this.#servers;
  }

  get sentinels(): readonly RedisServer[] {
    return this.#sentinels;
  }

  /** The server that the Sentinels take for the primary: the first one that answers. */
  async primary(): Promise<RedisServer> {
    for (const sentinel of this.#sentinels) {
      const found = await this.#primaryOf(sentinel);
      if (found !== undefined) return found;
    }
    throw new Error('No Sentinel knows the primary.');
  }

  async #primaryOf(sentinel: RedisServer): Promise<RedisServer | undefined> {
    const said = await askServer(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name).catch(() => undefined);
    return this.#servers.find(({ port }) => String(port) === (said as readonly string[] | undefined)?.[1]);
  }

  /** The others. */
  async replicas(): Promise<readonly RedisServer[]> {
    const primary = await this.primary();
    return this.#servers.filter((server) => server !== primary);
  }

  /** Has the Sentinels put a replica in the place of the primary, which stays alive. Gives the new one. */
  async failover(): Promise<RedisServer> {
    const before = await this.primary();
    await until(() =>
      askServer(this.#sentinels[0] as RedisServer, 'SENTINEL', 'FAILOVER', name).then(
        () => true,
        // Just after an earlier one there is no good replica yet.
        (error: Error) => {
          if (error.message.startsWith('NOGOODSLAVE') || error.message.startsWith('INPROG')) return false;
          throw error;
        },
      ),
    );
    return this.primaryAfter(before);
  }

  /** kill -9 of the primary. Gives it; `restart` brings it back as a replica. */
  async killPrimary(): Promise<RedisServer> {
    const primary = await this.primary();
    await primary.kill();
    return primary;
  }

  /**
   * Resolves with the new primary when the Sentinels have put one in the place of `before`, and it takes writes. All of them
   * know it by then: a client leaves its primary whenever one tells of a failover, however late.
   */
  async primaryAfter(before: RedisServer): Promise<RedisServer> {
    await until(async () => {
      const said = await Promise.all(this.#sentinels.map((sentinel) => this.#primaryOf(sentinel)));
      const [next, ...others] = new Set(said.filter((server) => server !== undefined));
      if (next === undefined || next === before || others.length > 0) return false;
      return ((await askServer(next, 'ROLE').catch(() => [])) as readonly unknown[])[0] === 'master';
    });
    return this.primary();
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#sentinels, ...this.#servers].map((server) => server.dispose()));
  }
}

/** One command on one server, with texts as replies. */
export async function askServer(server: RedisServer, command: string, ...args: readonly string[]): Promise<unknown> {
  const client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  client.on('error', () => {});
  try {
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

/** Resolves when a replica has caught up with its primary. */
export function isFollowing(replica: RedisServer): Promise<void> {
  return until(async () => {
    const info = String(await askServer(replica, 'INFO', 'replication').catch(() => ''));
    return info.includes('role:slave') && info.includes('master_link_status:up');
  });
}

/** Looks again until it holds; the machine may be slow. */
export async function until(holds: () => Promise<boolean>, ms = waitMs): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`It did not happen within ${ms} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function chunks(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string]] : []));
}
