/** What every node relies on to agree with the others. The statistical facts hold for fixed ids, and so for ever. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClusterView, LiveNode, Role } from '../../src/cluster/cluster-store.ts';
import { placementOf } from '../../src/cluster/placement.ts';

function node(id: string, about: Partial<LiveNode> = {}): LiveNode {
  const said = { id, nonce: id, role: 'all' as Role, weight: 1, isDraining: false };
  return { ...said, startedAt: 0, about: '', heads: {}, expiresInMs: 5_000, ...about };
}

function view(nodes: readonly LiveNode[], pins: Readonly<Record<number, string>> = {}): ClusterView {
  return { nodes, pins: new Map(Object.entries(pins).map(([shard, id]) => [Number(shard), id])) };
}

function owners(shards: number, seen: ClusterView): readonly (string | undefined)[] {
  return Array.from({ length: shards }, (_, shard) => placementOf(shard, seen));
}

function shares(owned: readonly (string | undefined)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const id of owned) counts[id ?? ''] = (counts[id ?? ''] ?? 0) + 1;
  return counts;
}

const ids = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
const nodes = fc.uniqueArray(
  fc
    .record({
      id: ids,
      role: fc.constantFrom<Role>('all', 'worker', 'gateway'),
      // As often none as any: lists without a single node that counts are part of it.
      weight: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 })),
      isDraining: fc.boolean(),
    })
    .map(({ id, ...about }) => node(id, about)),
  { maxLength: 8, selector: ({ id }) => id },
);
const shards = 64;

function mayOwn({ role, weight, isDraining }: LiveNode): boolean {
  return role !== 'gateway' && weight > 0 && !isDraining;
}

describe('placement', () => {
  test('is the same in every order of nodes', () => {
    fc.assert(
      fc.property(
        nodes.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(owners(shards, view(shuffled))).toEqual(owners(shards, view(list)));
        },
      ),
    );
  });

  test('gives shards to nodes that may own them', () => {
    fc.assert(
      fc.property(nodes, (list) => {
        const able = list.filter(mayOwn).map(({ id }) => id);

        const owned = owners(shards, view(list));

        for (const id of owned) expect(able.length === 0 ? [undefined] : able).toContain(id);
      }),
    );
  });

  test('moves shards only to a node that joins', () => {
    fc.assert(
      fc.property(nodes, fc.nat(), (list, choice) => {
        fc.pre(list.length > 0);
        const joining = list[choice % list.length]!;
        const before = owners(shards, view(list.filter((one) => one !== joining)));

        const after = owners(shards, view(list));

        for (const [shard, id] of after.entries()) if (id !== before[shard]) expect(id).toBe(joining.id);
      }),
    );
  });

  test('draining moves what leaving would move', () => {
    fc.assert(
      fc.property(nodes, fc.nat(), (list, choice) => {
        fc.pre(list.length > 0);
        const leaving = list[choice % list.length]!;

        const drained = list.map((one) => (one === leaving ? { ...one, isDraining: true } : one));

        const left = list.filter((one) => one !== leaving);
        expect(owners(shards, view(drained))).toEqual(owners(shards, view(left)));
      }),
    );
  });

  test('a pin wins while its node takes shards', () => {
    fc.assert(
      fc.property(nodes, ids, fc.nat(shards - 1), (list, stranger, shard) => {
        for (const id of [...list.map((one) => one.id), stranger]) {
          const target = list.find((one) => one.id === id);
          const isHonoured = target !== undefined && target.role !== 'gateway' && !target.isDraining;
          const free = owners(shards, view(list));

          const pinned = owners(shards, view(list, { [shard]: id }));

          expect(pinned).toEqual(free.with(shard, isHonoured ? id : free[shard]));
        }
      }),
    );
  });

  test.each(['node-', '10.0.0.', 'troupe-0000000', ''])('nodes %s1 to 8 share evenly', (prefix) => {
    const count = 16_384;
    const list = Array.from({ length: 8 }, (_, i) => node(`${prefix}${i + 1}`));

    const owned = owners(count, view(list));

    // 2,048 each; six standard deviations of a fair draw are 254.
    for (const share of Object.values(shares(owned))) expect(Math.abs(share - 2_048)).toBeLessThan(254);
    expect(Object.keys(shares(owned))).toHaveLength(8);
  });

  test('a join among seven moves an eighth', () => {
    const list = Array.from({ length: 8 }, (_, i) => node(`node-${i + 1}`));
    const before = owners(16_384, view(list.slice(0, 7)));

    const after = owners(16_384, view(list));

    const gave = shares(before.filter((id, shard) => after[shard] !== id));
    // Each of the seven gives about 293; six standard deviations are 102.
    for (const share of Object.values(gave)) expect(Math.abs(share - 2_048 / 7)).toBeLessThan(102);
    expect(Object.keys(gave)).toHaveLength(7);
  });

  test('shares follow the weights of nodes', () => {
    const list = [1, 2, 5, 8].map((weight) => node(`node-${weight}`, { weight }));

    const owned = shares(owners(16_384, view(list)));

    for (const { id, weight } of list) {
      const fair = weight / 16;
      const deviation = Math.sqrt(16_384 * fair * (1 - fair));
      expect(Math.abs((owned[id] ?? 0) - 16_384 * fair)).toBeLessThan(6 * deviation);
    }
  });

  test('neighbouring shards are placed independently', () => {
    const list = [1, 2, 3, 4].map((i) => node(`node-${i}`));
    const owned = owners(16_384, view(list));

    const equal = owned.filter((id, shard) => shard > 0 && id === owned[shard - 1]).length;

    expect(Math.abs(equal - 4_096)).toBeLessThan(6 * Math.sqrt(16_384 * 0.25 * 0.75));
  });
});
