/**
 * The actor of most runtime tests: it notes keys, in order, and does what the event says then. What it noted is compared
 * with what was sent, so a lost, repeated or reordered envelope shows.
 */

import { assign, emit, setup } from 'xstate';
import { type Address, addressOf } from '../../src/actor/address.ts';
import { defineActor } from '../../src/actor/definition.ts';
import { type Effect, publish, reply, tell } from '../../src/actor/effect.ts';
import type { AnyEvent } from '../../src/actor/envelope.ts';

export type Instruction =
  | {
      readonly kind: 'note';
      readonly to: Address;
      readonly key: string;
      readonly orders?: readonly Instruction[];
      readonly settled?: boolean;
    }
  | { readonly kind: 'event'; readonly to: Address; readonly event: AnyEvent }
  | { readonly kind: 'publish'; readonly topic: string; readonly data: unknown; readonly settled?: boolean }
  | { readonly kind: 'reply'; readonly value: unknown }
  | { readonly kind: 'throw' };

export interface Note {
  readonly type: 'NOTE';
  readonly key: string;
  readonly orders?: readonly Instruction[];
}

type Event =
  | Note
  /** Does something without noting it. */
  | { readonly type: 'PASS'; readonly orders: readonly Instruction[] }
  | { readonly type: 'ASK' }
  | { readonly type: 'BREAK' }
  | { readonly type: 'IGNORED' };

type Emitted =
  | { readonly type: 'noted'; readonly orders: readonly Instruction[] }
  | { readonly type: 'asked'; readonly notes: readonly string[] };

export const notebookMachine = setup({
  types: {
    context: {} as { readonly id: string; readonly notes: readonly string[] },
    events: {} as Event,
    emitted: {} as Emitted,
    input: {} as { readonly id: string },
  },
}).createMachine({
  id: 'notebook',
  context: ({ input }) => ({ id: input.id, notes: [] }),
  on: {
    NOTE: {
      actions: [
        assign({ notes: ({ context, event }) => [...context.notes, event.key] }),
        emit(({ event }) => ({ type: 'noted', orders: event.orders ?? [] })),
      ],
    },
    PASS: { actions: emit(({ event }) => ({ type: 'noted', orders: event.orders })) },
    ASK: { actions: emit(({ context }) => ({ type: 'asked', notes: context.notes })) },
    BREAK: {
      actions: assign(() => {
        throw new Error('broken on purpose');
      }),
    },
  },
});

function effectOf(instruction: Instruction): Effect {
  switch (instruction.kind) {
    case 'note': {
      const { to, key, orders, settled } = instruction;
      const event: Note = { type: 'NOTE', key, ...(orders === undefined ? {} : { orders }) };
      return tell(to, event, settled === undefined ? {} : { settled });
    }
    case 'event':
      return tell(instruction.to, instruction.event);
    case 'publish': {
      const { topic, data, settled } = instruction;
      return publish(topic, data, settled === undefined ? {} : { settled });
    }
    case 'reply':
      return reply(instruction.value);
    case 'throw':
      throw new Error('a rule broken on purpose');
  }
}

export const notebook = defineActor({
  type: 'notebook',
  machine: notebookMachine,
  effects: {
    noted: ({ orders }) => orders.map(effectOf),
    asked: ({ notes }) => reply(notes),
  },
  snapshots: { everyEvents: 5 },
});

/** The `n`th UUID of a shard, for any number of shards above it. */
export function idOn(shard: number, n: number): string {
  return `${n.toString(16).padStart(8, '0')}-0000-4000-8000-00000000${shard.toString(16).padStart(4, '0')}`;
}

/** The address of the `n`th notebook of a shard. */
export function notebookOn(shard: number, n: number): Address {
  return addressOf('notebook', idOn(shard, n));
}

export function note(key: string, ...orders: readonly Instruction[]): Note {
  return { type: 'NOTE', key, orders };
}
