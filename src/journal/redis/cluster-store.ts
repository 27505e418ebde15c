/**
 * The Redis adapter of the cluster port: membership in one hash, an inbox per shard as a stream beside the shard's keys,
 * messages by sharded pub/sub. What must be one step is a function (cluster.lua); time is the server's. Order per sender
 * rests on the wire's order per hash tag.
 *
 * It deliberately gives envelopes no checksum: they are on their way, and what cannot be decoded is the reader's to
 * refuse. Messages are sent without waiting for anything; while Redis does not answer, only so many wait.
 */

import type { Address } from '../../actor/address.ts';
import type {
  Channel,
  ChannelListener,
  ClusterStore,
  ClusterView,
  InboxRecord,
  LiveNode,
  NodeInfo,
  ShardStatus,
} from '../../cluster/cluster-store.ts';
import { messageOf, TroupeError } from '../../errors.ts';
import { assertEnvelope, assertShard } from '../checks.ts';
import { NotSent, type Reply } from './connection.ts';
import { channelName, clusterKey, type ShardKeys } from './keys.ts';
import { type FunctionName, functionName } from './library.ts';
import { actorField } from './records.ts';
import { commandOf } from './resp.ts';
import type { Wire } from './wire.ts';

export interface RedisClusterOptions {
  readonly wire: Wire;
  readonly prefix: string;
  readonly keys: readonly ShardKeys[];
  readonly recordBytesMax: number;
  readonly warn: (message: string, params: Readonly<Record<string, unknown>>) => void;
}

/** Messages, and their bytes, that may be on their way to Redis; what comes on top is lost. */
const publishingMax = 10_000;
const publishingBytesMax = 64 * 1024 * 1024;

export class RedisClusterStore implements ClusterStore {
  readonly #options: RedisClusterOptions;
  readonly #stops = new Set<() => void>();
  #publishing = 0;
  #publishingBytes = 0;
  /** Since the last message that Redis took. */
  #lost = 0;
  #open = true;

  constructor(options: RedisClusterOptions) {
    this.#options = options;
  }

  async beat(node: NodeInfo, ttlMs: number): Promise<ClusterView | false> {
    const reply = await this.#call('beat', [this.#key], [node.id, node.nonce, JSON.stringify(node), ttlMs]);
    return reply === null ? false : viewOf(reply);
  }

  async view(): Promise<ClusterView> {
    return viewOf(await this.#call('read_cluster', [this.#key], [], 'FCALL_RO'));
  }

  async leave(id: string, nonce: string): Promise<void> {
    await this.#call('leave', [this.#key], [id, nonce]);
  }

  async drain(id: string, isDraining: boolean): Promise<boolean> {
    return (await this.#call('drain', [this.#key], [id, isDraining ? '1' : '0'])) === 1;
  }

  async pin(shard: number, node: string | undefined): Promise<void> {
    this.#keysOf(shard);
    const field = `pin:${shard}`;
    const command =
      node === undefined ? commandOf('HDEL', this.#key, field) : commandOf('HSET', this.#key, field, node);
    await this.#send(this.#key, command.done());
  }

  async statuses(shards: readonly number[]): Promise<readonly ShardStatus[]> {
    const read = async (shard: number): Promise<ShardStatus> => {
      const keys = this.#keysOf(shard);
      return statusOf(shard, await this.#call('read_status', [keys.shard, keys.marks], [], 'FCALL_RO'));
    };
    return Promise.all(shards.map(read));
  }

  async send(shard: number, payload: Uint8Array, max: number, actor?: Address): Promise<'sent' | 'full'> {
    const { inbox, marks, actors } = this.#keysOf(shard);
    const { prefix, recordBytesMax } = this.#options;
    assertEnvelope(shard, payload, recordBytesMax);
    const channel = channelName(prefix, { kind: 'shard', shard });
    const told = actor === undefined ? [] : [actorField(actor)];
    const number = await this.#call('send', [inbox, marks, actors], [payload, max, channel, ...told]);
    return number === 0 ? 'full' : 'sent';
  }

  async readInbox(shard: number, after: number, limit: number): Promise<readonly InboxRecord[]> {
    const { inbox, marks, actors } = this.#keysOf(shard);
    if (limit < 1) return [];
    const records = await this.#call('read_inbox', [inbox, marks, actors], [Math.max(0, after), limit]);
    return (records as readonly Reply[]).map(recordOf);
  }

  publish(channel: Channel, payload: Uint8Array, lost?: () => void): void {
    if (!this.#open) return;
    const { wire, prefix } = this.#options;
    if (this.#publishing >= publishingMax || this.#publishingBytes + payload.length > publishingBytesMax) {
      this.#lose('too many messages wait for it');
      return lost?.();
    }
    const name = channelName(prefix, channel);
    this.#publishing += 1;
    this.#publishingBytes += payload.length;
    wire.publish(name, payload, (error) => {
      this.#publishing -= 1;
      this.#publishingBytes -= payload.length;
      if (error === undefined) {
        this.#lost = 0;
        return;
      }
      this.#lose(messageOf(error));
      lost?.();
    });
  }

  listen(channel: Channel, listener: ChannelListener): () => void {
    if (!this.#open) throw closed();
    const { wire, prefix } = this.#options;
    const end = wire.listen(channelName(prefix, channel), listener);
    const stop = (): void => {
      if (this.#stops.delete(stop)) end();
    };
    this.#stops.add(stop);
    return stop;
  }

  /** Nothing is heard, said or done from here on. The wire is its owner's to close. */
  close(): void {
    this.#open = false;
    for (const stop of [...this.#stops]) stop();
  }

  get #key(): string {
    return clusterKey(this.#options.prefix);
  }

  #keysOf(shard: number): ShardKeys {
    assertShard(shard, this.#options.keys.length);
    return this.#options.keys[shard] as ShardKeys;
  }

  #call(
    name: FunctionName,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
    fcall: 'FCALL' | 'FCALL_RO' = 'FCALL',
  ): Promise<Reply> {
    const command = commandOf(fcall, functionName(name), keys.length, ...keys, ...args);
    return this.#send(keys[0] as string, command.done());
  }

  async #send(key: string, bytes: Buffer): Promise<Reply> {
    if (!this.#open) throw closed();
    const { wire } = this.#options;
    try {
      return await wire.send(key, bytes);
    } catch (error) {
      // An error of the server's own says that it refused the call: the functions write nothing before the last thing that can fail.
      const sent = !(error instanceof NotSent || (error instanceof Error && error.name === 'ReplyError'));
      const message = `Redis at ${wire.name} cannot be used: ${messageOf(error)}`;
      throw new TroupeError('JOURNAL_UNAVAILABLE', message, { sent }, error);
    }
  }

  /** Said once per outage: a message may get lost, but somebody may want to know why. */
  #lose(why: string): void {
    this.#lost += 1;
    if (this.#lost === 1 && this.#open) {
      this.#options.warn(`Messages to other nodes get lost: ${why}`, { redis: this.#options.wire.name });
    }
  }
}

/** What `[server's ms, flat pairs of the hash]` says, without nodes whose time is over. */
function viewOf(reply: Reply): ClusterView {
  const [time, pairs] = reply as readonly [number, readonly Buffer[]];
  const fields = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) fields.set(String(pairs[i]), String(pairs[i + 1]));
  const nodes: LiveNode[] = [];
  const pins: (readonly [number, string])[] = [];
  for (const [field, value] of fields) {
    if (field.startsWith('pin:')) pins.push([Number(field.slice(4)), value]);
    if (!field.startsWith('alive:')) continue;
    const id = field.slice(6);
    const expiresInMs = Number.parseInt(value, 10) - time;
    if (expiresInMs > 0) nodes.push(nodeOf(id, fields.get(`node:${id}`), fields.has(`drain:${id}`), expiresInMs));
  }
  nodes.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { nodes, pins: new Map(pins.sort(([a], [b]) => a - b)) };
}

function nodeOf(id: string, record: string | undefined, isDrained: boolean, expiresInMs: number): LiveNode {
  try {
    const info = JSON.parse(record ?? '') as NodeInfo;
    return { ...info, isDraining: info.isDraining || isDrained, expiresInMs };
  } catch (error) {
    const message = `What node ${id} says of itself is damaged; its next beat writes it again.`;
    throw new TroupeError('JOURNAL_DAMAGED', message, { node: id }, error);
  }
}

function statusOf(shard: number, reply: Reply): ShardStatus {
  const [left, epoch, node, commits, seq, rewinds, sent, done] = reply as readonly (Buffer | number | null)[];
  const count = (value: Buffer | number | null | undefined): number => Number(String(value ?? 0));
  return {
    shard,
    epoch: count(epoch),
    node: String(node ?? ''),
    expiresInMs: count(left),
    commits: count(commits),
    seq: count(seq),
    inboxLast: Math.max(count(sent), count(done)),
    inboxDone: count(done),
    rewinds: count(rewinds),
  };
}

function recordOf(reply: Reply): InboxRecord {
  const [id, [, payload], exists] = reply as readonly [Buffer, readonly [Buffer, Buffer], number | undefined];
  return { n: Number.parseInt(String(id), 10), payload, isAbsent: exists === 0 };
}

function closed(): TroupeError {
  return new TroupeError('STOPPED', 'The journal is closed.', { sent: false });
}
