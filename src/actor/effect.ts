/**
 * Effects: what a definition makes of the events its machine emits. They are data; the shard carries them out after the
 * commit that holds the transition which caused them.
 */

import type { Address } from './address.ts';
import type { AnyEvent } from './envelope.ts';

/** How what an effect sends belongs to an operation. */
export interface SendingOptions {
  /**
   * Leaves this shard only when everything the same operation sent before has been committed by its receivers; within a
   * turn, after everything it told near actors before.
   */
  readonly settled?: boolean | undefined;
  /** The operation it belongs to. Default: that of the envelope which is being handled. */
  readonly operation?: string | undefined;
}

export type Effect =
  | (SendingOptions & {
      readonly kind: 'tell';
      readonly to: Address;
      readonly event: AnyEvent;
    })
  | {
      /** Answers the `ask` whose envelope is being handled; nothing happens when nobody asked. */
      readonly kind: 'reply';
      readonly value: unknown;
    }
  /** Adds one publication to a topic, wherever the topic's shard is. Settled: whoever sees it sees the whole operation in every read. */
  | (SendingOptions & {
      readonly kind: 'publish';
      /** `name:{uuid}`; lives on the shard of the id. */
      readonly topic: string;
      readonly data: unknown;
    });

const noOptions: SendingOptions = {};

export function tell(to: Address, event: AnyEvent, { settled, operation } = noOptions): Effect {
  return { kind: 'tell', to, event, settled, operation };
}

export function reply(value: unknown): Effect {
  return { kind: 'reply', value };
}

export function publish(topic: string, data: unknown, { settled, operation } = noOptions): Effect {
  return { kind: 'publish', topic, data, settled, operation };
}
