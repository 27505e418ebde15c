/** Folding the same events gives the same state: from the beginning, and from any snapshot that went through JSON. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, createActor, type Snapshot } from 'xstate';
import { Driven } from './driver.ts';
import { type Hosted, Network } from './network.ts';
import { draftsArbitrary, numbered } from './operations.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`SEED=${seed} (purity.test.ts)\n`);

function persisted(driven: Driven<AnyStateMachine>): Snapshot<unknown> {
  return driven.machine.getPersistedSnapshot(driven.snapshot) as Snapshot<unknown>;
}

function throughJson(driven: Driven<AnyStateMachine>): Driven<AnyStateMachine> {
  const restored = new Driven(driven.machine, '');
  const snapshot = JSON.parse(JSON.stringify(persisted(driven))) as Snapshot<unknown>;
  restored.snapshot = createActor(driven.machine, { snapshot }).getSnapshot();
  return restored;
}

/** Replays what an actor was sent, and goes on from a restored snapshot after `cut` events. */
function replayed({ driven: { machine }, address, events }: Hosted, cut: number): Driven<AnyStateMachine> {
  const begun = new Driven(machine, address.split('/')[1] ?? '');
  begun.send(...events.slice(0, cut));
  const restored = throughJson(begun);
  restored.send(...events.slice(cut));
  return restored;
}

/** All operations at once, some refused, some out of time. */
function busyNetwork(drafts: Parameters<typeof numbered>[0], picks: readonly number[]): Network {
  const network = new Network();
  for (const operation of numbered(drafts)) network.start(operation);
  for (const pick of picks) {
    if (pick % 50 === 0) network.expire(pick);
    else if (pick % 50 === 1) network.refuse(pick);
    else network.deliver(pick);
  }
  network.drain();
  return network;
}

describe('folding events', () => {
  test('gives the same state from any snapshot', () => {
    const picks = fc.array(fc.nat(10_000), { maxLength: 300, size: 'max' });

    fc.assert(
      fc.property(draftsArbitrary(25), picks, fc.nat(), (drafts, schedule, cut) => {
        const network = busyNetwork(drafts, schedule);

        for (const hosted of network.actors.values()) {
          const again = replayed(hosted, cut % (hosted.events.length + 1));
          expect(persisted(again)).toStrictEqual(persisted(hosted.driven));
        }
      }),
      { seed, numRuns: 30 },
    );
  }, 60_000);

  test('keeps nothing that JSON does not', () => {
    fc.assert(
      fc.property(draftsArbitrary(25), (drafts) => {
        for (const { driven } of busyNetwork(drafts, [0, 0, 1]).actors.values()) {
          const { context } = driven.snapshot;
          expect(JSON.parse(JSON.stringify(context))).toStrictEqual(context);
        }
      }),
      { seed, numRuns: 20 },
    );
  }, 60_000);
});

describe('the source of machines', () => {
  test('names no clock, chance, promise or outside', () => {
    const folder = join(import.meta.dirname, '../../machines');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

    const impure = /\b(Date|Math\.random|performance|crypto|process|fetch|setTimeout|async|await|Promise|console)\b/;
    const found = files.filter((file) => {
      const code = readFileSync(join(folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      return impure.test(code);
    });

    expect(files.length).toBeGreaterThan(10);
    expect(found).toEqual([]);
  });
});
