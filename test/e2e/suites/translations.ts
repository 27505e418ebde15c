/** The translators' queue: what is in it, for whom, in which order. */

import { describe, expect, test } from 'vitest';
import type { Language, MessageDto, RoomDto, UntranslatedDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { translate } from '../commands.ts';
import { page, pages } from '../pages.ts';
import type { Person } from '../person.ts';

const queuePath = '/v1/translations/queue';

interface Scene {
  /** Writes in English. */
  readonly alice: Person;
  /** Knows English and Italian. */
  readonly tara: Person;
  readonly room: RoomDto;
}

async function scene(chat: Chat): Promise<Scene> {
  const alice = await chat.user('alice');
  const tara = await chat.translator('tara', 'ENGLISH', 'ITALIAN');
  return { alice, tara, room: await alice.room(tara) };
}

function missingIn(queue: readonly UntranslatedDto[]): readonly (readonly [string, readonly Language[]])[] {
  return queue.map(({ content, missing }) => [content, missing]);
}

async function queueOf(translator: Person): Promise<readonly UntranslatedDto[]> {
  return translator.get<readonly UntranslatedDto[]>(queuePath);
}

function contents(chat: () => Chat): void {
  test('a message waits for each language of the translator', async () => {
    const { alice, tara, room } = await scene(chat());
    const olena = await chat().translator('olena', 'ENGLISH', 'UKRAINIAN', 'ITALIAN');
    await alice.add(room, olena);

    const message = await alice.write(room, 'hello');

    expect(await queueOf(tara)).toEqual([{ ...message, missing: ['ITALIAN'] }]);
    const [{ missing } = { missing: [] }] = await queueOf(olena);
    expect([...missing].sort()).toEqual(['ITALIAN', 'UKRAINIAN']);
  });

  test('a translated message leaves, for whom it was missing', async () => {
    const { alice, tara, room } = await scene(chat());
    const olena = await chat().translator('olena', 'ENGLISH', 'UKRAINIAN', 'ITALIAN');
    await alice.add(room, olena);
    const message = await alice.write(room, 'hello');

    const translated = await tara.complete(translate(message.id, 'ITALIAN', 'ciao'));
    expect(await queueOf(tara)).toEqual([]);
    expect(await queueOf(olena)).toEqual([{ ...translated, missing: ['UKRAINIAN'] }]);

    await olena.complete(translate(message.id, 'UKRAINIAN', 'привіт'));
    expect(await queueOf(olena)).toEqual([]);
  });

  test('the language a message is in is not missing', async () => {
    const { tara, room } = await scene(chat());
    const mario = await chat().translator('mario', 'ITALIAN', 'ENGLISH');
    await tara.add(room, mario);

    await mario.write(room, 'ciao');
    await tara.write(room, 'hello');

    expect(missingIn(await queueOf(tara))).toEqual([
      ['ciao', ['ENGLISH']],
      ['hello', ['ITALIAN']],
    ]);
  });

  test('messages of other people’s rooms are not in it', async () => {
    const { alice, room } = await scene(chat());
    await alice.write(room, 'secret');
    const outsider = await chat().translator('outsider', 'ENGLISH', 'ITALIAN');

    expect(await queueOf(outsider)).toEqual([]);
  });

  test('a translator who joins later gets what was there', async () => {
    const { alice, room } = await scene(chat());
    const message = await alice.write(room, 'hello');
    const late = await chat().translator('late', 'ENGLISH', 'UKRAINIAN');

    await alice.add(room, late);

    expect(await queueOf(late)).toEqual([{ ...message, missing: ['UKRAINIAN'] }]);
  });

  test('it is for translators who exist', async () => {
    const { alice } = await scene(chat());
    const stranger = await chat().stranger();

    expect(await alice.call('GET', queuePath)).toMatchObject({ status: 403, body: { code: 'NOT_A_TRANSLATOR' } });
    expect(await stranger.call('GET', queuePath)).toMatchObject({ status: 403, body: { code: 'USER_NOT_REGISTERED' } });
  });
}

function paging(chat: () => Chat): void {
  test('pages go back in time, over all rooms', async () => {
    const { alice, tara, room } = await scene(chat());
    const rooms = [room, await alice.room(tara), await alice.room(tara)];
    const written: MessageDto[] = [];
    for (let i = 0; i < 40; i++) written.push(await alice.write(rooms[i % 3]!, `${i}`));

    const found = await pages<UntranslatedDto>(tara, `${queuePath}?limit=15`);

    const ids = written.map(({ id, dateCreated }) => `${dateCreated} ${id}`).sort();
    const shown = found.map((one) => one.map(({ id, dateCreated }) => `${dateCreated} ${id}`));
    expect(shown).toEqual([ids.slice(25), ids.slice(10, 25), ids.slice(0, 10)]);
  });

  test('pages stay while messages come and go', async () => {
    const { alice, tara, room } = await scene(chat());
    const written: MessageDto[] = [];
    for (let i = 0; i < 6; i++) written.push(await alice.write(room, `${i}`));
    const first = await page<UntranslatedDto>(tara, `${queuePath}?limit=3`);
    await alice.write(room, 'in between');
    for (const { id } of first.items) await tara.complete(translate(id, 'ITALIAN', 'fatto'));

    const second = await page<UntranslatedDto>(tara, first.next!);

    const shown = [...second.items, ...first.items].map(({ content }) => content);
    expect([...shown].sort()).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(second.next).toBeUndefined();
  });

  test('a made-up position or limit is refused', async () => {
    const { tara } = await scene(chat());

    for (const query of ['before=nowhere', 'limit=0', 'limit=201', 'after=x']) {
      expect(await tara.call('GET', `${queuePath}?${query}`)).toMatchObject({ status: 400 });
    }
  });
}

export function translationSuite(chat: () => Chat): void {
  describe('contents', () => contents(chat));
  describe('pages', () => paging(chat));
}
