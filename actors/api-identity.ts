/**
 * Who a caller is in the chat: the user id of the token's email, and, for commands, the settled user behind it, asked of
 * the user actor itself. Users are never removed and keep their language, so that an answer "it exists" may be
 * remembered; "it does not" is asked again each time.
 */

import { createHash } from 'node:crypto';
import { type ActorSystem, type Claims, Lru, Refusal } from '../src/index.ts';
import type { Language } from './contract.ts';
import { user } from './user.ts';

const requestersMax = 50_000;

/** The name-based (version 3) UUID of an email, as Java's `UUID.nameUUIDFromBytes` makes it. */
export function userIdOf(email: string): string {
  const bytes = createHash('md5').update(email).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x30, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const userIds = new WeakMap<Claims, string>();

export function callerOf(claims: Claims): string {
  let id = userIds.get(claims);
  if (id === undefined) {
    id = userIdOf(claims.email);
    userIds.set(claims, id);
  }
  return id;
}

/** A settled user who commands something. */
export interface Requester {
  readonly userId: string;
  readonly language: Language;
}

export class Requesters {
  readonly #system: ActorSystem;
  readonly #known = new Lru<string, Requester>(requestersMax);

  constructor(system: ActorSystem) {
    this.#system = system;
  }

  /** Undefined when nobody is registered under this id. */
  find(userId: string): Requester | Promise<Requester | undefined> {
    return this.#known.get(userId) ?? this.#ask(userId);
  }

  /** As `find`; throws or rejects with USER_NOT_REGISTERED. */
  require(userId: string): Requester | Promise<Requester> {
    const found = this.find(userId);
    if (!(found instanceof Promise)) return found;
    return found.then((requester) => {
      if (requester === undefined) throw new Refusal('USER_NOT_REGISTERED');
      return requester;
    });
  }

  async #ask(userId: string): Promise<Requester | undefined> {
    const actor = await this.#system.actor(user, userId).snapshot();
    const settled = actor?.state.value === 'existing' ? actor.state.context.user : null;
    if (settled === null || settled === undefined) return undefined;
    const requester = { userId, language: settled.primaryLanguage };
    this.#known.set(userId, requester);
    return requester;
  }
}
