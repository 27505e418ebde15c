import type { SagaDefinition } from '../saga-definition.ts';
import type { SagaName } from '../vocabulary.ts';
import { messageCreate } from './message-create.ts';
import { messageRead } from './message-read.ts';
import { messageTranslate } from './message-translate.ts';
import { messageUpdate } from './message-update.ts';
import { roomAddMember } from './room-add-member.ts';
import { roomCreate } from './room-create.ts';
import { userCreate } from './user-create.ts';

export const sagaDefinitions: { readonly [S in SagaName]: SagaDefinition<S> } = {
  USER_CREATE: userCreate,
  ROOM_CREATE: roomCreate,
  ROOM_ADD_MEMBER: roomAddMember,
  MESSAGE_CREATE: messageCreate,
  MESSAGE_UPDATE: messageUpdate,
  MESSAGE_READ: messageRead,
  MESSAGE_TRANSLATE: messageTranslate,
};
