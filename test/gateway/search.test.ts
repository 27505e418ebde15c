import { describe, expect, test } from 'vitest';
import { searchUsers } from '../../actors/api-search.ts';
import type { UserDto } from '../../actors/contract.ts';
import { shardOf } from '../../src/actor/address.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import { systemIds } from '../../src/ids.ts';

const shards = 3;

function given(count: number) {
  let rowsRead = 0;
  const users: readonly UserDto[] = Array.from({ length: count }, (_, n) => ({
    id: systemIds.mint(),
    username: n % 10 === 0 ? `Tenth ${n}` : `user ${n}`,
    primaryLanguage: 'ENGLISH' as const,
    type: n % 2 === 0 ? ('TRANSLATOR' as const) : ('REGULAR_USER' as const),
    dateCreated: n,
    dateUpdated: n,
  })).sort((a, b) => (a.id < b.id ? -1 : 1));
  const range: ActorSystem['range'] = async <T>(_: string, near: string, { after = '', limit }: RangeArguments) => {
    const there = users.filter(({ id }) => shardOf(id, shards) === shardOf(near, shards) && id > after).slice(0, limit);
    rowsRead += there.length;
    return there.map((value) => ({ key: value.id, value: value as T }));
  };
  const system = { shards, range } as unknown as ActorSystem;
  return { users, system, rowsRead: () => rowsRead };
}

interface RangeArguments {
  readonly after?: string;
  readonly limit: number;
}

const everybody = { query: undefined, type: undefined };

describe('a search over shards', () => {
  test('pages give everybody once, by id', async () => {
    const { users, system } = given(500);
    const seen: string[] = [];

    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await searchUsers(system, everybody, 37, after);
      seen.push(...page.users.map(({ id }) => id));
      after = page.next;
    }

    expect(seen).toEqual(users.map(({ id }) => id));
  });

  test('filters hold together', async () => {
    const { users, system } = given(500);

    const found = await searchUsers(system, { query: 'tenth', type: 'TRANSLATOR' }, 200, undefined);

    expect(found.users).toEqual(users.filter(({ username }) => username?.startsWith('Tenth')));
    expect(found.next).toBeUndefined();
  });

  test('a page reads little more than it shows', async () => {
    const { system, rowsRead } = given(5_000);

    await searchUsers(system, everybody, 50, undefined);

    expect(rowsRead()).toBeLessThan(200);
  });

  test('a search without end is cut and goes on', async () => {
    const { users, system } = given(10_500);

    const first = await searchUsers(system, { query: 'nobody', type: undefined }, 50, undefined);
    const second = await searchUsers(system, { query: 'nobody', type: undefined }, 50, first.next);

    expect(first).toEqual({ users: [], next: users[9_999]?.id });
    expect(second).toEqual({ users: [], next: undefined });
  });
});
