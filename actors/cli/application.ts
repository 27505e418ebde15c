/** What the commands need of the chat: its actors, its views and how its users are named. */

export { userIdOf } from '../api-identity.ts';
export { chatActors as definitions, chatProjections as projections } from '../chat.ts';
