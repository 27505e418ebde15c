/** What a newcomer to a room gets, where the room's shard is on another node. */

import { expect, test, vi } from 'vitest';
import { Requesters } from '../../actors/api-identity.ts';
import { Views } from '../../actors/api-views.ts';
import { Hub } from '../../actors/notifications-hub.ts';
import type { MessageDto, RoomDto } from '../../machines/vocabulary.ts';
import { Connection, Flusher } from '../../src/gateway/connection.ts';
import { join, move } from '../runtime/fleet.ts';
import { idOn, note, notebook } from '../runtime/notebook.ts';
import { Stage } from '../runtime/stage.ts';
import { FakeSocket } from './fake-socket.ts';

const alice = idOn(0, 1);
const bob = idOn(1, 2);
const roomId = idOn(0, 3);

const room: RoomDto = { id: roomId, createdBy: alice, members: [alice, bob], dateCreated: 1, dateUpdated: 1 };

function message(n: number): MessageDto {
  const said = { id: idOn(0, 100 + n), roomId, senderId: alice, content: `${n}`, dateCreated: n };
  return { ...said, read: [], originalLanguage: 'ENGLISH', translations: [], modified: false };
}

test('what is said until the room is followed is in its last page', async () => {
  const stage = new Stage({ shards: 2 });
  const a = await join(stage, 'a');
  const b = await join(stage, 'b');
  await move(stage, 0, 'a');
  await move(stage, 1, 'b');
  const said: MessageDto[] = [];
  const views = new Views(b.system);
  vi.spyOn(views, 'roomIdsOf').mockResolvedValue([]);
  vi.spyOn(views, 'room').mockResolvedValue(room);
  vi.spyOn(views, 'users').mockResolvedValue([]);
  vi.spyOn(views, 'messages').mockImplementation(async () => ({ messages: [...said], oldest: 1, more: false }));
  const requesters = new Requesters(b.system);
  vi.spyOn(requesters, 'find').mockResolvedValue(undefined);
  const failed = vi.fn();
  const hub = new Hub({ system: b.system, views, requesters, clock: stage.clock, failed });
  const socket = new FakeSocket();
  const connection = new Connection({
    socket,
    flusher: new Flusher(stage.clock),
    history: hub,
    limits: { bufferedBytesMax: 10_000, resumeBytes: 100 },
    lost: failed,
  });
  await stage.clock.until(hub.attach({ connection, userId: bob, language: undefined, close: failed }));

  const goOn = b.journal.cluster!.interrupt(({ kind }) => kind === 'topic');
  const joined = { type: 'ROOM_JOINED', data: { roomId, newcomer: true } };
  await publish(bob, `user:${bob}`, joined);
  await say(1);
  goOn();
  await stage.clock.advance(60);
  await say(2);

  expect(failed).not.toHaveBeenCalled();
  const frames = socket.received.map((frame) => JSON.parse(frame));
  expect(frames.map(({ type, data }) => [type, data.content])).toEqual([
    ['MESSAGE_UPDATED', '1'],
    ['MESSAGE_UPDATED', '2'],
  ]);

  async function say(n: number): Promise<void> {
    said.push(message(n));
    await publish(roomId, `room:${roomId}`, { type: 'MESSAGE_UPDATED', data: message(n) });
  }

  async function publish(actor: string, topic: string, data: unknown): Promise<void> {
    const key = JSON.stringify(data);
    await stage.clock.until(a.system.actor(notebook, actor).tell(note(key, { kind: 'publish', topic, data })));
    await stage.clock.advance(60);
  }
});
