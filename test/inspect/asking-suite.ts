/** What operators ask of a chat, on any store and at any node. It counts, so nobody may have written before. */

import { beforeAll, describe, expect, test } from 'vitest';
import type {
  Actor,
  ActorRow,
  Attempt,
  HistoryPage,
  OperationTrace,
  Overview,
  TypeRow,
} from '../../src/inspect/answers.ts';
import type { Person } from '../gateway/chat.ts';
import { type InhabitedChat, type InspectedChat, secrets } from './inspected-chat.ts';

export function askingSuite(inhabited: () => InhabitedChat): void {
  describe('asking', () => {
    let chat: InspectedChat;
    let ann: Person;
    let bob: Person;
    let roomId: string;
    let nodes: number;

    beforeAll(() => {
      ({ chat, ann, bob, roomId } = inhabited());
      nodes = chat.nodes.length;
    });

    /** All pages of a search. */
    async function all(path: string): Promise<readonly ActorRow[]> {
      const found: ActorRow[] = [];
      for (let next: string | undefined = path; next !== undefined; ) {
        const page: { readonly body: readonly ActorRow[]; readonly next: string | undefined } = await chat.ask(next);
        found.push(...page.body);
        next = page.next;
      }
      return found;
    }

    test('gives nodes, shards and dead letters at a glance', async () => {
      const { status, body } = await chat.ask<Overview>('/inspect/api/overview');

      expect(status).toBe(200);
      expect(body.nodes.map(({ id }) => id)).toEqual(nodes === 1 ? ['a'] : ['a', 'b']);
      expect(body.shards).toHaveLength(8);
      expect(body.shards.every(({ owner }) => owner !== null)).toBe(true);
      expect(body.shards.filter(({ isHere }) => isHere).map(({ owner }) => owner)).not.toContain('b');
      expect(body.shards.reduce((sum, { seq }) => sum + seq, 0)).toBeGreaterThan(20);
      expect(body.deadLetters).toEqual({ total: 0, isMore: false, recent: [] });
    });

    test('gives the machine of each type', async () => {
      const { body } = await chat.ask<readonly (TypeRow & { readonly definition: object })[]>('/inspect/api/types');

      expect(body.find(({ type }) => type === 'room')).toMatchObject({ ends: false });
      expect(body.find(({ type }) => type === 'ROOM_CREATE')).toMatchObject({ ends: true });
      expect(body.every(({ definition, version }) => 'states' in definition && version.length > 8)).toBe(true);
    });

    test('finds actors by type, in pages and in order', async () => {
      const found = await all('/inspect/api/actors?type=message&limit=2');

      const addresses = found.map(({ address }) => address);
      expect(addresses).toHaveLength(5);
      expect(addresses).toEqual([...new Set(addresses)].sort());
      expect(found.every(({ version }) => version > 0)).toBe(true);
    });

    test('finds actors by state and by the beginning of their id', async () => {
      const completed = await all('/inspect/api/actors?state=COMPLETED&limit=3');
      const rooms = await all(`/inspect/api/actors?id=${roomId.slice(0, 13)}`);
      const whole = await all(`/inspect/api/actors?id=${roomId}`);

      expect(completed.length).toBe(8);
      expect(completed.every(({ value }) => value === 'COMPLETED')).toBe(true);
      expect(rooms.map(({ address }) => address)).toContain(`room/${roomId}`);
      expect(whole.map(({ address }) => address)).toEqual([`room/${roomId}`]);
    });

    test('shows an actor at every node, without what is personal', async () => {
      for (let node = 0; node < nodes; node++) {
        const { status, body } = await chat.ask<Actor>(`/inspect/api/actors/user/${ann.id}`, {
          node,
        });

        expect(status).toBe(200);
        expect(body).toMatchObject({ address: `user/${ann.id}`, type: 'user', status: 'active' });
        expect(body.owner).toMatch(nodes === 1 ? /^a$/ : /^[ab]$/);
        expect(JSON.stringify(body)).not.toMatch(secrets);
        expect(JSON.stringify(body)).toContain('"email":"…"');
      }
    });

    test('gives the steps of an actor, in pages', async () => {
      const address = `/inspect/api/actors/room/${roomId}/steps`;
      const node = nodes - 1;
      const first = await chat.ask<HistoryPage>(`${address}?limit=3`, { node });
      const rest = await chat.ask<HistoryPage>(`${address}?after=3&limit=200`, { node });

      expect([first.status, first.body.more, rest.body.more]).toEqual([200, true, false]);
      const steps = [...first.body.steps, ...rest.body.steps];
      expect(steps.map(({ version }) => version)).toEqual(steps.map((_, index) => index + 1));
      expect(steps.length).toBe(rest.body.version);
      expect(JSON.stringify(steps)).not.toMatch(secrets);
    });

    test('says how an actor begins that nothing has happened to', async () => {
      const { status, body } = await chat.ask<HistoryPage>(`/inspect/api/actors/room/${crypto.randomUUID()}/steps`);

      expect([status, body.version, body.steps]).toEqual([200, 0, []]);
      expect(body.initial).toMatchObject({ version: 0, value: 'absent' });
    });

    test('says what a machine would do, and changes nothing', async () => {
      const address = `/inspect/api/actors/room/${roomId}`;
      const before = (await chat.ask<Actor>(address)).body;

      const { status, body } = await chat.ask<Attempt>(`${address}/attempt`, {
        body: { version: before.version, event: { type: 'MEMBER_TELEPORTED' } },
      });
      const forged = await chat.ask<{ code: string }>(`${address}/attempt`, {
        body: { version: 1, event: { type: 'xstate.done.actor.x' } },
      });
      const beyond = await chat.ask<{ code: string }>(`${address}/attempt`, {
        body: { version: 1_000, event: { type: 'MEMBER_TELEPORTED' } },
      });

      expect([status, body.accepted, forged.status, beyond.status]).toEqual([200, false, 422, 422]);
      expect(body.refusal?.reason).toContain('MEMBER_TELEPORTED');
      expect((await chat.ask<Actor>(address)).body).toMatchObject({ version: before.version, value: before.value });
    });

    test('follows an operation over all its actors, and finds them', async () => {
      const { body: created } = await bob.command('POST', '/v1/messages', { roomId, content: 'a most private word' });
      const { operationId } = created;

      const { body } = await chat.ask<OperationTrace>(`/inspect/api/operations/${operationId}`);
      const found = await all(`/inspect/api/actors?operation=${operationId}&limit=2`);

      const saga = `MESSAGE_CREATE/${operationId}`;
      const addresses = [saga, `message/${created.result.id}`, `room/${roomId}`].sort();
      expect(body.steps[0]).toMatchObject({ address: saga, event: { type: 'MESSAGE_CREATE_START' } });
      expect([...new Set(body.steps.map(({ address }) => address))].sort()).toEqual(addresses);
      expect(found.map(({ address }) => address)).toEqual(addresses);
      expect(JSON.stringify(body)).not.toMatch(secrets);
    });

    test('answers operators alone', async () => {
      const room = `actors/room/${roomId}`;
      const paths = ['overview', 'types', 'actors', room, `${room}/steps`, `operations/${crypto.randomUUID()}`];
      for (const path of [...paths, `${room}/attempt`]) {
        const body0 = path.endsWith('attempt') ? { body: {} } : {};
        const { status, body } = await chat.ask<{ code: string }>(`/inspect/api/${path}`, {
          token: ann.token,
          ...body0,
        });

        expect([path, status, body.code]).toEqual([path, 403, 'ADMIN_REQUIRED']);
      }
    });

    test('says what it does not know', async () => {
      const missing = await chat.ask<{ code: string }>(`/inspect/api/actors/room/${crypto.randomUUID()}`);
      const type = await chat.ask<{ code: string }>('/inspect/api/actors?type=nothing');
      const cursor = await chat.ask<{ code: string }>('/inspect/api/actors?after=bm9wZQ');

      expect([missing.status, type.status, cursor.status]).toEqual([404, 400, 400]);
    });
  });
}
