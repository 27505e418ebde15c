/** What the commands need of the chat: its actors and views, by the names the runtime uses. */

import { createHash } from 'node:crypto';

export { chatActors as definitions, chatProjections as projections } from '../chat.ts';

/** A user's id: the name-based (version 3) UUID of the email. */
export function userIdOf(email: string): string {
  const bytes = createHash('md5').update(email).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x30, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
