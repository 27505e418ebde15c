/** One Redis, or a Redis Cluster of primaries without replicas, of a measurement's own, and what they say they have used. */

import { Redis } from 'ioredis';
import { RedisCluster } from '../test/redis-cluster.ts';
import { RedisServer } from '../test/redis-server.ts';

export interface RedisUse {
  /** CPU time of all servers, in microseconds. */
  readonly micros: number;
  readonly calls: number;
  readonly messages: number;
}

export class RedisServers {
  /** For `JOURNAL`. */
  readonly url: string;
  readonly #clients: readonly Redis[];
  readonly #dispose: () => Promise<void>;

  private constructor(url: string, servers: readonly RedisServer[], dispose: () => Promise<void>) {
    this.url = url;
    this.#clients = servers.map((server) => new Redis(server.url));
    this.#dispose = dispose;
  }

  static async start(primaries: number): Promise<RedisServers> {
    if (primaries === 1) {
      const server = await RedisServer.start();
      return new RedisServers(server.url, [server], () => server.dispose());
    }
    // Long, so that a machine that is out of breath does not fail over.
    const cluster = await RedisCluster.start({ primaries, replicas: 0, nodeTimeoutMs: 15_000 });
    return new RedisServers(cluster.url, cluster.servers, () => cluster.dispose());
  }

  async use(): Promise<RedisUse> {
    const texts = await Promise.all(
      this.#clients.map(async (client) => `${await client.info('cpu')}\n${await client.info('commandstats')}`),
    );
    const sum = (pattern: RegExp): number =>
      texts.flatMap((text) => [...text.matchAll(pattern)]).reduce((total, match) => total + Number(match[1]), 0);
    return {
      micros: sum(/^used_cpu_(?:user|sys):([\d.]+)/gm) * 1e6,
      calls: sum(/^cmdstat_fcall(?:_ro)?:calls=(\d+)/gm),
      messages: sum(/^cmdstat_spublish:calls=(\d+)/gm),
    };
  }

  async remove(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.#dispose();
  }
}
