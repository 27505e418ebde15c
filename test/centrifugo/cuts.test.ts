/** Recovery, over a hundred cuts and some kills of the server, with the official client as it comes. */

import { expect, test } from 'vitest';
import { CutRoom } from './cuts.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000));
const cuts = 100;
const restarts = 3;

test.each([
  ['lmdb', 1, 'json'],
  ['redis', 1, 'json'],
  ['redis', 2, 'json'],
  ['lmdb', 1, 'protobuf'],
] as const)(
  'every member hears every message once and in order (%s, %i, %s)',
  async (kind, nodes, speech) => {
    const room = await CutRoom.open(kind, nodes, seed);
    try {
      const tally = await room.run(cuts, restarts, speech);

      process.stdout.write(`${kind}, nodes: ${nodes}, ${speech}, SEED=${seed}: ${JSON.stringify(tally)}\n`);
      expect(tally).toMatchObject({ unrecovered: 0, repeated: 0, missed: 0, isInOrder: true });
      expect(tally.recovered).toBeGreaterThan(cuts / 2);
    } finally {
      await room.close();
    }
  },
  240_000,
);
