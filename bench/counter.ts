/** The actor of W1: adds up, and answers with the sum. */

import { createHash } from 'node:crypto';
import { assign, emit, setup } from 'xstate';
import { defineActor, reply } from '../src/index.ts';

const counterMachine = setup({
  types: {
    context: {} as { readonly count: number },
    events: {} as { readonly type: 'ADD'; readonly by: number },
    emitted: {} as { readonly type: 'ADDED'; readonly count: number },
  },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    ADD: {
      actions: [
        assign({ count: ({ context, event }) => context.count + event.by }),
        emit(({ context }) => ({ type: 'ADDED' as const, count: context.count })),
      ],
    },
  },
});

export const counter = defineActor({
  type: 'counter',
  machine: counterMachine,
  effects: { ADDED: ({ count }) => reply(count) },
});

/** The same UUID for the same name in every process, so that a second one can ask for what a first one made. */
export function idOf(name: string): string {
  const bytes = createHash('md5').update(name).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
