/** An email is shown to its owner only, in answers and in frames. */

import { describe, expect, test } from 'vitest';
import type { UserDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { edit, read } from '../commands.ts';
import type { Person } from '../person.ts';

/** Alice and Bob have written to each other in a room that Carol was added to. */
async function acquainted(chat: Chat): Promise<readonly [Person, Person, Person]> {
  const [alice, bob, carol] = [await chat.user('alice'), await chat.user('bob'), await chat.user('carol')];
  const room = await alice.room(bob);
  const message = await alice.write(room, 'hello');
  await bob.complete(read(message.id));
  await alice.add(room, carol);
  await carol.write(room, 'thanks');
  return [alice, bob, carol];
}

export function privacySuite(chat: () => Chat): void {
  describe('in answers', () => {
    test('an email is in its owner’s answers', async () => {
      const alice = await chat().user('alice');

      const paths = ['/v1/users/currentUser', `/v1/users/${alice.id}`];

      for (const path of paths) expect((await alice.get<UserDto>(path)).email).toBe(alice.email);
    });

    test('an email is in no answer to others', async () => {
      const [alice, bob, carol] = await acquainted(chat());

      const paths = [`/v1/users/${alice.id}`, `/v1/users/${carol.id}`, '/v1/users/all', '/v1/rooms', '/v1/messages'];
      const answers = await Promise.all(paths.map((path) => bob.get<unknown>(path)));

      expect(JSON.stringify(answers)).toContain(alice.id);
      expect(JSON.stringify(answers)).not.toContain('@');
    });

    test('a search shows the searcher’s email alone', async () => {
      const name = `privacy${Date.now()}`;
      const [alice, bob] = [await chat().user(name), await chat().user(name)];

      const found = await bob.get<readonly UserDto[]>(`/v1/users?query=${name}`);

      const emails = Object.fromEntries(found.map(({ id, email }) => [id, email]));
      expect(emails).toEqual({ [alice.id]: undefined, [bob.id]: bob.email });
    });
  });

  describe('in frames', () => {
    test('nobody reads another one’s email', async () => {
      const [alice, bob] = [await chat().stranger('alice'), await chat().user('bob')];
      const carol = await chat().user('carol');
      const people = [alice, bob, carol];
      const sockets = await Promise.all(people.map((person) => person.connect()));
      await alice.register();
      const room = await alice.room(bob);
      const message = await bob.write(room, 'hello');
      await alice.add(room, carol);
      await bob.complete(edit(message.id, 'hello!'));

      for (const socket of sockets) await socket.news('MESSAGE_UPDATED', (dto: { modified: boolean }) => dto.modified);

      const emails = sockets.map(({ frames }) => new Set(JSON.stringify(frames).match(/[\w-]+@[\w.]+/g)));
      expect(emails).toEqual([new Set([alice.email]), new Set(), new Set()]);
    });

    test('a companion comes without its email', async () => {
      const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
      const socket = await alice.connect();

      await alice.room(bob);

      expect((await socket.news<UserDto>('USER_UPDATED')).data).not.toHaveProperty('email');
    });
  });
}
