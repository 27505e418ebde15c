/** What operators see of a running chat, on any store and at any node. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../gateway/chat.ts';
import { SocketClient } from '../gateway/socket-client.ts';
import { type InhabitedChat, type InspectedChat, type Shown, secrets } from './inspected-chat.ts';

export function watchingSuite(inhabited: () => InhabitedChat): void {
  describe('watching', () => {
    let chat: InspectedChat;
    let ann: Person;
    let bob: Person;
    let roomId: string;

    beforeAll(() => {
      ({ chat, ann, bob, roomId } = inhabited());
    });

    test('shows an operation in the receiver of @statelyai/inspect, unmodified', async () => {
      const watching = chat.watch();
      await watching.until(
        'the room',
        ({ sessionId, type }) => type === '@xstate.actor' && sessionId === `room/${roomId}`,
      );

      const { body } = await ann.command('POST', '/v1/messages', { roomId, content: 'a most private word' });

      const saga = `MESSAGE_CREATE/${body.operationId}`;
      const isOf = (address: string, type: string) => (shown: Shown) =>
        shown.sessionId === address && shown.type === type;
      const completed = await watching.until(
        'the end of the saga',
        (shown) => isOf(saga, '@xstate.snapshot')(shown) && shown.snapshot?.value === 'COMPLETED',
      );
      const ofSaga = watching.shown.filter(({ sessionId }) => sessionId === saga);
      expect(ofSaga[0]).toMatchObject({ type: '@xstate.actor', name: saga, rootId: saga });
      expect(JSON.parse(ofSaga[0]?.definition ?? '')).toHaveProperty('states');
      expect(ofSaga[1]).toMatchObject({ type: '@xstate.event', event: { type: 'MESSAGE_CREATE_START' } });
      expect(ofSaga[2]).toMatchObject({ type: '@xstate.snapshot', event: { type: 'MESSAGE_CREATE_START' } });
      expect(completed).toMatchObject({ _troupe: { operation: body.operationId }, snapshot: { status: 'active' } });
      expect(watching.shown.find(({ sourceId }) => sourceId === saga)?.sessionId).toMatch(/^(room|message)\//);
      expect(watching.shown.every(({ createdAt, _version }) => /^\d+$/.test(createdAt) && _version === '0.7.2')).toBe(
        true,
      );
    });

    test('shows nothing personal', async () => {
      const watching = chat.watch();
      await watching.until('what there is', ({ type }) => type === '@xstate.actor');

      const { body } = await ann.command('POST', '/v1/messages', { roomId, content: 'a most private word' });
      const message = `message/${body.result.id}`;
      await watching.until(
        'the message',
        ({ sessionId, type }) => sessionId === message && type === '@xstate.snapshot',
      );
      await ann.command('PUT', `/v1/messages/${body.result.id}`, { content: 'a most private word, again' });
      await watching.until('the edit', ({ event }) => event?.type === 'MESSAGE_UPDATE_COMPLETED');

      expect(JSON.stringify(watching.shown)).not.toMatch(secrets);
      expect(JSON.stringify(watching.shown)).toContain('"content":"…"');
    });

    test('shows operators alone anything', async () => {
      const base = `${chat.nodes[0]!.base.replace('http', 'ws')}/inspect/ws`;
      const intruder = await SocketClient.open(`${base}?access_token=${ann.token}`);
      const operator = await SocketClient.open(base, { headers: { authorization: `Bearer ${chat.adminToken}` } });
      await operator.ofType('@xstate.actor');

      await ann.message(roomId);

      expect(await intruder.closed).toBe(4504);
      expect(intruder.frames).toMatchObject([{ type: 'CLOSING', data: { code: 'ADMIN_REQUIRED', status: 403 } }]);
      operator.socket.close();
    });

    test('refuses to choose what it does not understand', async () => {
      const base = `${chat.nodes[0]!.base.replace('http', 'ws')}/inspect/ws`;

      await expect(SocketClient.open(`${base}?access_token=${chat.adminToken}&actr=x`)).rejects.toThrow('400');
    });

    test('shows what was chosen and nothing else', async () => {
      const room = chat.watch(`actor=room/${roomId}`);
      const messages = chat.watch('type=message&type=ROOM_CREATE');
      await room.until('the room', ({ type }) => type === '@xstate.actor');
      await messages.until('a message', ({ type }) => type === '@xstate.actor');

      const messageId = await bob.message(roomId);

      await messages.until('the message', ({ sessionId }) => sessionId === `message/${messageId}`);
      await room.until('a step of the room', ({ type }) => type === '@xstate.snapshot');
      expect(new Set(room.shown.map(({ sessionId }) => sessionId))).toEqual(new Set([`room/${roomId}`]));
      expect(messages.shown.filter(({ sessionId }) => !/^(message|ROOM_CREATE)\//.test(sessionId))).toEqual([]);
    });
  });
}
