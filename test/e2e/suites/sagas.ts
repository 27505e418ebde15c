/** Each of the seven sagas completes, in each way a client may run it, and gives its DTO exactly. */

import { describe, expect, test } from 'vitest';
import type { Chat } from '../chat.ts';
import { addMember, createRoom, createUser, edit, read, translate, write } from '../commands.ts';
import { channels } from '../person.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A time of this minute or so: the server's clock is ours. */
function expectRecent(time: number): void {
  expect(Number.isInteger(time)).toBe(true);
  expect(Math.abs(Date.now() - time)).toBeLessThan(120_000);
}

export function sagaSuite(chat: () => Chat): void {
  describe.each(channels)('by %s', (channel) => {
    test('USER_CREATE gives the user with its email', async () => {
      const alice = await chat().stranger('alice');
      const profile = { type: 'REGULAR_USER', username: 'alice', primaryLanguage: 'UKRAINIAN' } as const;

      const { result } = await alice.run(createUser(profile), channel);

      const { dateCreated, ...user } = result!;
      expect(user).toEqual({ id: alice.id, email: alice.email, ...profile, dateUpdated: dateCreated });
      expectRecent(dateCreated);
    });

    test('USER_CREATE adds the primary language to a translator', async () => {
      const tara = await chat().stranger('tara');
      const profile = { type: 'TRANSLATOR', primaryLanguage: 'ITALIAN', translationLanguages: ['ENGLISH'] } as const;

      const { result } = await tara.run(createUser(profile), channel);

      const { translationLanguages = [], dateCreated, ...user } = result!;
      expect([...translationLanguages].sort()).toEqual(['ENGLISH', 'ITALIAN']);
      const rest = { type: 'TRANSLATOR', primaryLanguage: 'ITALIAN', dateUpdated: dateCreated };
      expect(user).toEqual({ id: tara.id, email: tara.email, ...rest });
    });

    test('ROOM_CREATE gives a room of two members', async () => {
      const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];

      const { result } = await alice.run(createRoom(bob.id), channel);

      const { id, dateCreated, ...room } = result!;
      expect(id).toMatch(uuid);
      expect(room).toEqual({ createdBy: alice.id, members: [alice.id, bob.id], dateUpdated: dateCreated });
      expectRecent(dateCreated);
    });

    test('ROOM_ADD_MEMBER gives the room with its newcomer', async () => {
      const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
      const room = await alice.room(bob);

      const { result } = await bob.run(addMember(room.id, carol.id), channel);

      const { dateUpdated, ...rest } = result!;
      expect(rest).toEqual({
        id: room.id,
        createdBy: alice.id,
        members: [alice.id, bob.id, carol.id],
        dateCreated: room.dateCreated,
      });
      expect(dateUpdated).toBeGreaterThanOrEqual(room.dateUpdated);
    });

    test('MESSAGE_CREATE gives a message in its sender’s language', async () => {
      const [alice, bob] = [await chat().user('alice', { primaryLanguage: 'ITALIAN' }), await chat().user('bob')];
      const room = await alice.room(bob);

      const { result } = await alice.run(write(room.id, 'Ciao, Bob 👋'), channel);

      const { id, dateCreated, ...message } = result!;
      expect(id).toMatch(uuid);
      expectRecent(dateCreated);
      expect(message).toEqual({
        roomId: room.id,
        senderId: alice.id,
        content: 'Ciao, Bob 👋',
        read: [],
        originalLanguage: 'ITALIAN',
        translations: [],
        modified: false,
      });
    });

    test('MESSAGE_UPDATE gives the message, marked as modified', async () => {
      const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
      const message = await alice.write(await alice.room(bob), 'helo');

      const { result } = await alice.run(edit(message.id, 'hello'), channel);

      expect(result).toEqual({ ...message, content: 'hello', modified: true });
    });

    test('MESSAGE_READ gives the message with its reader', async () => {
      const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
      const message = await alice.write(await alice.room(bob), 'hello');

      const { result } = await bob.run(read(message.id), channel);

      expect(result).toEqual({ ...message, read: [bob.id] });
    });

    test('MESSAGE_TRANSLATE gives the message with its translation', async () => {
      const alice = await chat().user('alice');
      const tara = await chat().translator('tara', 'ENGLISH', 'UKRAINIAN');
      const message = await alice.write(await alice.room(tara), 'hello');

      const { result } = await tara.run(translate(message.id, 'UKRAINIAN', 'привіт'), channel);

      const translation = { translatorId: tara.id, translation: 'привіт', language: 'UKRAINIAN', isModified: false };
      expect(result).toEqual({ ...message, translations: [translation] });
    });
  });

  describe('what is repeated', () => {
    test('adding a member twice completes and changes nothing', async () => {
      const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
      const room = await alice.add(await alice.room(bob), carol);

      const again = await bob.complete(addMember(room.id, carol.id));

      expect(again).toEqual(room);
      expect(await alice.get(`/v1/rooms/${room.id}`)).toEqual(room);
    });

    test('reading twice completes and counts once', async () => {
      const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
      const message = await alice.write(await alice.room(bob), 'hello');
      const once = await bob.complete(read(message.id));

      const twice = await bob.complete(read(message.id));

      expect(twice).toEqual(once);
      expect(twice.read).toEqual([bob.id]);
    });

    test('a pair of users may have several rooms', async () => {
      const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];

      const rooms = [await alice.room(bob), await alice.room(bob), await bob.room(alice)];

      expect(new Set(rooms.map(({ id }) => id)).size).toBe(3);
    });

    test('a message has a translation into each language', async () => {
      const alice = await chat().user('alice');
      const tara = await chat().translator('tara', 'ENGLISH', 'UKRAINIAN', 'ITALIAN');
      const message = await alice.write(await alice.room(tara), 'hello');

      await tara.complete(translate(message.id, 'ITALIAN', 'ciao'));
      const both = await tara.complete(translate(message.id, 'UKRAINIAN', 'привіт'));

      expect(both.translations.map(({ language }) => language)).toEqual(['ITALIAN', 'UKRAINIAN']);
    });
  });

  describe('limits of what people write', () => {
    test('the longest content is kept as it was sent', async () => {
      const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
      const content = 'ї👋'.repeat(2_000);

      const message = await alice.write(await alice.room(bob), content);

      expect(message.content).toBe(content);
    });

    test('the longest username is kept as it was sent', async () => {
      const alice = await chat().stranger('alice');

      const user = await alice.register({ username: 'я'.repeat(64) });

      expect(user.username).toBe('я'.repeat(64));
    });

    test('a user’s id is the known UUID of its email', async () => {
      const alice = await chat().signIn('alice@example.com');

      expect(alice.id).toBe('c160f8cc-69a4-30bf-ab03-62752353d060');
    });
  });
}
