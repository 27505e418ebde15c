/**
 * Where a message is in its room, for one who reads it. There is no row for that: rows are in the order of positions, and
 * only what lies between how far somebody has read and the room's end can move a read position. It is looked for from
 * both ends of that, since people read what is new or go on where they were; whichever end is nearer, what was passed
 * is not passed again.
 */

import type { ActorSystem, RangeOptions } from '../src/index.ts';
import type { Rows } from './contract.ts';
import { room } from './room.ts';
import { positionIn, positionKey } from './views.ts';

export interface Reading {
  readonly roomId: string;
  readonly messageId: string;
  readonly userId: string;
  /** Of the message, ms since 1970. */
  readonly dateCreated: number;
}

/** Nearly everybody reads one of these. */
const newestMax = 64;
const pageMax = 1_000;
/** A message that is older than this has its position. */
const youngMs = 60_000;

interface Place {
  readonly position: number;
  readonly messageId: string;
}

class Places {
  readonly #system: ActorSystem;
  readonly #roomId: string;

  constructor(system: ActorSystem, roomId: string) {
    this.#system = system;
    this.#roomId = roomId;
  }

  /** The last ones before a position, or at the end; the last one first. */
  before(position: number | undefined, limit: number): Promise<readonly Place[]> {
    return this.#read({ reverse: true, limit, ...this.#beyond(position) });
  }

  after(position: number, limit: number): Promise<readonly Place[]> {
    return this.#read({ limit, ...this.#beyond(position) });
  }

  #beyond(position: number | undefined): { readonly after?: string } {
    return position === undefined ? {} : { after: positionKey(this.#roomId, position) };
  }

  async #read(options: Omit<RangeOptions, 'prefix'>): Promise<readonly Place[]> {
    const range = { prefix: `${this.#roomId}/`, ...options };
    const rows = await this.#system.range<Rows['room-messages']>('room-messages', this.#roomId, range);
    return rows.map(({ key, value }) => ({ position: positionIn(key), messageId: value }));
  }
}

/** From both ends of what lies between two positions, of which neither is looked at. */
async function between(places: Places, messageId: string, low: number, high: number): Promise<number | undefined> {
  for (let [from, to] = [low, high]; to - from > 1; ) {
    const limit = Math.min(pageMax, to - from - 1);
    const [first, last] = await Promise.all([places.after(from, limit), places.before(to, limit)]);
    const found = [...first, ...last].find((place) => place.messageId === messageId);
    if (found !== undefined) return found.position;
    if (first.length < limit) return undefined;
    [from, to] = [from + limit, to - limit];
  }
  return undefined;
}

/** Undefined where no read position can move: the reader has read as far, or is not in the room. */
export async function unreadPositionOf(system: ActorSystem, reading: Reading): Promise<number | undefined> {
  const { roomId, messageId, userId, dateCreated } = reading;
  const places = new Places(system, roomId);
  const newest = await places.before(undefined, newestMax);
  const atEnd = newest.find((place) => place.messageId === messageId);
  if (atEnd !== undefined) return atEnd.position;
  const [[member], [read]] = await Promise.all([
    system.rows<Rows['memberships']>('memberships', userId, [`${userId}/${roomId}`]),
    system.rows<Rows['read-positions']>('read-positions', roomId, [`${roomId}/${userId}`]),
  ]);
  if (member === undefined) return undefined;
  const found = await between(places, messageId, read ?? 0, newest.at(-1)?.position ?? 0);
  if (found !== undefined || dateCreated + youngMs < system.now()) return found;
  // The message is there in the same moment as its position, save where the room is busier than one turn can be: what it
  // had before it by now is behind it when it has answered.
  await system.actor(room, roomId).snapshot();
  const again = await places.before(undefined, newestMax);
  return again.find((place) => place.messageId === messageId)?.position;
}
