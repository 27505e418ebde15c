/**
 * What the Redis adapter needs of connections, whatever is behind them: one server, the primary that Sentinel names, or
 * the primaries of a cluster. Keys decide where a call goes; the adapter's calls have keys of one slot each.
 *
 * It guarantees that calls whose keys share a hash tag, made in order without waiting, reach the server in that order,
 * and that every call settles within the deadline: with the reply, with the server's error, with `NotSent` (it certainly
 * did not run: the server also says MOVED, or ASK, or that a function is missing, and it was sent again elsewhere in
 * vain), with `ConnectionLost` (nobody knows) or with `NotReplicated` (it ran; a failover may undo it).
 */

import type { Reply } from './connection.ts';
import type { Published } from './publisher.ts';

export interface WireListener {
  message(payload: Buffer): void;
  /** The subscription holds: called once for each time that it has come about. */
  active(): void;
}

export interface SendOptions {
  /** The reply waits until as many replicas as were asked for have what the call wrote; else it rejects with `NotReplicated`. */
  readonly isReplicated?: boolean;
}

export interface Wire {
  /** For people and messages; never holds a password. */
  readonly name: string;
  /** Runs one encoded command (resp.ts) on the server that has the slot of `key`. */
  send(key: string, bytes: Buffer, options?: SendOptions): Promise<Reply>;
  /** Runs a command on every primary; for what is not about keys (FUNCTION LOAD, CONFIG GET). Replies in no certain order. */
  sendToAll(bytes: Buffer): Promise<readonly Reply[]>;
  /**
   * Says something on a sharded channel, in the order in which it is said there. It may overtake calls that were made in the
   * same turn of the event loop.
   */
  publish(channel: string, payload: Uint8Array, told: Published): void;
  /** Sharded pub/sub. A channel's hash tag decides where it lives, as a key's does. */
  listen(channel: string, listener: WireListener): () => void;
  /** Ends the connections once the calls under way have settled. */
  close(): Promise<void>;
}
