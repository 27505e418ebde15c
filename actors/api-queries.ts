/**
 * The queries of the chat: reads of its views, for those who may see them. Lists are arrays in a stable order; a paged
 * one has a link to its next page, whose `before` is opaque. An operation that has ended is shown only when all of it is
 * committed, so that the next read shows it too.
 */

import * as z from 'zod';
import { type ActorSystem, defineQuery, type HttpResponse, json, type Query, Refusal } from '../src/index.ts';
import { id, limit, limitDefault, userType } from './api-fields.ts';
import { callerOf, type Requesters } from './api-identity.ts';
import { type ChatOperations, isEnded, shownOperation } from './api-operations.ts';
import { placePattern, translationQueue } from './api-queue.ts';
import { searchUsers } from './api-search.ts';
import { publicUser, shownUser, type Views } from './api-views.ts';
import type { RoomDto } from './contract.ts';
import { languageTags } from './texts.ts';

export interface QueryContext {
  readonly system: ActorSystem;
  readonly views: Views;
  readonly operations: ChatOperations;
  readonly requesters: Requesters;
}

const none = z.object({});
function encodeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** The position in an opaque `before`. Throws a `Refusal` when it is not one of ours. */
function decodeCursor(before: string | undefined, pattern: RegExp): string | undefined {
  if (before === undefined) return undefined;
  const position = Buffer.from(before, 'base64url').toString();
  if (pattern.test(position)) return position;
  const errors = () => [{ field: 'before', detail: 'a value from a Link header' }];
  throw new Refusal('VALIDATION_FAILED', { status: 400, params: { fields: 'before' }, errors });
}

function page(items: readonly unknown[], next: string | undefined): HttpResponse {
  return json(200, items, next === undefined ? {} : { link: `<${next}>; rel="next"` });
}

function nextLink(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return `${path}?${parameters}`;
}

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const positionPattern = /^[1-9]\d{0,11}$/;

function users({ system, views }: QueryContext): readonly Query[] {
  return [
    defineQuery({
      name: 'CURRENT_USER',
      path: '/v1/users/currentUser',
      params: none,
      query: none,
      async answer({ claims }) {
        const userId = callerOf(claims);
        const user = await views.user(userId);
        if (user === undefined) throw new Refusal('USER_NOT_FOUND', { params: { userId } });
        return json(200, user);
      },
    }),
    defineQuery({
      name: 'USERS_ALL',
      path: '/v1/users/all',
      params: none,
      query: none,
      async answer({ claims }) {
        const userId = callerOf(claims);
        const people = new Set((await views.roomsOf(userId)).flatMap(({ members }) => members));
        people.delete(userId);
        return json(200, (await views.users([...people])).map(publicUser));
      },
    }),
    defineQuery({
      name: 'USER',
      path: '/v1/users/{userId}',
      params: z.object({ userId: id }),
      query: none,
      async answer({ claims, params: { userId } }) {
        const user = await views.user(userId);
        if (user === undefined) throw new Refusal('USER_NOT_FOUND', { params: { userId } });
        return json(200, shownUser(user, callerOf(claims)));
      },
    }),
    defineQuery({
      name: 'USERS',
      path: '/v1/users',
      params: none,
      query: z.object({
        query: z.string().min(1).max(64).optional(),
        type: userType.optional(),
        before: z.string().max(200).optional(),
        limit: limit.optional(),
      }),
      async answer({ claims, query: { query, type, before, limit: size }, path }) {
        const viewerId = callerOf(claims);
        const search = { query: query?.toLowerCase(), type };
        const after = decodeCursor(before, idPattern);
        const found = await searchUsers(system, search, size ?? limitDefault, after);
        const rest = { query, type, limit: size };
        const next =
          found.next === undefined ? undefined : nextLink(path, { ...rest, before: encodeCursor(found.next) });
        return page(
          found.users.map((user) => shownUser(user, viewerId)),
          next,
        );
      },
    }),
  ];
}

/** The room, for a member. Throws a `Refusal`. */
async function ownRoom(views: Views, roomId: string, userId: string): Promise<RoomDto> {
  const room = await views.room(roomId);
  if (room === undefined) throw new Refusal('ROOM_NOT_FOUND', { params: { roomId } });
  if (!room.members.includes(userId)) throw new Refusal('NOT_A_MEMBER', { params: { roomId, userId } });
  return room;
}

function rooms({ views }: QueryContext): readonly Query[] {
  return [
    defineQuery({
      name: 'ROOMS',
      path: '/v1/rooms',
      params: none,
      query: none,
      answer: async ({ claims }) => json(200, await views.roomsOf(callerOf(claims))),
    }),
    defineQuery({
      name: 'ROOM',
      path: '/v1/rooms/{roomId}',
      params: z.object({ roomId: id }),
      query: none,
      answer: async ({ claims, params }) => json(200, await ownRoom(views, params.roomId, callerOf(claims))),
    }),
  ];
}

function messages({ views }: QueryContext): readonly Query[] {
  return [
    defineQuery({
      name: 'MESSAGES',
      path: '/v1/messages',
      params: none,
      query: z.object({ roomLimit: limit.optional() }),
      async answer({ claims, query: { roomLimit } }) {
        const ids = (await views.roomsOf(callerOf(claims))).map((room) => room.id);
        return json(200, await views.lastMessages(ids, roomLimit ?? limitDefault));
      },
    }),
    defineQuery({
      name: 'ROOM_MESSAGES',
      path: '/v1/rooms/{roomId}/messages',
      params: z.object({ roomId: id }),
      query: z.object({ before: z.string().max(200).optional(), limit: limit.optional() }),
      async answer({ claims, params: { roomId }, query, path }) {
        await ownRoom(views, roomId, callerOf(claims));
        const before = decodeCursor(query.before, positionPattern);
        const found = await views.messages(
          roomId,
          query.limit ?? limitDefault,
          before === undefined ? undefined : Number(before),
        );
        const cursor = found.more && found.oldest !== undefined ? encodeCursor(String(found.oldest)) : undefined;
        const next = cursor === undefined ? undefined : nextLink(path, { limit: query.limit, before: cursor });
        return page(found.messages, next);
      },
    }),
  ];
}

function unread({ views }: QueryContext): Query {
  return defineQuery({
    name: 'UNREAD',
    path: '/v1/unread',
    params: none,
    query: none,
    answer: async ({ claims }) => json(200, await views.unreadOf(callerOf(claims))),
  });
}

function translations({ system, views }: QueryContext): Query {
  return defineQuery({
    name: 'TRANSLATION_QUEUE',
    path: '/v1/translations/queue',
    params: none,
    query: z.object({ before: z.string().max(200).optional(), limit: limit.optional() }),
    async answer({ claims, query, path }) {
      const userId = callerOf(claims);
      const [user, roomIds] = await Promise.all([views.user(userId), views.roomIdsOf(userId)]);
      if (user === undefined) throw new Refusal('USER_NOT_REGISTERED');
      const { type, translationLanguages: languages = [] } = user;
      if (type !== 'TRANSLATOR') throw new Refusal('NOT_A_TRANSLATOR', { params: { userId } });
      const before = decodeCursor(query.before, placePattern);
      const max = query.limit ?? limitDefault;
      const found = await translationQueue(system, views, { roomIds, languages, max, before });
      const cursor = found.before === undefined ? undefined : encodeCursor(found.before);
      const next = cursor === undefined ? undefined : nextLink(path, { limit: query.limit, before: cursor });
      return page(found.messages, next);
    },
  });
}

function operation({ system, operations, requesters }: QueryContext): Query {
  return defineQuery({
    name: 'OPERATION',
    path: '/v1/operations/{operationId}',
    params: z.object({ operationId: id }),
    query: none,
    async answer({ claims, language, params: { operationId } }) {
      const userId = callerOf(claims);
      const row = await operations.row(operationId);
      // Another user's operation is as unknown as one that does not exist: ids are not for guessing.
      if (row === undefined || row.responsibleUserId !== userId) {
        throw new Refusal('OPERATION_NOT_FOUND', { params: { operationId } });
      }
      if (isEnded(row)) await system.settled(operationId, operationId);
      const own = language === undefined && row.error !== undefined ? await requesters.find(userId) : undefined;
      return json(200, shownOperation(row, language ?? languageTags[own?.language ?? 'ENGLISH']));
    },
  });
}

export function chatQueries(context: QueryContext): readonly Query[] {
  const lists = [...users(context), ...rooms(context), ...messages(context)];
  return [...lists, unread(context), translations(context), operation(context)];
}
