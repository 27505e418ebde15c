/**
 * The seven commands of the chat, each declared once for HTTP and sockets. Ids are minted near each other, so that a
 * saga and what it is about share a shard: the common case is one commit. Everything a rule of the chat decides is left
 * to the saga; only shape, identity and registration fail at once.
 */

import * as z from 'zod';
import { type ActorSystem, type Command, defineCommand } from '../src/index.ts';
import { content, id, language, languages, username, userType } from './api-fields.ts';
import { callerOf, type Requesters } from './api-identity.ts';
import type { ChatOperations } from './api-operations.ts';
import { unreadPositionOf } from './api-positions.ts';
import type { Rows, StartPayloads } from './contract.ts';

const none = z.object({});

export interface CommandContext {
  readonly system: ActorSystem;
  readonly operations: ChatOperations;
  readonly requesters: Requesters;
}

/** `next` with the value, at once when it is known. */
function after<T, R>(value: T | Promise<T>, next: (value: T) => R): R | Promise<Awaited<R>> {
  return value instanceof Promise ? (value.then(next) as Promise<Awaited<R>>) : next(value);
}

/** The room of a message; the message's own id when there is no such message, which then rejects. */
async function roomOf(system: ActorSystem, messageId: string): Promise<string> {
  const [message] = await system.rows<Rows['messages']>('messages', messageId, [messageId]);
  return message?.roomId ?? messageId;
}

/** What is read: the message's room, and its position there if that is news to the reader. */
async function readOf(system: ActorSystem, messageId: string, userId: string): Promise<StartPayloads['MESSAGE_READ']> {
  const [message] = await system.rows<Rows['messages']>('messages', messageId, [messageId]);
  if (message === undefined) return { messageId, roomId: messageId };
  const { roomId, dateCreated } = message;
  const position = await unreadPositionOf(system, { roomId, messageId, userId, dateCreated });
  return { messageId, roomId, ...(position === undefined ? {} : { position }) };
}

function userCreate({ operations }: CommandContext): Command {
  return defineCommand({
    command: 'USER_CREATE',
    method: 'POST',
    path: '/v1/users/currentUser',
    params: none,
    body: z.object({
      type: userType,
      username: username.optional(),
      primaryLanguage: language,
      translationLanguages: languages.optional(),
    }),
    prepare(data, call) {
      const userId = callerOf(call.claims);
      const { type, primaryLanguage, username: name, translationLanguages } = data;
      const payload = {
        userId,
        email: call.claims.email,
        type,
        primaryLanguage,
        ...(name === undefined ? {} : { username: name }),
        ...(translationLanguages === undefined ? {} : { translationLanguages }),
      };
      return operations.prepare({
        saga: 'USER_CREATE',
        call,
        data,
        target: userId,
        near: userId,
        payload: () => payload,
      });
    },
  });
}

function roomCreate({ system, operations, requesters }: CommandContext): Command {
  return defineCommand({
    command: 'ROOM_CREATE',
    method: 'POST',
    path: '/v1/rooms',
    params: none,
    body: z.object({ companionUserId: id }),
    prepare: (data, call) =>
      after(requesters.require(callerOf(call.claims)), () =>
        operations.prepare({
          saga: 'ROOM_CREATE',
          call,
          data,
          target: '',
          near: undefined,
          payload: (operationId) => ({ roomId: system.mint(operationId), companionUserId: data.companionUserId }),
        }),
      ),
  });
}

function roomAddMember({ operations, requesters }: CommandContext): Command {
  return defineCommand({
    command: 'ROOM_ADD_MEMBER',
    method: 'PUT',
    path: '/v1/rooms/{roomId}/members',
    params: z.object({ roomId: id }),
    body: z.object({ memberId: id }),
    prepare: (data, call) =>
      after(requesters.require(callerOf(call.claims)), () =>
        operations.prepare({
          saga: 'ROOM_ADD_MEMBER',
          call,
          data,
          target: data.roomId,
          near: data.roomId,
          payload: () => ({ roomId: data.roomId, memberId: data.memberId }),
        }),
      ),
  });
}

function messageCreate({ system, operations, requesters }: CommandContext): Command {
  return defineCommand({
    command: 'MESSAGE_CREATE',
    method: 'POST',
    path: '/v1/messages',
    params: none,
    body: z.object({ roomId: id, content }),
    prepare: (data, call) =>
      after(requesters.require(callerOf(call.claims)), (requester) =>
        operations.prepare({
          saga: 'MESSAGE_CREATE',
          call,
          data,
          target: data.roomId,
          near: data.roomId,
          payload: () => ({
            messageId: system.mint(data.roomId),
            roomId: data.roomId,
            content: data.content,
            language: requester.language,
          }),
        }),
      ),
  });
}

function messageUpdate({ system, operations, requesters }: CommandContext): Command {
  return defineCommand({
    command: 'MESSAGE_UPDATE',
    method: 'PUT',
    path: '/v1/messages/{messageId}',
    params: z.object({ messageId: id }),
    body: z.object({ content }),
    async prepare(data, call) {
      await requesters.require(callerOf(call.claims));
      const { messageId } = data;
      const roomId = await roomOf(system, messageId);
      const payload = { messageId, roomId, content: data.content };
      return operations.prepare({
        saga: 'MESSAGE_UPDATE',
        call,
        data,
        target: messageId,
        near: messageId,
        payload: () => payload,
      });
    },
  });
}

function messageRead({ system, operations, requesters }: CommandContext): Command {
  return defineCommand({
    command: 'MESSAGE_READ',
    method: 'PUT',
    path: '/v1/messages/{messageId}/read',
    params: z.object({ messageId: id }),
    body: none,
    async prepare(data, call) {
      const userId = callerOf(call.claims);
      await requesters.require(userId);
      const { messageId } = data;
      const payload = await readOf(system, messageId, userId);
      return operations.prepare({
        saga: 'MESSAGE_READ',
        call,
        data,
        target: messageId,
        near: messageId,
        payload: () => payload,
      });
    },
  });
}

function messageTranslate({ system, operations, requesters }: CommandContext): Command {
  return defineCommand({
    command: 'MESSAGE_TRANSLATE',
    method: 'PUT',
    path: '/v1/messages/{messageId}/translate',
    params: z.object({ messageId: id }),
    body: z.object({ translation: content, language }),
    async prepare(data, call) {
      await requesters.require(callerOf(call.claims));
      const { messageId, translation } = data;
      const payload = { messageId, roomId: await roomOf(system, messageId), translation, language: data.language };
      return operations.prepare({
        saga: 'MESSAGE_TRANSLATE',
        call,
        data,
        target: messageId,
        near: messageId,
        payload: () => payload,
      });
    },
  });
}

export function chatCommands(context: CommandContext): readonly Command[] {
  return [
    userCreate(context),
    roomCreate(context),
    roomAddMember(context),
    messageCreate(context),
    messageUpdate(context),
    messageRead(context),
    messageTranslate(context),
  ];
}
