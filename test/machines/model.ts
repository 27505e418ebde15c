/**
 * What the chat is, without sagas and without concurrency: operations happen one after the other, and each either is
 * possible or is not. Written apart from the machines, to compare them with.
 */

import type { MessageDto, RoomDto, UserDto } from '../../machines/vocabulary.ts';
import type { Operation } from './operations.ts';

export class World {
  readonly users = new Map<string, UserDto>();
  readonly rooms = new Map<
    string,
    RoomDto & { readonly messages: number; readonly readPositions: readonly number[] }
  >();
  readonly messages = new Map<string, MessageDto>();

  /** Makes an operation happen; the code of what stands against it otherwise. */
  happen(operation: Operation): string | undefined {
    const against = this.#against(operation);
    if (against === undefined) this.make(operation);
    return against;
  }

  #against(operation: Operation): string | undefined {
    const { saga, by, payload } = operation;
    switch (saga) {
      case 'USER_CREATE':
        if (payload.userId !== by) return 'NOT_OWN_USER';
        return this.users.has(by) ? 'USER_ALREADY_EXISTS' : undefined;
      case 'ROOM_CREATE':
        if (this.rooms.has(payload.roomId)) return 'ROOM_ALREADY_EXISTS';
        if (payload.companionUserId === by) return 'COMPANION_IS_SELF';
        return this.#userMissing(payload.companionUserId);
      case 'ROOM_ADD_MEMBER':
        return this.#notIn(payload.roomId, by) ?? this.#userMissing(payload.memberId);
      case 'MESSAGE_CREATE':
        return this.messages.has(payload.messageId) ? 'MESSAGE_ALREADY_EXISTS' : this.#notIn(payload.roomId, by);
      case 'MESSAGE_UPDATE': {
        const message = this.#message(payload);
        if (message === undefined) return 'MESSAGE_NOT_FOUND';
        return message.senderId === by ? this.#userMissing(by) : 'NOT_THE_SENDER';
      }
      case 'MESSAGE_READ':
        if (this.#message(payload) === undefined) return 'MESSAGE_NOT_FOUND';
        return this.#notIn(payload.roomId, by) ?? this.#userMissing(by);
      case 'MESSAGE_TRANSLATE':
        return this.#againstTranslation(operation);
    }
  }

  #againstTranslation({ by, payload }: Extract<Operation, { saga: 'MESSAGE_TRANSLATE' }>): string | undefined {
    const { language } = payload;
    const message = this.#message(payload);
    if (message === undefined) return 'MESSAGE_NOT_FOUND';
    if (message.originalLanguage === language) return 'LANGUAGE_IS_ORIGINAL';
    if (message.translations.some((translation) => translation.language === language)) return 'ALREADY_TRANSLATED';
    const outside = this.#notIn(payload.roomId, by) ?? this.#userMissing(by);
    if (outside !== undefined) return outside;
    const translator = this.users.get(by);
    if (translator?.type !== 'TRANSLATOR') return 'NOT_A_TRANSLATOR';
    return translator.translationLanguages?.includes(language) ? undefined : 'LANGUAGE_NOT_KNOWN';
  }

  #message({ messageId, roomId }: { readonly messageId: string; readonly roomId: string }): MessageDto | undefined {
    const message = this.messages.get(messageId);
    return message?.roomId === roomId ? message : undefined;
  }

  #userMissing(id: string): string | undefined {
    return this.users.has(id) ? undefined : 'USER_NOT_FOUND';
  }

  #notIn(roomId: string, userId: string): string | undefined {
    const room = this.rooms.get(roomId);
    if (room === undefined) return 'ROOM_NOT_FOUND';
    return room.members.includes(userId) ? undefined : 'NOT_A_MEMBER';
  }

  /** Makes an operation happen that is known to be possible; `only` limits it to one actor's part. */
  make(operation: Operation, only?: 'user' | 'room' | 'message'): void {
    if (only === undefined || only === 'user') this.#makeUser(operation);
    if (only === undefined || only === 'room') this.#makeRoom(operation);
    if (only === undefined || only === 'message') this.#makeMessage(operation);
  }

  #makeUser({ saga, by, at, payload }: Operation): void {
    if (saga !== 'USER_CREATE') return;
    const { email, type, primaryLanguage, translationLanguages = [] } = payload;
    const languages = type === 'TRANSLATOR' ? { translationLanguages: [primaryLanguage, ...translationLanguages] } : {};
    this.users.set(by, { id: by, email, type, primaryLanguage, ...languages, dateCreated: at, dateUpdated: at });
  }

  #makeRoom({ saga, by, at, payload }: Operation): void {
    if (saga === 'ROOM_CREATE') {
      const { roomId: id, companionUserId } = payload;
      const members = [by, companionUserId];
      const empty = { messages: 0, readPositions: [0, 0] };
      this.rooms.set(id, { id, createdBy: by, members, dateCreated: at, dateUpdated: at, ...empty });
    }
    if (saga !== 'ROOM_ADD_MEMBER' && saga !== 'MESSAGE_CREATE' && saga !== 'MESSAGE_READ') return;
    const room = this.rooms.get(payload.roomId);
    if (room === undefined) return;
    const { messages, readPositions } = room;
    if (saga === 'MESSAGE_CREATE') {
      const last = messages + 1;
      this.rooms.set(room.id, { ...room, messages: last, readPositions: readBy(room, by, last) });
    } else if (saga === 'MESSAGE_READ') {
      const upTo = Math.min(payload.position ?? 0, messages);
      this.rooms.set(room.id, { ...room, readPositions: readBy(room, by, upTo) });
    } else if (!room.members.includes(payload.memberId)) {
      const members = [...room.members, payload.memberId];
      const dateUpdated = Math.max(room.dateUpdated, at);
      this.rooms.set(room.id, { ...room, members, dateUpdated, readPositions: [...readPositions, messages] });
    }
  }

  #makeMessage({ saga, by, at, payload }: Operation): void {
    if (saga === 'MESSAGE_CREATE') {
      const { messageId: id, roomId, content, language } = payload;
      const fresh = { read: [], translations: [], modified: false };
      this.messages.set(id, {
        id,
        roomId,
        senderId: by,
        content,
        originalLanguage: language,
        dateCreated: at,
        ...fresh,
      });
      return;
    }
    if (saga !== 'MESSAGE_UPDATE' && saga !== 'MESSAGE_READ' && saga !== 'MESSAGE_TRANSLATE') return;
    const message = this.messages.get(payload.messageId);
    if (message === undefined) return;
    const change: Partial<MessageDto> =
      saga === 'MESSAGE_UPDATE'
        ? { content: payload.content, modified: true }
        : saga === 'MESSAGE_READ'
          ? { read: [...new Set([...message.read, by])] }
          : { translations: [...message.translations, translationOf(by, payload)] };
    this.messages.set(message.id, { ...message, ...change });
  }
}

/** Everybody's positions when `by` has read up to `position`. */
function readBy(
  { members, readPositions }: { readonly members: readonly string[]; readonly readPositions: readonly number[] },
  by: string,
  position: number,
): readonly number[] {
  return readPositions.map((before, i) => (members[i] === by ? Math.max(before, position) : before));
}

function translationOf(
  translatorId: string,
  { translation, language }: Extract<Operation, { saga: 'MESSAGE_TRANSLATE' }>['payload'],
): MessageDto['translations'][number] {
  return { translatorId, translation, language, isModified: false };
}
