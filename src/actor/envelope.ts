/**
 * An envelope: a message on its way to an actor. What crosses a shard's border (outbox, dead letters) is exactly this
 * record; what the runtime knows beside it (who waits for the answer, which mark it moves) stays with the delivery.
 */

import type { Address } from './address.ts';

/** Any event of a machine: a `type` and plain data (what msgpack and JSON can hold). */
export interface AnyEvent {
  readonly type: string;
}

export interface Envelope {
  /** Unique, for logs and dead letters; the marks do not depend on it. */
  readonly id: string;
  readonly to: Address;
  /** The sending actor; absent when it came from outside. */
  readonly from?: Address | undefined;
  readonly event: AnyEvent;
  /** The operation (correlation) id that this envelope belongs to; what it causes inherits it. */
  readonly operation?: string | undefined;
  /** W3C `traceparent`, handed on unchanged. */
  readonly trace?: string | undefined;
}

/** An envelope as plain data, to be encoded: what is absent is not there. Its event may be encoded already. */
export type PackedEnvelope<TEvent = AnyEvent> = Omit<Envelope, 'event'> & { readonly event: TEvent };

export function packedEnvelope<TEvent>(
  { id, to, from, operation, trace }: Envelope,
  event: TEvent,
): PackedEnvelope<TEvent> {
  return {
    id,
    to,
    event,
    ...(from === undefined ? undefined : { from }),
    ...(operation === undefined ? undefined : { operation }),
    ...(trace === undefined ? undefined : { trace }),
  };
}

/** The envelope behind decoded data. All envelopes have the same fields in the same order: every turn reads them. */
export function unpackedEnvelope(
  { id, to, from, operation, trace }: PackedEnvelope<unknown>,
  event: AnyEvent,
): Envelope {
  return { id, to, from, event, operation, trace };
}
