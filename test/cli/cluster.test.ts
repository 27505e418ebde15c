/** The operator's commands on a real Redis, beside nodes that do what a store sees of nodes. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/index.ts';
import { RedisServer } from '../redis-server.ts';
import { type Typed, troupe } from './command-line.ts';
import { ServerProcess } from './server-process.ts';
import { StandInNode, type StandInOptions } from './stand-in-node.ts';

interface Shown {
  readonly summary: Readonly<Record<'total' | 'owned' | 'moving' | 'withoutOwner', number>>;
  readonly nodes: readonly {
    readonly id: string;
    readonly owned: number;
    readonly state: string;
    readonly role: string;
  }[];
  readonly shards: readonly { readonly shard: number; readonly owner?: string; readonly pinnedTo?: string }[];
}

const deadlineMs = 20_000;

let redis: RedisServer;
let nodes: StandInNode[];
let processes: ServerProcess[];

beforeEach(async () => {
  redis = await RedisServer.start();
  nodes = [];
  processes = [];
});
afterEach(async () => {
  for (const one of processes) one.kill('SIGKILL');
  await Promise.all(processes.map((one) => one.ended()));
  await Promise.all(nodes.map((node) => node.die()));
  await redis.dispose();
});

async function join(...all: readonly StandInOptions[]): Promise<void> {
  for (const options of all) nodes.push(await StandInNode.start(redis.url, options));
}

/** Takes a node away without a word. */
async function kill(id: string): Promise<void> {
  const node = nodes.find(({ info }) => info.id === id);
  nodes = nodes.filter((one) => one !== node);
  await node?.die();
}

function type(...args: readonly string[]): Promise<Typed> {
  return troupe(args, { JOURNAL: redis.url });
}

async function shown(): Promise<Shown> {
  const { out, err } = await type('shards', '--json');
  expect(err).toEqual([]);
  return JSON.parse(out[0]!) as Shown;
}

/** The cluster as soon as it is as wanted; what it was last, when it never is. */
async function shownWhen(isSo: (seen: Shown) => boolean): Promise<Shown> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const seen = await shown();
    if (isSo(seen) || performance.now() > deadline) return seen;
  }
}

function isSettled({ summary }: Shown): boolean {
  return summary.owned === summary.total && summary.moving === 0;
}

function ownersIn({ shards }: Shown): readonly (string | undefined)[] {
  return shards.map(({ owner }) => owner);
}

function run(...args: readonly string[]): ServerProcess {
  const started = new ServerProcess({ JOURNAL: redis.url }, args);
  processes.push(started);
  return started;
}

// Eight shards fall evenly on nodes of these names, and so in every run: one and two have four each.
describe('troupe cluster', () => {
  test('shows the nodes and what each owns', async () => {
    await join({ id: 'one', about: 'http://10.0.0.1:8082' }, { id: 'two', role: 'worker', weight: 3 });
    await join({ id: 'door', role: 'gateway' });

    const seen = await shownWhen(isSettled);

    expect(seen.summary).toEqual({ total: 8, owned: 8, moving: 0, withoutOwner: 0 });
    const counted = (id: string) => ownersIn(seen).filter((owner) => owner === id).length;
    for (const { id, owned } of seen.nodes) expect(owned).toBe(counted(id));
    expect(seen.nodes.map(({ id, role }) => [id, role])).toEqual([
      ['door', 'gateway'],
      ['one', 'all'],
      ['two', 'worker'],
    ]);
    expect(counted('door')).toBe(0);
    const text = (await type('cluster')).out;
    expect(text[0]).toBe('3 nodes; 8 shards: 8 owned (0 moving), 0 without owner');
    const row = text.find((line) => line.startsWith('two'))?.split(/ {2,}/);
    expect(row?.slice(0, 6)).toEqual(['two', 'worker', '3', 'live', `${counted('two')}`, `${counted('two')}`]);
    expect(text.find((line) => line.startsWith('one'))).toMatch(
      /2023-11-14T22:13:20Z .* s {2,}http:\/\/10\.0\.0\.1:8082$/,
    );
  });

  test('shows shards that nobody owns', async () => {
    (await openJournal(redis.url, { shards: 8 })).close();

    const seen = await shown();

    expect(seen.summary).toEqual({ total: 8, owned: 0, moving: 0, withoutOwner: 8 });
    expect(seen.nodes).toEqual([]);
  });

  test('lists every shard, or the busiest', async () => {
    await join({ id: 'one' });
    await shownWhen(isSettled);

    const [all, hot, shards] = await Promise.all([
      type('cluster', '--shards'),
      type('cluster', '--hot', '3'),
      type('shards'),
    ]);

    const rows = ({ out }: Typed) => out.filter((line) => /^\d+ {2,}one /.test(line)).length;
    expect([all, hot, shards].map(rows)).toEqual([8, 3, 8]);
  });

  test('watching prints block after block until interrupted', async () => {
    await join({ id: 'one' });
    const watching = run('cluster', '--watch', '0.2');

    await watching.prints(
      /^\S+Z {2}every 0\.2 s.*\n1 node; 8 shards[\s\S]*\n\n\S+Z {2}every 0\.2 s.*\n1 node; 8 shards/,
    );
    watching.kill('SIGINT');

    expect(await watching.ended()).toBe(0);
    expect(watching.output).not.toContain('\u001b');
    expect(watching.output.endsWith('\n')).toBe(true);
  });

  test('watching ends when nobody reads it', async () => {
    const watching = run('cluster', '--watch', '0.2', '--json');
    await watching.prints(/"summary"/);

    watching.hangUp();

    expect(await watching.ended()).toBe(0);
  });

  test('watching outlives a store that goes away', async () => {
    await join({ id: 'door', role: 'gateway' });
    const watching = run('cluster', '--watch', '0.2');
    await watching.prints(/1 node; 8 shards/);
    await kill('door');

    await redis.kill();
    await watching.prints(/Looking again every 0\.2 s\.\n/);
    await redis.restart();

    await watching.prints(/Looking again every 0\.2 s\.\n\n?\S+Z {2}every[\s\S]*; 8 shards/);
  });
});

describe('troupe drain', () => {
  test('waits until the node owns nothing', async () => {
    await join({ id: 'one' }, { id: 'two' });
    const before = await shownWhen(isSettled);
    const had = before.nodes[0]!.owned;
    expect(had).toBe(4);
    const progress: string[] = [];

    const drained = await troupe(['drain', 'one'], { JOURNAL: redis.url }, { progress: (line) => progress.push(line) });

    expect(drained).toEqual({ code: 0, out: [`Node one owns no shard: ${had} shards given away.`], err: [] });
    const after = await shownWhen(isSettled);
    expect(ownersIn(after)).toEqual(Array(8).fill('two'));
    expect(after.nodes[0]).toMatchObject({ id: 'one', state: 'draining', owned: 0 });
    expect(progress.at(-1)).toBe(`${had} of ${had} shards given away`);
    expect(progress.every((line) => line.endsWith(` of ${had} shards given away`))).toBe(true);
  });

  test('undone, the node gets its shards back', async () => {
    await join({ id: 'one' }, { id: 'two' });
    const before = await shownWhen(isSettled);
    await type('drain', 'one');

    const undone = await type('drain', 'one', '--undo');

    expect(undone).toEqual({ code: 0, out: ['Node one takes shards again.'], err: [] });
    expect(ownersIn(await shownWhen((seen) => isSettled(seen) && seen.nodes[0]!.owned > 0))).toEqual(ownersIn(before));
  });

  test('the last worker stays unless forced', async () => {
    await join({ id: 'one' }, { id: 'door', role: 'gateway' }, { id: 'guest', weight: 0 });
    await shownWhen(isSettled);

    const refused = await type('drain', 'one');

    expect(refused.code).toBe(1);
    expect(refused.err[0]).toMatch(/^Node "one" is the last one that takes shards: .*--force\.$/);
    expect((await shown()).nodes.every(({ state }) => state === 'live')).toBe(true);

    const forced = await type('drain', 'one', '--force');

    expect(forced.code).toBe(0);
    expect((await shown()).summary).toMatchObject({ owned: 0, withoutOwner: 8 });
  });

  test('a node that keeps its shards is named', async () => {
    await join({ id: 'one', isStuck: true });
    await shownWhen(isSettled);
    await join({ id: 'two' });

    const late = await type('drain', 'one', '--timeout', '1s');

    expect(late.code).toBe(1);
    expect(late.err[0]).toMatch(
      /^Node "one" still owns 8 of 8 shards after 1 s: 0, 1, 2, 3, 4, 5, 6, 7\. It stays told to give them away/,
    );
    expect((await shown()).nodes[0]!.state).toBe('draining');
  });

  test('does not wait when it need not', async () => {
    await join({ id: 'one', isStuck: true });
    await shownWhen(isSettled);
    await join({ id: 'two' });

    const told = await type('drain', 'one', '--no-wait');

    expect(told).toEqual({ code: 0, out: ['Node one gives 8 shards away.'], err: [] });
  });

  test('a stranger is answered with who is there', async () => {
    await join({ id: 'one' }, { id: 'two' });

    const { code, err } = await type('drain', 'three');

    expect({ code, err }).toEqual({ code: 1, err: ['There is no node "three"; there are one, two.'] });
  });

  test('a node that is gone has nothing to drain', async () => {
    await join({ id: 'one' });
    await shownWhen(isSettled);
    await kill('one');
    await shownWhen(({ nodes: there }) => there.length === 0);

    const { code, err } = await type('drain', 'one');

    expect(code).toBe(1);
    expect(err[0]).toMatch(/^Node "one" is gone\. It was the last owner of 8 shards; /);
  });
});

describe('troupe shards move', () => {
  test('waits until the node owns the shard', async () => {
    await join({ id: 'one' }, { id: 'two' });
    const before = ownersIn(await shownWhen(isSettled));
    const target = before[5] === 'one' ? 'two' : 'one';

    const moved = await type('shards', 'move', '5', target);

    expect(moved).toEqual({ code: 0, out: [`Shard 5 is pinned to ${target}; ${target} owns it.`], err: [] });
    const after = await shown();
    expect(ownersIn(after)).toEqual(before.with(5, target));
    expect(after.shards.map(({ pinnedTo }) => pinnedTo).filter(Boolean)).toEqual([target]);

    const back = await type('shards', 'move', '5', '--auto', '--journal', redis.url);

    expect(back.out).toEqual([`Shard 5 is placed as all others again; ${before[5]} owns it.`]);
    expect(ownersIn(await shown())).toEqual(before);
  });

  test('options before it count as its own', async () => {
    await join({ id: 'one' });

    const moved = await troupe(['shards', '--journal', redis.url, 'move', '5', 'one']);

    expect(moved.out).toEqual(['Shard 5 is pinned to one; one owns it.']);
  });

  test('refuses nodes that take no shards', async () => {
    await join({ id: 'one' }, { id: 'two' }, { id: 'door', role: 'gateway' });
    await type('drain', 'two');

    const answers = [
      await type('shards', 'move', '0', 'door'),
      await type('shards', 'move', '0', 'two'),
      await type('shards', 'move', '0', 'nine'),
    ];

    expect(answers.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(answers.map(({ err }) => err[0])).toEqual([
      'Node "door" is a gateway, which owns no shards.',
      'Node "two" is draining and takes no shards; "troupe drain two --undo" changes that.',
      'There is no node "nine"; there are door, one, two.',
    ]);
    expect((await shown()).shards.every(({ pinnedTo }) => pinnedTo === undefined)).toBe(true);
  });

  test('a shard that stays where it is', async () => {
    await join({ id: 'one', isStuck: true });
    await shownWhen(isSettled);
    await join({ id: 'two' });

    const late = await type('shards', 'move', '3', 'two', '--timeout', '1s');

    expect(late.code).toBe(1);
    expect(late.err[0]).toMatch(/^Shard 3 is pinned to two, but after 1 s one owns it, not two\./);
  });

  test.each(['8', '-1', 'x', '1.5'])('%s is no shard of eight', async (text) => {
    await join({ id: 'one' });

    const { code, err } = await type('shards', 'move', '--', text, 'one');

    expect({ code, err }).toEqual({ code: 2, err: [`"${text}" is not a shard; they are numbered from 0 to 7.`] });
  });
});

test.each([['cluster'], ['shards'], ['drain', 'one'], ['shards', 'move', '1', 'one']])(
  'troupe %s says what one process has not',
  async (...args) => {
    const { code, out, err } = await troupe(args, { JOURNAL: 'lmdb:./nowhere' });

    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(err).toEqual([
      'lmdb:./nowhere is a journal for one process, which owns all of its shards. There are nodes on one that several can use, like --journal redis://host:6379.',
    ]);
  },
);
