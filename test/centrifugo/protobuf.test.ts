/** The protocol in Protobuf: the official client on the wire, and frames that no client sends. */

import { once } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bytesOfReply, commandsOfBytes } from '../../src/gateway/centrifugo/protobuf.ts';
import { errors } from '../../src/gateway/centrifugo/protocol.ts';
import { type Chat, chat, type Person } from '../gateway/chat.ts';
import { CentrifugoClient, centrifugoUrl } from './client.ts';

function length(bytes: number): readonly number[] {
  return bytes < 0x80 ? [bytes] : [(bytes % 0x80) | 0x80, ...length(Math.floor(bytes / 0x80))];
}

/** {"id":1,"connect":{"token":…}} */
function connectFrame(token: string): Buffer {
  const text = Buffer.from(token);
  const request = [0x0a, ...length(text.length), ...text];
  const command = [8, 1, 0x22, ...length(request.length), ...request];
  return Buffer.from([...length(command.length), ...command]);
}

describe('a client', () => {
  let app: Chat;
  let alice: Person;
  let bob: Person;
  let roomId: string;
  let channel: string;
  let clients: { close(): void }[];

  beforeEach(async () => {
    clients = [];
    app = await chat({ limits: { pingSeconds: 1, pongMs: 900 } });
    alice = await app.register('alice');
    bob = await app.register('bob');
    roomId = await alice.room(bob);
    channel = `room:${roomId}`;
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    await app.server.stop();
  });

  async function client(person: Person): Promise<CentrifugoClient> {
    const opened = await CentrifugoClient.open(person, app.base, {}, 'protobuf');
    clients.push(opened);
    return opened;
  }

  async function socket(protocols: readonly string[], query = ''): Promise<WebSocket> {
    const opened = new WebSocket(centrifugoUrl(app.base) + query, [...protocols]);
    clients.push({ close: () => opened.terminate() });
    await once(opened, 'open');
    return opened;
  }

  const closeCode = async (of: WebSocket): Promise<unknown> => (await once(of, 'close'))[0];

  test('calls, follows and hears as it does in JSON', async () => {
    const [hers, his] = [await client(alice), await client(bob)];
    await Promise.all([hers.follow(channel), his.follow(channel)]);
    const content = 'Zażółć 😀 "quoted"\n';

    const { operationId } = await hers.rpc<{ operationId: string }>('MESSAGE_CREATE', { roomId, content });
    const outcome = await hers.ofType('MESSAGE_CREATE_COMPLETED');
    const heard = await his.ofType('MESSAGE_UPDATED');
    const { data } = await his.rpc<{ data: unknown }>('ROOM_MESSAGES', { roomId });

    expect(outcome).toMatchObject({ channel: `user:${alice.id}`, data: { operationId, data: { content } } });
    expect(heard).toMatchObject({ channel, offset: 1, data: { data: outcome.data.data } });
    expect(data).toEqual((await bob.get(`/v1/rooms/${roomId}/messages`)).body);
  });

  test('shares a channel with clients that speak JSON', async () => {
    const speeches = ['json', 'protobuf', 'protobuf', 'json', 'protobuf'] as const;
    const all = await Promise.all(speeches.map((speech) => CentrifugoClient.open(bob, app.base, {}, speech)));
    clients.push(...all);
    await Promise.all(all.map((one) => one.follow(channel)));

    await alice.message(roomId, 'to all');
    const heard = await Promise.all(all.map((one) => one.ofType('MESSAGE_UPDATED')));

    expect(heard[0]).toMatchObject({ channel, offset: 1, data: { data: { content: 'to all' } } });
    expect(new Set(heard.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  test('recovers what it has missed, on both kinds of channel', async () => {
    const hers = await client(alice);
    await hers.follow(channel);
    await alice.message(roomId, 'before');
    await hers.hears((heard) => heard.channel === channel);
    hers.client.disconnect();
    for (let n = 0; n < 100; n++) await alice.message(roomId, `${n}`);

    hers.client.connect();
    await hers.hears((heard) => heard.channel === channel && heard.data.data.content === '99');
    await hers.hears(({ data }) => data.type === 'MESSAGE_CREATE_COMPLETED' && data.data.content === '99');

    const contents = hers.heard.filter((heard) => heard.channel === channel).map(({ data }) => data.data.content);
    expect(contents).toEqual(['before', ...Array.from({ length: 100 }, (_, n) => `${n}`)]);
    expect(hers.subscribed.filter(({ wasRecovering }) => wasRecovering)).toEqual([
      { channel: `user:${alice.id}`, wasRecovering: true, recovered: true },
      { channel, wasRecovering: true, recovered: true },
    ]);
  });

  test('reads history in both directions', async () => {
    for (const content of ['a', 'b', 'c']) await alice.message(roomId, content);
    const his = await client(bob);
    const contents = async (options: Parameters<typeof his.client.history>[1]): Promise<readonly unknown[]> =>
      (await his.client.history(channel, options)).publications.map(
        ({ data }) => (his.decoded(data) as { data: { content: string } }).data.content,
      );
    const { epoch } = await his.client.history(channel);

    expect(await contents({ limit: -1 })).toEqual(['a', 'b', 'c']);
    expect(await contents({ limit: 2, reverse: true })).toEqual(['c', 'b']);
    expect(await contents({ limit: 10, since: { offset: 1, epoch } })).toEqual(['b', 'c']);
    await expect(contents({ limit: 10, since: { offset: 1, epoch: 'another' } })).rejects.toMatchObject({ code: 112 });
  });

  test('sees who is there, who comes and who types', async () => {
    const [hers, his] = [await client(alice), await client(bob)];
    const seen: string[] = [];
    const subscription = hers.subscription(channel, { joinLeave: true });
    for (const change of ['join', 'leave'] as const) {
      subscription.on(change, ({ info }) => {
        seen.push(`${change} ${info.user}`);
        hers.bell.ring();
      });
    }
    await subscription.ready();
    const theirs = await his.follow(channel);

    await theirs.publish(his.encoded({ type: 'TYPING', data: { isTyping: true } }));
    const typing = await hers.ofType('TYPING');
    const { clients: present } = await theirs.presence();
    his.close();
    await hers.bell.until(
      () => (seen.includes(`leave ${bob.id}`) ? true : undefined),
      () => seen.join(),
    );

    expect(typing.data.data).toEqual({ userId: bob.id, isTyping: true });
    expect(
      Object.values(present)
        .map(({ user }) => user)
        .sort(),
    ).toEqual([alice.id, bob.id].sort());
    expect(await subscription.presenceStats()).toMatchObject({ numClients: 1, numUsers: 1 });
  });

  test('is told of errors', async () => {
    const hers = await client(alice);

    await expect(hers.client.rpc('TELEPORT', hers.encoded({}))).rejects.toMatchObject({ code: 104 });
    await expect(hers.client.rpc('ROOMS', new TextEncoder().encode('{'))).rejects.toMatchObject({ code: 107 });
    await expect(hers.client.presence(channel)).rejects.toMatchObject({ code: 103 });
    await expect(hers.client.rpc('ROOM', hers.encoded({ roomId: 'x' }))).rejects.toMatchObject({ code: 400 });
  });

  test('stays for as long as it answers pings', async () => {
    const hers = await client(alice);
    const other = await socket(['centrifuge-protobuf']);
    const pinged = new Promise<void>((resolve) => {
      let pings = 0;
      other.on('message', (frame: Buffer) => {
        if (frame.length > 1) return;
        expect([...frame]).toEqual([0]);
        other.send(Buffer.from([0]));
        pings += 1;
        if (pings === 3) resolve();
      });
    });

    other.send(connectFrame(bob.token));
    await pinged;

    expect(hers.states.map(({ state }) => state)).toEqual(['connecting', 'connected']);
    expect(other.readyState).toBe(WebSocket.OPEN);
  });

  test.each([
    ['by a subprotocol', ['centrifuge-protobuf'], ''],
    ['by the older parameter', [], '?format=protobuf'],
    ['by the other parameter', [], '?cf_protocol=protobuf'],
  ] as const)('asks for it %s', async (_, protocols, query) => {
    const asked = await socket(protocols, query);

    // {"id":1,"connect":{}}
    asked.send(Buffer.from([4, 8, 1, 0x22, 0]));

    expect(asked.protocol).toBe(protocols[0] ?? '');
    expect(await closeCode(asked)).toBe(3500);
  });

  test('that asks for JSON by name gets it', async () => {
    const asked = await socket(['unknown', 'centrifuge-json']);

    asked.send('{"id":1,"connect":{}}');

    expect(asked.protocol).toBe('centrifuge-json');
    expect(await closeCode(asked)).toBe(3500);
  });

  test('whose text frame comes is at fault', async () => {
    const asked = await socket(['centrifuge-protobuf']);

    asked.send('{"id":1,"connect":{}}');

    expect(await closeCode(asked)).toBe(3501);
  });
});

describe('a frame', () => {
  test('holds commands, each behind its length', () => {
    // A pong; {"id":300,"ping":{}}; {"id":2,"history":{"channel":"a","limit":-1}}.
    const history = [8, 2, 0x52, 14, 0x0a, 1, 0x61, 0x38, ...Array<number>(9).fill(0xff), 1];
    const frame = Uint8Array.from([0, 5, 8, 0xac, 2, 0x5a, 0, history.length, ...history]);

    expect(commandsOfBytes(frame)).toEqual([
      { kind: 'pong' },
      { kind: 'ping', id: 300, request: {} },
      { kind: 'history', id: 2, request: { channel: 'a', limit: -1 } },
    ]);
  });

  test('may have fields that are not known', () => {
    // Fields 100 of each layout, a group among them, around {"id":1,"ping":{}}.
    const unknown = [
      [0xa0, 6, 0x80, 1],
      [0xa1, 6, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xa2, 6, 2, 1, 2],
      [0xa3, 6, 8, 1, 0xa4, 6],
      [0xa5, 6, 1, 2, 3, 4],
    ].flat();
    const command = [...unknown, 8, 1, ...unknown, 0x5a, 0];

    expect(commandsOfBytes(Uint8Array.from([command.length, ...command]))).toEqual([
      { kind: 'ping', id: 1, request: {} },
    ]);
  });

  test.each([
    ['nothing', []],
    ['a length without an end', [0x80]],
    ['a length beyond the frame', [5, 8, 1]],
    ['a number that is too long', [13, 8, ...Array<number>(11).fill(0xff), 1]],
    ['a group without an end', [5, 8, 1, 0xa3, 6, 8]],
    ['groups in groups', [0xe8, 7, ...Array<number>(1_000).fill(0x1b)]],
    ['a field of another layout that breaks off', [3, 0x0a, 1, 1]],
    ['a field of no layout', [3, 0x1f, 1, 1]],
    ['a text that is not UTF-8', [8, 8, 1, 0x32, 4, 0x0a, 2, 0xc3, 0x28]],
    ['a text beyond its message', [7, 8, 1, 0x32, 3, 0x0a, 5, 0x61]],
    ['a command without an id', [2, 0x5a, 0]],
  ])('with %s is none', (_, bytes) => {
    expect(commandsOfBytes(Uint8Array.from(bytes))).toBeUndefined();
    expect(commandsOfBytes(Buffer.from(bytes))).toBeUndefined();
  });

  test('whose field is of another layout is read as it stands', () => {
    // The id as a group, which is the number 12; a method whose layout is 7.
    const id = [2, 0x0b, 0x0c];
    const rpc = [7, 8, 1, 0x6a, 3, 0x17, 1, 0x61];

    expect(commandsOfBytes(Uint8Array.from([...id, ...rpc]))).toEqual([
      { kind: 'unreadable', id: 12, error: errors.methodNotFound },
      { kind: 'rpc', id: 1, request: { method: 'a' } },
    ]);
  });

  test.each([
    ['2^53 - 1', [...Array<number>(7).fill(0xff), 0x0f], { offset: Number.MAX_SAFE_INTEGER }],
    ['2^32 + 1', [0x81, 0x80, 0x80, 0x80, 0x10], { offset: 2 ** 32 + 1 }],
    ['0', [0], { offset: 0 }],
    ['2^53', [...Array<number>(7).fill(0x80), 0x10], undefined],
    ['2^64 - 1', [...Array<number>(9).fill(0xff), 1], undefined],
  ])('has the offset %s as a number, or refuses it', (_, offset, since) => {
    const history = [0x0a, 1, 0x61, 0x42, offset.length + 1, 8, ...offset];
    const command = [8, 1, 0x52, history.length, ...history];

    const commands = commandsOfBytes(Uint8Array.from([command.length, ...command]));

    expect(commands).toEqual([
      since === undefined
        ? { kind: 'unreadable', id: 1, error: errors.badRequest }
        : { kind: 'history', id: 1, request: { channel: 'a', since } },
    ]);
  });

  test.each([
    ['is JSON', Buffer.from('{"a":null}'), { data: { a: null } }],
    ['is null', Buffer.from('null'), { data: null }],
    ['is empty', Buffer.alloc(0), {}],
    ['is no JSON', Buffer.from('{'), undefined],
    ['is not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), undefined],
  ])('has data that %s', (_, data, request) => {
    const rpc = [0x0a, data.length, ...data];
    const command = [8, 1, 0x6a, rpc.length, ...rpc];

    expect(commandsOfBytes(Uint8Array.from([command.length, ...command]))).toEqual([
      request === undefined ? { kind: 'unreadable', id: 1, error: errors.badRequest } : { kind: 'rpc', id: 1, request },
    ]);
  });

  test('may leave out what is empty in a map', () => {
    // A channel without a position, and a header of neither name nor text.
    const connect = [0x1a, 3, 0x0a, 1, 0x61, 0x32, 0];
    const command = [8, 1, 0x22, connect.length, ...connect];

    expect(commandsOfBytes(Uint8Array.from([command.length, ...command]))).toEqual([
      { kind: 'connect', id: 1, request: { subs: { a: {} }, headers: { '': '' } } },
    ]);
  });

  test('of any bytes is taken or refused', () => {
    const command = fc.uint8Array({ maxLength: 100 });
    const delimited = command.map((bytes) => Uint8Array.from([...length(bytes.length), ...bytes]));

    fc.assert(
      fc.property(fc.oneof(command, delimited), (bytes) => {
        const commands = commandsOfBytes(bytes);
        expect(commands === undefined || commands.length > 0).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test('whose maps have odd keys harms nobody', () => {
    // {"id":1,"connect":{"subs":{"__proto__":{"recover":true}}}}
    const key = Buffer.from('__proto__');
    const entry = [0x0a, key.length, ...key, 0x12, 2, 0x18, 1];
    const subs = [0x1a, entry.length, ...entry];
    const command = [8, 1, 0x22, subs.length, ...subs];

    const commands = commandsOfBytes(Uint8Array.from([command.length, ...command]));

    expect(commands).toHaveLength(1);
    expect(({} as Record<string, unknown>).recover).toBeUndefined();
  });

  test('of a reply has the numbers of JSON', () => {
    const offset = Number.MAX_SAFE_INTEGER;

    const bytes = bytesOfReply(`{"push":{"pub":{"data":{"a":null},"offset":${offset}}}}`);

    const publication = [0x22, 10, ...Buffer.from('{"a":null}'), 0x30, ...Array<number>(7).fill(0xff), 0x0f];
    const push = [0x22, publication.length, ...publication];
    expect([...bytes]).toEqual([push.length + 2, 0x22, push.length, ...push]);
  });

  test('of a reply has its length first', () => {
    expect([...bytesOfReply('{}')]).toEqual([0]);
    expect([...bytesOfReply('{"id":300,"unsubscribe":{}}')]).toEqual([5, 8, 0xac, 2, 0x3a, 0]);
  });
});
