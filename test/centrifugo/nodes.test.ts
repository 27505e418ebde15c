/** Several nodes on one Redis, with the official client: who is there and who is typing is known on each of them. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { poll } from '../e2e/deadline.ts';
import { request } from '../e2e/http-client.ts';
import { createStore, type Store } from '../e2e/stores.ts';
import { freePort, TroupeServer } from '../e2e/troupe-server.ts';
import { CentrifugoClient, centrifugoUrl } from './client.ts';

const slowlyMs = 120_000;
const environment = { LEASE_MS: '1500' };

interface Account {
  readonly token: string;
  readonly userId: string;
}

let store: Store;
let nodes: TroupeServer[];
let clients: CentrifugoClient[];
let ann: Account;
let ben: Account;
let channel: string;

async function call<T>(method: string, path: string, by: Account | undefined, body: object): Promise<T> {
  const headers = { prefer: 'wait=20', ...(by === undefined ? {} : { authorization: `Bearer ${by.token}` }) };
  const answer = await request<T>(`${nodes[0]?.url}${path}`, method, headers, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

async function register(username: string): Promise<Account> {
  const account = await call<Account>('POST', '/dev/tokens', undefined, { email: `${username}@example.com` });
  const profile = { type: 'REGULAR_USER', username, primaryLanguage: 'ENGLISH' };
  await call('POST', '/v1/users/currentUser', account, profile);
  return account;
}

async function follower(node: TroupeServer | undefined, account: Account) {
  const client = new CentrifugoClient(node?.url ?? '', account.token);
  clients.push(client);
  const seen: string[] = [];
  const subscription = client.subscription(channel, { joinLeave: true });
  subscription.on('join', ({ info }) => seen.push(`join ${info.user}`));
  subscription.on('leave', ({ info }) => seen.push(`leave ${info.user}`));
  await subscription.ready(60_000);
  return { client, subscription, seen };
}

beforeAll(async () => {
  clients = [];
  nodes = [];
  store = await createStore('redis');
  const start = async () => TroupeServer.start({ journal: store.url, port: await freePort(), environment });
  nodes.push(await start());
  nodes.push(await start());
  [ann, ben] = [await register('ann'), await register('ben')];
  const { result } = await call<{ result: { id: string } }>('POST', '/v1/rooms', ann, { companionUserId: ben.userId });
  channel = `room:${result.id}`;
}, slowlyMs);

afterAll(async () => {
  for (const client of clients) client.close();
  await Promise.all(nodes.map((node) => node.kill()));
  await store.remove();
}, slowlyMs);

test(
  'clients of different nodes hear, see and read each other',
  async () => {
    const hers = await follower(nodes[0], ann);
    const his = await follower(nodes[1], ben);

    const present = await his.subscription.presence();
    await hers.subscription.publish({ type: 'TYPING', data: { isTyping: true } });
    const typing = await his.client.ofType('TYPING');
    await hers.client.rpc('MESSAGE_CREATE', { roomId: channel.slice('room:'.length), content: 'hello' });
    await his.client.ofType('MESSAGE_UPDATED');

    expect(
      Object.values(present.clients)
        .map(({ user }) => user)
        .sort(),
    ).toEqual([ann.userId, ben.userId].sort());
    expect(typing.data.data).toEqual({ userId: ann.userId, isTyping: true });
    await poll(
      async () => (hers.seen.includes(`join ${ben.userId}`) ? true : undefined),
      'a join on another node is not heard',
    );
    hers.client.close();
    await poll(
      async () => (his.seen.includes(`leave ${ann.userId}`) ? true : undefined),
      'a leave on another node is not heard',
    );
    expect(await his.subscription.presenceStats()).toEqual({ numClients: 1, numUsers: 1 });
    his.client.close();
  },
  slowlyMs,
);

test(
  'clients of a node that stops go on at another one',
  async () => {
    const leaving = await TroupeServer.start({ journal: store.url, port: await freePort(), environment });
    const urls = [leaving.url, nodes[0]?.url ?? ''];
    let opened = 0;
    class NextNode extends WebSocket {
      constructor(_: string, protocols?: string | string[]) {
        super(centrifugoUrl(urls[Math.min(opened++, 1)] ?? ''), protocols);
      }
    }
    const his = new CentrifugoClient(leaving.url, ben.token, { websocket: NextNode });
    clients.push(his);
    await his.follow(channel);
    const write = (content: string) =>
      call('POST', '/v1/messages', ann, { roomId: channel.slice('room:'.length), content });
    await write('before');
    await his.hears((heard) => heard.channel === channel && heard.data.data.content === 'before');

    const exit = leaving.stop();
    await his.reaches('connecting', 3001);
    await write('meanwhile');
    await his.hears((heard) => heard.channel === channel && heard.data.data.content === 'meanwhile');
    await write('after');
    await his.hears((heard) => heard.channel === channel && heard.data.data.content === 'after');

    const contents = his.heard.filter((heard) => heard.channel === channel).map(({ data }) => data.data.content);
    expect(contents).toEqual(['before', 'meanwhile', 'after']);
    expect(his.subscribed.filter(({ wasRecovering }) => wasRecovering)).toEqual([
      { channel: `user:${ben.userId}`, wasRecovering: true, recovered: true },
      { channel, wasRecovering: true, recovered: true },
    ]);
    expect(await exit).toBe(0);
    his.close();
  },
  slowlyMs,
);

test(
  'clients of a node that was killed are gone soon',
  async () => {
    const hers = await follower(nodes[0], ann);
    const his = await follower(nodes[1], ben);
    await poll(
      async () => (hers.seen.includes(`join ${ben.userId}`) ? true : undefined),
      'a join on another node is not heard',
    );

    await nodes[1]?.kill();
    his.client.close();

    await poll(
      async () => (hers.seen.includes(`leave ${ben.userId}`) ? true : undefined),
      'a client of a dead node is still there',
    );
    expect(await hers.subscription.presenceStats()).toEqual({ numClients: 1, numUsers: 1 });
  },
  slowlyMs,
);
