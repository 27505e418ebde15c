/**
 * The flaw that the original documents: operation B's failure blamed on operation A, when both are about the same room
 * or message at once. Here each operation ends with its own outcome, and what failed left nothing behind.
 */

import { expect, test } from 'vitest';
import type { MessageDto, RoomDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { addMember, type Command, edit, read, translate, write } from '../commands.ts';
import { type Accepted, channels, type Ended, type Person } from '../person.ts';

interface Attempt {
  readonly who: Person;
  readonly command: Command;
  /** The code it fails with; undefined for one that completes. */
  readonly fails?: string;
}

/** Runs all at once, in every way, and holds each outcome against what its own command deserves. */
async function runAtOnce(attempts: readonly Attempt[]): Promise<void> {
  const run = async ({ who, command, fails }: Attempt, index: number): Promise<void> => {
    const { operationId, result, error } = await who.run(command, channels[index % channels.length]!);
    expect(error?.code, `${command.type} of ${who.email}: ${error?.detail}`).toBe(fails);
    if (fails === undefined) expect(result).toBeDefined();
    else expect(error?.operationId).toBe(operationId);
  };
  await Promise.all(attempts.map(run));
}

function times<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Interleaved, so that failures meet successes everywhere. */
function interleaved(...lists: readonly (readonly Attempt[])[]): readonly Attempt[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return times(longest, (index) => lists.flatMap((list) => list[index] ?? [])).flat();
}

interface Cast {
  readonly alice: Person;
  readonly bob: Person;
  readonly tara: Person;
  readonly mallory: Person;
  readonly room: RoomDto;
  readonly message: MessageDto;
}

async function cast(chat: Chat): Promise<Cast> {
  const [alice, bob, mallory] = await Promise.all([chat.user('alice'), chat.user('bob'), chat.user('mallory')]);
  const tara = await chat.translator('tara', 'ENGLISH', 'ITALIAN', 'UKRAINIAN');
  const room = await alice.add(await alice.room(bob), tara);
  return { alice, bob, tara, mallory, room, message: await alice.write(room, 'hello') };
}

async function codes(ended: readonly Promise<Ended>[]): Promise<readonly string[]> {
  return (await Promise.all(ended)).map(({ error }) => error?.code ?? 'COMPLETED').sort();
}

export function blameSuite(chat: () => Chat): void {
  test('failing edits of others spoil no edit', async () => {
    const { alice, bob, message, room } = await cast(chat());

    await runAtOnce(
      interleaved(
        times(12, (index) => ({ who: alice, command: edit(message.id, `by Alice ${index}`) })),
        times(12, () => ({ who: bob, command: edit(message.id, 'by Bob'), fails: 'NOT_THE_SENDER' })),
      ),
    );

    const [shown] = await bob.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
    expect(shown?.content).toMatch(/^by Alice/);
  });

  test('failing reads and translations spoil no read', async () => {
    const { bob, tara, mallory, message, room } = await cast(chat());

    await runAtOnce(
      interleaved(
        times(8, () => ({ who: bob, command: read(message.id) })),
        times(8, () => ({ who: mallory, command: read(message.id), fails: 'NOT_A_MEMBER' })),
        times(8, () => ({ who: bob, command: translate(message.id, 'ITALIAN', 'no'), fails: 'NOT_A_TRANSLATOR' })),
        times(8, () => ({ who: tara, command: translate(message.id, 'ENGLISH', 'no'), fails: 'LANGUAGE_IS_ORIGINAL' })),
      ),
    );

    const [shown] = await bob.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
    expect(shown).toEqual({ ...message, read: [bob.id] });
  });

  test('writing outsiders and unknown members spoil no message', async () => {
    const { alice, bob, mallory, room } = await cast(chat());
    const nobody = await chat().stranger();

    await runAtOnce(
      interleaved(
        times(10, (index) => ({ who: alice, command: write(room.id, `Alice ${index}`) })),
        times(10, () => ({ who: mallory, command: write(room.id, 'Mallory'), fails: 'NOT_A_MEMBER' })),
        times(10, () => ({ who: bob, command: addMember(room.id, nobody.id), fails: 'USER_NOT_FOUND' })),
        times(10, (index) => ({ who: bob, command: write(room.id, `Bob ${index}`) })),
      ),
    );

    const all = await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
    const expected = ['hello', ...times(10, (index) => [`Alice ${index}`, `Bob ${index}`]).flat()];
    expect(all.map(({ content }) => content).sort()).toEqual([...expected].sort());
    expect(await alice.get(`/v1/rooms/${room.id}`)).toEqual(room);
  });

  test('one of several translations completes, others say why', async () => {
    const { tara, alice, message, room } = await cast(chat());
    const second = await chat().translator('tom', 'ENGLISH', 'ITALIAN');
    await alice.add(room, second);

    const ended = times(10, (index) => {
      const translator = index % 2 === 0 ? tara : second;
      return translator.run(translate(message.id, 'ITALIAN', `ciao ${index}`), channels[index % channels.length]!);
    });

    expect(await codes(ended)).toEqual([...times(9, () => 'ALREADY_TRANSLATED'), 'COMPLETED']);
    const [shown] = await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
    const { result } = (await Promise.all(ended)).find(({ error }) => error === undefined)!;
    expect(shown?.translations).toEqual((result as MessageDto).translations);
  });

  test('outcomes of one socket name their own operations', async () => {
    const { alice, message, room } = await cast(chat());
    const socket = await alice.connect();
    const nobody = await chat().stranger();
    const commands = times(20, (index) => [
      { command: write(room.id, `fine ${index}`), outcome: 'MESSAGE_CREATE_COMPLETED', code: undefined },
      { command: addMember(room.id, nobody.id), outcome: 'ROOM_ADD_MEMBER_ERROR', code: 'USER_NOT_FOUND' },
      { command: edit(message.id, `edit ${index}`), outcome: 'MESSAGE_UPDATE_COMPLETED', code: undefined },
      { command: translate(message.id, 'ITALIAN', 'no'), outcome: 'MESSAGE_TRANSLATE_ERROR', code: 'NOT_A_TRANSLATOR' },
    ]).flat();

    const replies = await Promise.all(commands.map(({ command }) => socket.command(command)));

    for (const [index, { outcome, code }] of commands.entries()) {
      const frame = await socket.outcome((replies[index]!.data as Accepted).operationId);
      expect(frame.type).toBe(outcome);
      expect((frame.data as { code?: string }).code).toBe(code);
    }
  });

  test('a user created many times exists once', async () => {
    const newcomer = await chat().stranger('newcomer');
    const profile = { type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' } as const;

    const ended = times(8, (index) =>
      newcomer.run(
        {
          type: 'USER_CREATE',
          data: { ...profile, username: `name ${index}` },
          request: { method: 'POST', path: '/v1/users/currentUser', body: { ...profile, username: `name ${index}` } },
        },
        channels[index % channels.length]!,
      ),
    );

    expect(await codes(ended)).toEqual(['COMPLETED', ...times(7, () => 'USER_ALREADY_EXISTS')]);
    const { result } = (await Promise.all(ended)).find(({ error }) => error === undefined)!;
    expect(await newcomer.get('/v1/users/currentUser')).toEqual(result);
  });
}
