/**
 * The other end of questions.ts: what other nodes ask of a shard that is owned here. It turns the envelopes of a shard's
 * inbox into deliveries for its mailbox, and sends each answer when the shard lets it out, so after its commit.
 *
 * Nothing in an inbox stops it: an envelope that cannot be decoded, or asks nothing of anybody, is logged and counts as
 * handled, or it would be read again by every owner; one of a kind that is not known here is refused.
 */

import { parseAddress, typeOf } from '../actor/address.ts';
import { unpackedEnvelope } from '../actor/envelope.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { messageOf, TroupeError } from '../errors.ts';
import { decode } from '../journal/codec.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { Barrier, Command, Read, Waiting } from '../shard/delivery.ts';
import type { InboxPage, InboxSource } from '../shard/inbox.ts';
import type { Shard } from '../shard/shard.ts';
import type { ClusterStore, InboxRecord } from './cluster-store.ts';
import { type NodeMessage, type Question, refusalOf } from './messages.ts';
import { broughtBy } from './ring.ts';

export interface DeskOptions {
  readonly store: ClusterStore;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly log: Log;
  readonly observer: Observer;
  /** Takes an answer to the node that asked. */
  answer(node: string, message: NodeMessage): void;
}

export class Desk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** The inbox of a shard. `self` gives the shard, which is made after its inbox. */
  sourceOf(shard: number, self: () => Shard): InboxSource {
    return {
      read: async (after, limit): Promise<InboxPage> => {
        const records = await this.#options.store.readInbox(shard, after, limit);
        if (records.length > 0) this.#options.observer.inboxTaken(shard, records.length);
        const deliveries = records.map((record) => this.#deliveryOf(record, self()));
        return { deliveries, last: records.at(-1)?.n ?? after };
      },
    };
  }

  /** Follows a message on the shard's channel that comes from the store itself. False: it comes from a node. */
  hearRing(message: Uint8Array, shard: Shard): boolean {
    if (message.length === 0) {
      shard.ring();
      return true;
    }
    const brought = broughtBy(message);
    if (brought === undefined) return false;
    shard.inbox.came(brought.n, () => {
      this.#options.observer.inboxTaken(shard.shard, 1);
      return this.#deliveryOf(brought, shard);
    });
    return true;
  }

  #deliveryOf({ n, payload, isAbsent }: InboxRecord, shard: Shard): Command | Read | Barrier {
    try {
      return this.#deliveryFor(decode<Question>(payload), n, isAbsent === true, shard);
    } catch (error) {
      this.#options.log.error({ shard: shard.shard, n }, `an envelope cannot be read: ${messageOf(error)}`);
      const nobody: Waiting<void> = { resolve: () => undefined, reject: () => undefined };
      return { kind: 'barrier', waiting: nobody, inbox: n, attempts: 0 };
    }
  }

  /** Throws when it is no question. */
  #deliveryFor(question: Question, n: number, isAbsent: boolean, shard: Shard): Command | Read | Barrier {
    const { request } = question;
    switch (request.kind) {
      case 'command': {
        const { wantsReply, fresh } = request;
        const { event: payload } = request.envelope;
        const envelope = unpackedEnvelope(request.envelope, decode(payload));
        parseAddress(envelope.to);
        if (typeof envelope.event.type !== 'string') throw new Error('an event without a type');
        // If a copy of the command had been handled, its actor would exist, or be resident on its way to the store.
        if (fresh !== undefined && isAbsent && !shard.cells.has(envelope.to)) {
          for (const id of fresh) shard.minted(id);
        }
        const waiting = this.#waiting(question);
        return { kind: 'command', envelope, payload, wantsReply, waiting, inbox: n, attempts: 0 };
      }
      case 'read': {
        const { address } = request;
        parseAddress(address);
        const hosted = this.#options.hosted.get(typeOf(address));
        if (hosted === undefined) return this.#unknown(question, n);
        const waiting = this.#waiting(question);
        return {
          kind: 'read',
          address,
          waiting: {
            resolve: (read) =>
              waiting.resolve(read === undefined ? null : { version: read.version, state: hosted.persist(read.state) }),
            reject: waiting.reject,
          },
          inbox: n,
          attempts: 0,
        };
      }
      case 'settled': {
        const waiting = this.#waiting(question);
        const settled = (): void =>
          shard.outbox.whenDrained(
            request.operation,
            () => waiting.resolve(null),
            () => waiting.reject(new TroupeError('SHARD_LOST', 'The shard goes elsewhere.')),
          );
        return { kind: 'barrier', waiting: { resolve: settled, reject: waiting.reject }, inbox: n, attempts: 0 };
      }
      default:
        return this.#unknown(question, n);
    }
  }

  /** Asked by a node of another version. */
  #unknown(question: Question, n: number): Barrier {
    const waiting = this.#waiting(question);
    const refuse = (): void =>
      waiting.reject(new Error('The node that owns the shard does not understand the question.'));
    return { kind: 'barrier', waiting: { resolve: refuse, reject: waiting.reject }, inbox: n, attempts: 0 };
  }

  #waiting({ id, node }: Question): Waiting<unknown> {
    return {
      resolve: (value) => this.#options.answer(node, ['answer', id, value]),
      reject: (error) => this.#options.answer(node, refusalOf(id, error)),
    };
  }
}
