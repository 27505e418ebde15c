/** The outbox alone: what leaves, when, and how much at once. */

import { expect, test } from 'vitest';
import { Outbox } from '../../src/shard/outbox.ts';
import { unpacked } from '../../src/shard/parcel.ts';
import type { Transport } from '../../src/shard/transport.ts';

function outbox(): { readonly outbox: Outbox; readonly sent: number[] } {
  const sent: number[] = [];
  const nothing = (): void => undefined;
  const transport: Transport = { deliver: (_to, _from, n) => sent.push(n), acknowledge: nothing, resend: nothing };
  return { outbox: new Outbox(0, transport, new Map()), sent };
}

function numbers(from: number, upto: number): readonly number[] {
  return Array.from({ length: upto - from + 1 }, (_, index) => from + index);
}

test('a resend sends no more than a window at once', () => {
  const { outbox: box, sent } = outbox();
  for (const n of numbers(1, 5_000)) box.add(1, n, unpacked({ order: n }), 1);
  box.release(1);

  box.pump();
  const first = sent.splice(0);
  box.resend(1, 10);

  expect(first).toEqual(numbers(1, first.length));
  expect(first.length).toBeLessThan(2_000);
  expect(sent).toEqual(numbers(11, 10 + first.length));
});

test('acknowledgements open the window again', () => {
  const { outbox: box, sent } = outbox();
  for (const n of numbers(1, 5_000)) box.add(1, n, unpacked({ order: n }), 1);
  box.release(1);

  box.pump();
  while (box.size > 0) box.acknowledge(1, sent.at(-1)!);

  expect(sent).toEqual(numbers(1, 5_000));
});
