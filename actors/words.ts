/**
 * The chat's words, which its payloads name by number (see the runtime's words.ts). Append only: a number is in stored
 * payloads for ever. A saga added later goes to the end with its words, not into these products.
 */

import { declareWords, type Words } from '../src/index.ts';

const keys = [
  'operationId',
  'responsibleService',
  'responsibleUserId',
  'fingerprint',
  'parties',
  'open',
  'command',
  'approvals',
  'result',
  'key',
  'pending',
  'waiting',
  'change',
  'message',
  'messages',
  'room',
  'user',
  'dto',
  'unchanged',
  'roomId',
  'userId',
  'messageId',
  'senderId',
  'memberId',
  'companionUserId',
  'content',
  'read',
  'originalLanguage',
  'translations',
  'modified',
  'dateCreated',
  'dateUpdated',
  'translatorId',
  'translation',
  'language',
  'isModified',
  'username',
  'email',
  'avatar',
  'primaryLanguage',
  'translationLanguages',
  'name',
  'createdBy',
  'members',
  'newcomer',
  'joined',
  'companion',
  'state',
  'written',
  'created',
  'repeated',
  'publication',
  'reply',
  'position',
  'readPosition',
  'readPositions',
  'lastPosition',
  'unread',
] as const;

const sagas = [
  'USER_CREATE',
  'ROOM_CREATE',
  'ROOM_ADD_MEMBER',
  'MESSAGE_CREATE',
  'MESSAGE_UPDATE',
  'MESSAGE_READ',
  'MESSAGE_TRANSLATE',
] as const;

const phases = ['START', 'STARTED', 'INITIATED', 'APPROVED', 'REJECTED', 'COMPLETED', 'ERROR'] as const;

const values = [
  'SAGA_SERVICE',
  'USER_SERVICE',
  'ROOM_SERVICE',
  'MESSAGE_SERVICE',
  'OPERATION_TIMEOUT',
  'READY',
  'INITIATED',
  'IN_APPROVING',
  'COMPLETED',
  'ERROR',
  'absent',
  'creating',
  'existing',
  'sent',
  'REGULAR_USER',
  'TRANSLATOR',
  'ENGLISH',
  'UKRAINIAN',
  'ITALIAN',
  'ROOM_JOINED',
  'ROOM_UPDATED',
  'MESSAGE_UPDATED',
  'USER_UPDATED',
  'CURRENT_USER_UPDATED',
] as const;

const later = ['READ_POSITION_UPDATED'] as const;

export const chatWords = {
  keys,
  others: [...values, ...sagas, ...sagas.flatMap((saga) => phases.map((phase) => `${saga}_${phase}`)), ...later],
} as const satisfies Words;

declareWords(chatWords);
