/**
 * A failover to a replica that had not got the last answered writes, under real chat servers: who still holds them
 * brings them back, and what nobody holds is named.
 */

import { expect, onTestFinished, test } from 'vitest';
import type { MessageDto, RoomDto } from '../../actors/contract.ts';
import { openJournal } from '../../src/index.ts';
import { signIn } from '../crash/crash-client.ts';
import { createRoom, createUser, write } from '../e2e/commands.ts';
import { poll } from '../e2e/deadline.ts';
import { Person } from '../e2e/person.ts';
import { freePort, TroupeServer } from '../e2e/troupe-server.ts';
import { askServer, RedisSentinel, until } from '../redis-sentinel.ts';
import { verifyStore } from './cluster.ts';

const slowlyMs = 180_000;
const rooms = 6;
const shards = 8;
const leaseMs = 1_500;

async function startGroup(): Promise<RedisSentinel> {
  // A replica whose link was broken for longer than ten times that is not promoted.
  const group = await RedisSentinel.start({ downAfterMs: 3_000 });
  onTestFinished(() => group.dispose());
  return group;
}

async function startServer(group: RedisSentinel, id: string): Promise<TroupeServer> {
  const environment = { NODE_ID: id, LEASE_MS: String(leaseMs), SHARDS: String(shards), LOG_LEVEL: 'info' };
  const server = await TroupeServer.start({ journal: group.url, port: await freePort(), environment });
  onTestFinished(() => server.kill());
  return server;
}

/** From here on the primary answers writes that its replica never gets. */
async function stopReplication(group: RedisSentinel): Promise<void> {
  const primary = await group.primary();
  await askServer(primary, 'WAIT', '1', '10000');
  await askServer(primary, 'ACL', 'SETUSER', 'default', '-psync', '-sync');
  await askServer(primary, 'CLIENT', 'KILL', 'TYPE', 'replica');
  await until(async () => String(await askServer(primary, 'INFO', 'replication')).includes('connected_slaves:0'));
}

/** Until each node has heard where the others' shards stand. */
async function hasBeaten(group: RedisSentinel): Promise<void> {
  const primary = await group.primary();
  const alive = async (): Promise<readonly number[]> => {
    const values = await askServer(primary, 'HMGET', 'troupe:{all}:cluster', 'alive:one', 'alive:two');
    return (values as readonly string[]).map((value) => Number.parseInt(value, 10));
  };
  const before = await alive();
  await until(async () => (await alive()).every((until, i) => until > before[i]! + leaseMs));
}

/** kill -9 of the primary; resolves when the stale replica has taken its place. */
async function failOver(group: RedisSentinel): Promise<void> {
  const dead = await group.killPrimary();
  await group.primaryAfter(dead);
}

/** Shards that somebody owns. */
async function owned({ url }: RedisSentinel): Promise<number> {
  const journal = await openJournal(url);
  try {
    const statuses = await journal.cluster!.statuses(Array.from({ length: shards }, (_, shard) => shard));
    return statuses.filter(({ node, expiresInMs }) => node === 'two' && expiresInMs > 0).length;
  } finally {
    await journal.close();
  }
}

interface Chat {
  readonly alice: Person;
  readonly roomIds: readonly string[];
}

async function startChat(url: () => string): Promise<Chat> {
  const sign = async (name: string): Promise<Person> => {
    const person = new Person(await signIn(url(), `${name}@example.com`), url, () => undefined);
    const profile = { type: 'REGULAR_USER', username: name, primaryLanguage: 'ENGLISH' } as const;
    expect(await person.complete(createUser(profile))).toMatchObject({ username: name });
    return person;
  };
  const alice = await sign('alice');
  const roomIds: string[] = [];
  for (let n = 0; n < rooms; n++) {
    const companion = await sign(`companion${n}`);
    const { id } = (await alice.complete(createRoom(companion.id))) as RoomDto;
    roomIds.push(id);
  }
  return { alice, roomIds };
}

/** Writes a message into each room, and gives what was acknowledged. */
async function say({ alice, roomIds }: Chat, text: string): Promise<readonly MessageDto[]> {
  return Promise.all(roomIds.map((roomId) => alice.complete(write(roomId, text)) as Promise<MessageDto>));
}

/** What of these messages is there. */
async function found({ alice, roomIds }: Chat, messages: readonly MessageDto[]): Promise<readonly string[]> {
  const listed = roomIds.map((id) => alice.get<readonly MessageDto[]>(`/v1/rooms/${id}/messages?limit=100`));
  const ids = new Set((await Promise.all(listed)).flat().map(({ id }) => id));
  return messages.map(({ id }) => id).filter((id) => ids.has(id));
}

test('a running server appends what a failover lost', { timeout: slowlyMs }, async () => {
  const group = await startGroup();
  const server = await startServer(group, 'one');
  const chat = await startChat(() => server.url);
  const before = await say(chat, 'before');

  await stopReplication(group);
  const acknowledged = [...(await say(chat, 'first')), ...(await say(chat, 'second'))];
  await failOver(group);
  await poll(async () => (server.output.includes('appended again') ? true : undefined), 'nothing is appended', 60_000);
  const everything = [...before, ...acknowledged];
  const isThere = async () => ((await found(chat, everything)).length === everything.length ? true : undefined);
  await poll(isThere, 'an acknowledged message is missing', 60_000);
  await say(chat, 'after');

  expect(server.output).not.toContain('has lost its answered commits');
  expect(await server.stop()).toBe(0);
  const { code, output } = await verifyStore(group.url);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.not.stringContaining('lost') });
});

test('what died with its owner is named', { timeout: slowlyMs }, async () => {
  const group = await startGroup();
  const [owner, witness] = [await startServer(group, 'one'), await startServer(group, 'two')];
  let door = owner;
  const chat = await startChat(() => door.url);
  const before = await say(chat, 'before');

  await stopReplication(group);
  const acknowledged = [...(await say(chat, 'first')), ...(await say(chat, 'second'))];
  await hasBeaten(group);
  await owner.kill();
  await failOver(group);
  door = witness;
  const named = /shard (\d+) has lost its answered commits (\d+) to (\d+)/;
  await poll(async () => (named.test(witness.output) ? true : undefined), 'no loss is named', 60_000);
  await poll(async () => ((await owned(group)) === shards ? true : undefined), 'a shard has no owner', 60_000);
  const after = await say(chat, 'after');

  expect(await found(chat, [...before, ...after])).toHaveLength(2 * rooms);
  expect((await found(chat, acknowledged)).length).toBeLessThan(acknowledged.length);
  expect(await witness.stop()).toBe(0);
  const { code, output } = await verifyStore(group.url);
  const [, shard, from, to] = named.exec(witness.output)!;
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain(`shard ${shard}: lost its answered commits ${from} to ${to}`);
});
