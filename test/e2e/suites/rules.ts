/** Each rule of the chat that a saga decides: its code, its status, and how every way of asking tells it. */

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Chat } from '../chat.ts';
import { addMember, type Command, createRoom, createUser, edit, read, translate, write } from '../commands.ts';
import { channels, type Person } from '../person.ts';

interface Broken {
  readonly who: Person;
  readonly command: Command;
  /** What fills in the problem's text. */
  readonly params?: Readonly<Record<string, string>>;
}

interface Rule {
  readonly title: string;
  readonly code: string;
  readonly status: number;
  arrange(chat: Chat): Promise<Broken>;
}

const regular = { type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' } as const;

const userRules: readonly Rule[] = [
  {
    title: 'a user is created once',
    code: 'USER_ALREADY_EXISTS',
    status: 409,
    async arrange(chat) {
      const who = await chat.user('alice');
      return { who, command: createUser(regular), params: { userId: who.id } };
    },
  },
  {
    title: 'a translator without languages is refused',
    code: 'LANGUAGES_INVALID',
    status: 422,
    async arrange(chat) {
      return { who: await chat.stranger(), command: createUser({ type: 'TRANSLATOR', primaryLanguage: 'ITALIAN' }) };
    },
  },
  {
    title: 'a translator of its own language is refused',
    code: 'LANGUAGES_INVALID',
    status: 422,
    async arrange(chat) {
      const translationLanguages = ['ITALIAN', 'ITALIAN'] as const;
      const profile = { type: 'TRANSLATOR', primaryLanguage: 'ITALIAN', translationLanguages } as const;
      return { who: await chat.stranger(), command: createUser(profile) };
    },
  },
];

const roomRules: readonly Rule[] = [
  {
    title: 'a companion has to exist',
    code: 'USER_NOT_FOUND',
    status: 404,
    async arrange(chat) {
      const [who, nobody] = [await chat.user('alice'), await chat.stranger()];
      return { who, command: createRoom(nobody.id), params: { userId: nobody.id } };
    },
  },
  {
    title: 'nobody is their own companion',
    code: 'COMPANION_IS_SELF',
    status: 422,
    async arrange(chat) {
      const who = await chat.user('alice');
      return { who, command: createRoom(who.id) };
    },
  },
  {
    title: 'a new member has to exist',
    code: 'USER_NOT_FOUND',
    status: 404,
    async arrange(chat) {
      const [who, nobody] = [await chat.user('alice'), await chat.stranger()];
      const room = await who.room(await chat.user('bob'));
      return { who, command: addMember(room.id, nobody.id), params: { userId: nobody.id } };
    },
  },
  {
    title: 'only members add members',
    code: 'NOT_A_MEMBER',
    status: 403,
    async arrange(chat) {
      const [alice, who] = [await chat.user('alice'), await chat.user('mallory')];
      const room = await alice.room(await chat.user('bob'));
      return { who, command: addMember(room.id, who.id), params: { roomId: room.id, userId: who.id } };
    },
  },
  {
    title: 'members are not added to unknown rooms',
    code: 'ROOM_NOT_FOUND',
    status: 404,
    async arrange(chat) {
      const roomId = randomUUID();
      const who = await chat.user('alice');
      return { who, command: addMember(roomId, (await chat.user('bob')).id), params: { roomId } };
    },
  },
  {
    title: 'only members write in a room',
    code: 'NOT_A_MEMBER',
    status: 403,
    async arrange(chat) {
      const [alice, who] = [await chat.user('alice'), await chat.user('mallory')];
      const room = await alice.room(await chat.user('bob'));
      return { who, command: write(room.id, 'let me in'), params: { roomId: room.id, userId: who.id } };
    },
  },
  {
    title: 'nobody writes in an unknown room',
    code: 'ROOM_NOT_FOUND',
    status: 404,
    async arrange(chat) {
      const roomId = randomUUID();
      return { who: await chat.user('alice'), command: write(roomId, 'hello?'), params: { roomId } };
    },
  },
];

interface Written {
  readonly alice: Person;
  readonly tara: Person;
  readonly messageId: string;
  readonly roomId: string;
}

/** Alice has written, in English, to Tara, who translates into Ukrainian. */
async function written(chat: Chat): Promise<Written> {
  const [alice, tara] = [await chat.user('alice'), await chat.translator('tara', 'ENGLISH', 'UKRAINIAN')];
  const room = await alice.room(tara);
  const message = await alice.write(room, 'hello');
  return { alice, tara, messageId: message.id, roomId: room.id };
}

const messageRules: readonly Rule[] = [
  {
    title: 'only its sender edits a message',
    code: 'NOT_THE_SENDER',
    status: 403,
    async arrange(chat) {
      const { tara, messageId } = await written(chat);
      return { who: tara, command: edit(messageId, 'mine now'), params: { messageId } };
    },
  },
  {
    title: 'only members read a message',
    code: 'NOT_A_MEMBER',
    status: 403,
    async arrange(chat) {
      const { messageId, roomId } = await written(chat);
      const who = await chat.user('mallory');
      return { who, command: read(messageId), params: { roomId, userId: who.id } };
    },
  },
  {
    title: 'only members translate a message',
    code: 'NOT_A_MEMBER',
    status: 403,
    async arrange(chat) {
      const { messageId, roomId } = await written(chat);
      const who = await chat.translator('mallory', 'ENGLISH', 'ITALIAN');
      return { who, command: translate(messageId, 'ITALIAN', 'ciao'), params: { roomId, userId: who.id } };
    },
  },
  {
    title: 'only translators translate',
    code: 'NOT_A_TRANSLATOR',
    status: 403,
    async arrange(chat) {
      const { alice, messageId } = await written(chat);
      return { who: alice, command: translate(messageId, 'ITALIAN', 'ciao') };
    },
  },
  {
    title: 'a translator translates into its languages only',
    code: 'LANGUAGE_NOT_KNOWN',
    status: 422,
    async arrange(chat) {
      const { tara, messageId } = await written(chat);
      return { who: tara, command: translate(messageId, 'ITALIAN', 'ciao'), params: { language: 'ITALIAN' } };
    },
  },
  {
    title: 'a message is not translated into its own language',
    code: 'LANGUAGE_IS_ORIGINAL',
    status: 422,
    async arrange(chat) {
      const { tara, messageId } = await written(chat);
      return { who: tara, command: translate(messageId, 'ENGLISH', 'hello'), params: { language: 'ENGLISH' } };
    },
  },
  {
    title: 'a message is translated once per language',
    code: 'ALREADY_TRANSLATED',
    status: 409,
    async arrange(chat) {
      const { tara, messageId } = await written(chat);
      await tara.complete(translate(messageId, 'UKRAINIAN', 'привіт'));
      const command = translate(messageId, 'UKRAINIAN', 'вітаю');
      return { who: tara, command, params: { messageId, language: 'UKRAINIAN' } };
    },
  },
];

const unknown: readonly Rule[] = [
  { title: 'an unknown message is not edited', command: (id: string) => edit(id, 'hello') },
  { title: 'an unknown message is not read', command: (id: string) => read(id) },
  { title: 'an unknown message is not translated', command: (id: string) => translate(id, 'ITALIAN', 'ciao') },
].map(({ title, command }) => ({
  title,
  code: 'MESSAGE_NOT_FOUND',
  status: 404,
  async arrange(chat: Chat) {
    const messageId = randomUUID();
    const who = await chat.translator('tara', 'ENGLISH', 'ITALIAN');
    return { who, command: command(messageId), params: { messageId } };
  },
}));

const rules = [...userRules, ...roomRules, ...messageRules, ...unknown];

export function ruleSuite(chat: () => Chat): void {
  describe.each(rules)('$title ($code)', ({ code, status, arrange }) => {
    test.each(channels)('and %s tells it', async (channel) => {
      const { who, command, params } = await arrange(chat());

      const { operationId, error } = await who.run(command, channel);

      expect(error).toMatchObject({ code, status, operationId });
      if (params !== undefined) expect(error?.params).toMatchObject(params);
      expect(error?.type).toBe(`urn:troupe:problem:${code.toLowerCase().replaceAll('_', '-')}`);
      expect(error?.retryable).toBeUndefined();
      expect(error?.detail.length).toBeGreaterThan(10);
      expect(error?.detail).not.toMatch(/[{}?]/);
    });
  });

  describe('commands of somebody who is not registered', () => {
    const id = randomUUID();
    const commands = [createRoom(id), addMember(id, id), write(id, 'a'), edit(id, 'a'), read(id)];
    const all = [...commands, translate(id, 'ITALIAN', 'a')].map((command) => ({ type: command.type, command }));

    test.each(all)('$type is refused at once over HTTP', async ({ command }) => {
      const stranger = await chat().stranger();

      const { status, body } = await stranger.send(command);

      expect(status).toBe(403);
      expect(body).toMatchObject({ code: 'USER_NOT_REGISTERED', status: 403 });
    });

    test.each(all)('$type is refused at once over a socket', async ({ command }) => {
      const socket = await (await chat().stranger()).connect();

      const { re, ...reply } = await socket.command(command);

      expect(reply).toMatchObject({ ok: false, error: { code: 'USER_NOT_REGISTERED', status: 403 } });
      expect(re).toBeDefined();
    });
  });

  describe('a rule that was broken changes nothing', () => {
    test('a refused edit leaves the message as it was', async () => {
      const { alice, tara, messageId, roomId } = await written(chat());

      await tara.fail(edit(messageId, 'mine now'));

      const [message] = await alice.get<readonly { content: string; modified: boolean }[]>(
        `/v1/rooms/${roomId}/messages`,
      );
      expect(message).toMatchObject({ content: 'hello', modified: false });
    });

    test('a refused creation of a user leaves it absent', async () => {
      const stranger = await chat().stranger();
      await stranger.fail(createUser({ type: 'TRANSLATOR', primaryLanguage: 'ITALIAN' }));

      expect((await stranger.call('GET', '/v1/users/currentUser')).status).toBe(404);
      expect((await stranger.register()).id).toBe(stranger.id);
    });

    test('a refused member stays outside', async () => {
      const [alice, mallory] = [await chat().user('alice'), await chat().user('mallory')];
      const room = await alice.room(await chat().user('bob'));

      await mallory.fail(addMember(room.id, mallory.id));

      expect(await alice.get(`/v1/rooms/${room.id}`)).toEqual(room);
    });
  });
}
