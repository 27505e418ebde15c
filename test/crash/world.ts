/**
 * What the clients of a crash test know to exist, because its operation was acknowledged; and what one of them does next.
 * A command that the known world allows can fail because of a crash only, else something acknowledged was lost.
 */

import type { Language, SagaName } from '../../actors/contract.ts';
import { addMember, createRoom, edit, read, translate, write } from '../e2e/commands.ts';
import type { Account, Entry, Intent } from './ledger.ts';
import type { Random } from './random.ts';

interface Room {
  readonly id: string;
  /** Known members, by user id. */
  readonly members: Set<string>;
  readonly messages: Message[];
}

interface Message {
  readonly id: string;
  readonly senderId: string;
}

const roomsPerUserMax = 12;
const unknownId = '00000000-0000-4000-8000-000000000000';

type Move = 'write' | 'read' | 'edit' | 'translate' | 'create' | 'add' | 'break';
const moves: readonly Move[] = [
  ...(Array(12).fill('write') as Move[]),
  ...(Array(4).fill('read') as Move[]),
  ...(Array(4).fill('edit') as Move[]),
  ...(Array(3).fill('translate') as Move[]),
  ...(Array(3).fill('create') as Move[]),
  ...(Array(2).fill('add') as Move[]),
  ...(Array(2).fill('break') as Move[]),
];

export class World {
  readonly users = new Set<string>();
  readonly #rooms = new Map<string, Room>();
  #texts = 0;

  /** What a completed operation says of the world. */
  learn({ command, who, outcome }: Entry): void {
    if (outcome?.state !== 'COMPLETED') return;
    const { type, data } = command as { readonly type: SagaName; readonly data: Readonly<Record<string, string>> };
    const id = outcome.result?.id ?? '';
    if (type === 'USER_CREATE') this.users.add(who.id);
    if (type === 'ROOM_CREATE') {
      this.#rooms.set(id, { id, members: new Set([who.id, data.companionUserId!]), messages: [] });
    }
    if (type === 'ROOM_ADD_MEMBER') this.#rooms.get(data.roomId!)?.members.add(data.memberId!);
    if (type === 'MESSAGE_CREATE') this.#rooms.get(data.roomId!)?.messages.push({ id, senderId: who.id });
  }

  roomsOf(userId: string): readonly Room[] {
    return [...this.#rooms.values()].filter(({ members }) => members.has(userId));
  }

  next(who: Account, random: Random): Intent {
    const rooms = this.roomsOf(who.id);
    const move = random.pick(moves);
    if (rooms.length === 0 || (move === 'create' && rooms.length < roomsPerUserMax)) return this.#create(who, random);
    // Mostly the oldest ones, which grow long enough to be snapshotted.
    const room = random.pick(random.chance(0.7) ? rooms.slice(0, 2) : rooms);
    if (move === 'add') return intent(who, addMember(room.id, random.pick([...this.users])));
    if (move === 'break') return this.#break(who, room, random);
    const { messages } = room;
    if (move === 'write' || move === 'create' || messages.length === 0) {
      return intent(who, write(room.id, this.#text('message')));
    }
    // Recent ones, so that operations meet on the same message.
    const message = random.pick(messages.slice(-5));
    if (move === 'read') return intent(who, read(message.id));
    if (move === 'edit' && message.senderId === who.id) return intent(who, edit(message.id, this.#text('edit')));
    const language: Language = random.chance(0.5) ? 'ITALIAN' : 'UKRAINIAN';
    return intent(who, translate(message.id, language, this.#text('translation')), 'ALREADY_TRANSLATED');
  }

  #create(who: Account, random: Random): Intent {
    const others = [...this.users].filter((id) => id !== who.id);
    return intent(who, createRoom(random.pick(others)));
  }

  /** Something that a rule forbids. */
  #break(who: Account, room: Room, random: Random): Intent {
    const foreign = room.messages.find(({ senderId }) => senderId !== who.id);
    if (foreign !== undefined && random.chance(0.4))
      return forbidden(who, edit(foreign.id, 'not mine'), 'NOT_THE_SENDER');
    if (random.chance(0.3)) return forbidden(who, createRoom(who.id), 'COMPANION_IS_SELF');
    if (random.chance(0.5)) return forbidden(who, addMember(room.id, unknownId), 'USER_NOT_FOUND');
    return forbidden(who, write(unknownId, this.#text('message')), 'ROOM_NOT_FOUND');
  }

  #text(kind: string): string {
    this.#texts += 1;
    return `${kind} ${this.#texts}`;
  }
}

function intent(who: Account, command: Intent['command'], ...mayFailWith: readonly string[]): Intent {
  return { who, command, mayFailWith, mustFail: false };
}

function forbidden(who: Account, command: Intent['command'], code: string): Intent {
  return { who, command, mayFailWith: [code], mustFail: true };
}
