/** Stops and starts: a stopped server finishes what it began, and a started one has everything. */

import { expect, test } from 'vitest';
import type { MessageDto } from '../../../actors/contract.ts';
import { troupe } from '../../cli/command-line.ts';
import type { Chat } from '../chat.ts';
import { read, write } from '../commands.ts';
import type { Operation } from '../http-client.ts';
import type { Accepted, Person } from '../person.ts';

/** What each of a person's reads shows. */
async function everything(person: Person, roomId: string): Promise<unknown> {
  const paths = ['/v1/users/currentUser', '/v1/users/all', '/v1/rooms', '/v1/messages', `/v1/rooms/${roomId}/messages`];
  return Promise.all(paths.map((path) => person.get(path)));
}

export function lifecycleSuite(chat: () => Chat): void {
  test('SIGTERM tells the sockets and exits with 0', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const sockets = [await alice.connect(), await alice.connect(), await bob.connect()];

    const code = await chat().server.stop();

    expect(code).toBe(0);
    for (const socket of sockets) {
      expect(await socket.closed).toEqual({ code: 1012, reason: 'SERVER_RESTARTING' });
      expect(socket.frames.at(-1)).toMatchObject({ type: 'CLOSING', code: 1012, data: { retryable: true } });
    }
    expect(chat().server.output).not.toMatch(/"level":[56]0/);
    await chat().startAgain();
  });

  test('a restarted server has everything', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const message = await alice.write(room, 'hello');
    await bob.complete(read(message.id));
    const { operationId } = (await bob.send<Accepted>(write(room.id, 'and you?'))).body;
    await bob.ended(operationId);
    const before = await everything(bob, room.id);
    const operation = await bob.get(`/v1/operations/${operationId}`);

    await chat().restart();

    expect(await everything(bob, room.id)).toEqual(before);
    expect(await bob.get(`/v1/operations/${operationId}`)).toEqual(operation);
  });

  test('a reconnected socket hears of news again', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    await alice.write(room, 'before');
    await chat().restart();
    const socket = await bob.connect();

    const message = await alice.write(room, 'after');

    expect((await socket.news('MESSAGE_UPDATED')).data).toEqual(message);
    expect(socket.all('MESSAGE_UPDATED')).toHaveLength(1);
  });

  test('commands under way at a stop end or fail cleanly', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const contents = Array.from({ length: 60 }, (_, index) => `message ${index}`);
    const send = (content: string) =>
      alice.send<Operation<MessageDto>>(write(room.id, content), { prefer: 'wait=25', 'idempotency-key': content });

    const sent = contents.map((content) => send(content).catch(() => undefined));
    await Promise.any(sent);
    expect(await chat().server.stop()).toBe(0);
    const answers = await Promise.all(sent);
    await chat().startAgain();

    for (const answer of answers) if (answer !== undefined) expect([200, 202, 503]).toContain(answer.status);
    const listed = await bob.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages?limit=200`);
    const acknowledged = answers.flatMap((answer) => answer?.body.result ?? []);
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const message of acknowledged) expect(listed.find(({ id }) => id === message.id)).toEqual(message);
    for (const { body } of await Promise.all(contents.map(send)))
      expect(body.state, JSON.stringify(body)).toBe('COMPLETED');
    const after = await bob.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages?limit=200`);
    expect(after.map(({ content }) => content).sort()).toEqual([...contents].sort());
  });

  test('a command over a socket at a stop is answered', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const socket = await alice.connect();
    const contents = Array.from({ length: 40 }, (_, index) => `frame ${index}`);

    const replies = contents.map((content) => socket.command(write(room.id, content), content).catch(() => undefined));
    await replies[0];
    expect(await chat().server.stop()).toBe(0);
    await chat().startAgain();

    for (const reply of await Promise.all(replies)) {
      if (reply?.ok !== true) expect(reply?.error?.code ?? 'none').toMatch(/^(SERVER_RESTARTING|STOPPED|none)$/);
      else expect((await alice.ended((reply.data as Accepted).operationId)).error).toBeUndefined();
    }
  });

  test('all that was done here agrees with its journal', async () => {
    const { code, out, err } = await troupe(['verify'], { JOURNAL: chat().store.url });

    expect([...out, ...err].join('\n')).toMatch(/agrees with the journal/);
    expect(code).toBe(0);
  });
}
