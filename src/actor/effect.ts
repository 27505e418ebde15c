/**
 * Effects: what a definition makes of the events its machine emits. They are data; the shard carries them out after the
 * commit that holds the transition which caused them.
 */

import type { Address } from './address.ts';
import type { AnyEvent } from './envelope.ts';

export type Effect =
  | {
      readonly kind: 'tell';
      readonly to: Address;
      readonly event: AnyEvent;
      /** Leaves this shard only when everything the same operation sent before has been committed by its receivers. */
      readonly settled?: boolean;
    }
  | {
      /** Answers the `ask` whose envelope is being handled; nothing happens when nobody asked. */
      readonly kind: 'reply';
      readonly value: unknown;
    }
  | {
      /** Adds one publication to a topic, wherever the topic's shard is. */
      readonly kind: 'publish';
      /** `name:{uuid}`; lives on the shard of the id. */
      readonly topic: string;
      readonly data: unknown;
      /** As in `tell`: whoever sees the publication sees the whole operation in every read. */
      readonly settled?: boolean;
    };

export function tell(to: Address, event: AnyEvent, options: { readonly settled?: boolean } = {}): Effect {
  return { kind: 'tell', to, event, ...options };
}

export function reply(value: unknown): Effect {
  return { kind: 'reply', value };
}

export function publish(topic: string, data: unknown, options: { readonly settled?: boolean } = {}): Effect {
  return { kind: 'publish', topic, data, ...options };
}
