/** The chat as a list of actors and views, for whoever opens a system with it. */

import type { ActorDefinition } from '../src/index.ts';
import { sagaNames } from './contract.ts';
import { message } from './message.ts';
import { room } from './room.ts';
import { sagas } from './sagas.ts';
import { user } from './user.ts';

export { message } from './message.ts';
export { room } from './room.ts';
export { type SagaActor, sagas } from './sagas.ts';
export { user } from './user.ts';
export { chatProjections } from './views.ts';

export const chatActors: readonly ActorDefinition[] = [user, room, message, ...sagaNames.map((name) => sagas[name])];
