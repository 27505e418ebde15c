/** A channel and its followers on topics in memory: what ends a subscription, and what ends a connection. */

import { expect, test } from 'vitest';
import { Channel, type Follower } from '../../src/gateway/centrifugo/channel.ts';
import type { ChannelRules, ChannelTopics, Shown } from '../../src/gateway/centrifugo/channel-rules.ts';
import { Channels } from '../../src/gateway/centrifugo/channels.ts';
import type { PresenceSignal } from '../../src/gateway/centrifugo/presence.ts';
import { ChannelPresence } from '../../src/gateway/centrifugo/presence.ts';
import type { ClientInfo, Disconnect } from '../../src/gateway/centrifugo/protocol.ts';
import { Subscriptions } from '../../src/gateway/centrifugo/subscriptions.ts';
import type { Connection } from '../../src/gateway/connection.ts';
import type { Claims } from '../../src/gateway/tokens.ts';
import { silentLog } from '../../src/log.ts';
import { LocalSignals, type Signals } from '../../src/topic/signals.ts';
import type { Publication } from '../../src/topic/topic.ts';
import { MemoryTopics, settled } from '../gateway/topics.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';

const name = 'room:00000000-0000-4000-8000-000000000001';

class EpochTopics extends MemoryTopics {
  epoch = 'first';
  afterRead: (() => void) | undefined;

  override async readTopic(...args: Parameters<MemoryTopics['readTopic']>): ReturnType<MemoryTopics['readTopic']> {
    const page = { ...(await super.readTopic(...args)), epoch: this.epoch };
    const { afterRead } = this;
    this.afterRead = undefined;
    afterRead?.();
    return page;
  }
}

function scene() {
  const clock = new SimulatedClock();
  const topics = new EpochTopics();
  const rules = {
    admit: () => 'allowed',
    hasPresence: () => false,
    shown: ({ data }: Publication): Shown => {
      const { members } = data as { readonly members?: readonly string[] };
      return { data: JSON.stringify(data), ...(members === undefined ? {} : { members }) };
    },
  } as unknown as ChannelRules;
  const failed = (error: unknown): never => {
    throw error;
  };
  const signals = new LocalSignals('self', clock, silentLog);
  const parts = {
    clock,
    rules,
    topics: Object.assign(topics, { listening: () => undefined, signals }) as unknown as ChannelTopics,
    failed,
  };
  const channel = new Channel({ ...parts, name });
  const follower = (user: string) => {
    const ended: Disconnect[] = [];
    const fed: number[] = [];
    const state = { isUnsubscribed: false };
    const connection = {
      behind: false,
      feed: ({ offset }: { offset: number }) => fed.push(offset),
    } as unknown as Connection;
    const one: Follower = {
      connection,
      info: { user, client: `client of ${user}` },
      wantsJoins: false,
      isActive: true,
      language: () => 'en',
      end: (disconnect) => ended.push(disconnect),
      unsubscribe: () => {
        state.isUnsubscribed = true;
        channel.followers.delete(one);
      },
    };
    channel.followers.add(one);
    return { ended, fed, state };
  };
  return { topics, channel, follower, rules, channels: new Channels(parts) };
}

test('who is a member no more hears nothing more', () => {
  const { topics, follower } = scene();
  const [ann, ben] = [follower('ann'), follower('ben')];

  topics.publish(name, { text: 'to both' });
  topics.publish(name, { members: ['ann'] });
  topics.publish(name, { text: 'to ann' });

  expect(ann).toMatchObject({ fed: [1, 2, 3], state: { isUnsubscribed: false } });
  expect(ben).toMatchObject({ fed: [1], state: { isUnsubscribed: true } });
});

test('whoever is a member no more is told with a code', async () => {
  const { topics, channels, rules } = scene();
  const told: unknown[] = [];
  const connection = {
    behind: false,
    feed: ({ offset }: { offset: number }) => told.push(offset),
    start: () => undefined,
    stop: (topic: string) => told.push(`stop ${topic}`),
    send: (frame: string) => told.push(JSON.parse(frame)),
  } as unknown as Connection;
  const info = { user: 'ann', client: 'a' };
  const parts = { channels, rules, connection, info, channelsMax: 1, language: () => 'en', end: () => undefined };
  const subscriptions = new Subscriptions({ ...parts, claims: () => ({ email: 'ann@example.com' }) as Claims });
  await subscriptions.subscribe({ channel: name }, () => undefined);

  topics.publish(name, { text: 'to both' });
  topics.publish(name, { members: ['ben'] });
  topics.publish(name, { text: 'to ben' });

  const unsubscribe = { code: 2000, reason: 'server unsubscribe' };
  expect(told).toEqual([1, `stop ${name}`, { push: { channel: name, unsubscribe } }]);
  expect(subscriptions.get(name)).toBeUndefined();
  expect(channels.size).toBe(0);
});

test('another epoch asks every follower to connect again', async () => {
  const { topics, channel, follower } = scene();
  const ann = follower('ann');
  topics.publish(name, {});
  await channel.check();
  expect(ann.ended).toEqual([]);

  topics.epoch = 'second';
  await channel.check();

  expect(ann.ended).toEqual([{ code: 3010, reason: 'insufficient state' }]);
});

test('a history that cannot be told asks them, too', async () => {
  const { topics, follower } = scene();
  const ann = follower('ann');
  topics.publish(name, {});
  for (let n = 0; n < 1_500; n++) topics.store(name, {});

  topics.publish(name, {});
  await settled();

  expect(ann.ended).toEqual([{ code: 3010, reason: 'insufficient state' }]);
});

test('what is published while a client subscribes is read again', async () => {
  const { topics, channels, rules } = scene();
  topics.publish(name, { n: 1 });
  const begun: unknown[] = [];
  const connection = {
    behind: false,
    feed: () => undefined,
    start: (...from: readonly unknown[]) => begun.push(from),
  } as unknown as Connection;
  const info = { user: 'ann', client: 'a' };
  const parts = { channels, rules, connection, info, channelsMax: 1, language: () => 'en', end: () => undefined };
  const claims = { email: 'ann@example.com' } as Claims;
  const subscriptions = new Subscriptions({ ...parts, claims: () => claims });
  // Behind the page that was read, and before the client is given what is live.
  topics.afterRead = () => topics.publish(name, { n: 2 });

  await subscriptions.subscribe({ channel: name, recover: true, offset: 0 }, (result) =>
    begun.push(JSON.parse(result)),
  );

  expect(begun).toEqual([
    expect.objectContaining({ recovered: true, offset: 0, publications: [{ data: { n: 1 }, offset: 1 }] }),
    [name, 1, true, 'first'],
  ]);
});

test('whoever is a member no more while subscribing is refused', async () => {
  const { topics, channels, rules } = scene();
  const connection = { behind: false, stop: () => undefined } as unknown as Connection;
  const info = { user: 'ann', client: 'a' };
  const parts = { channels, rules, connection, info, channelsMax: 1, language: () => 'en', end: () => undefined };
  const subscriptions = new Subscriptions({ ...parts, claims: () => ({ email: 'ann@example.com' }) as Claims });
  topics.afterRead = () => topics.publish(name, { members: ['ben'] });

  const subscribing = subscriptions.subscribe({ channel: name }, () => expect.unreachable());

  await expect(subscribing).rejects.toMatchObject({ code: 103 });
  expect(channels.size).toBe(0);
});

class FakeSignals implements Signals {
  readonly self = 'here';
  readonly sent: PresenceSignal[] = [];
  readonly there = new Set(['here']);
  #changed: () => void = () => undefined;

  send(_: string, data: unknown): void {
    this.sent.push(data as PresenceSignal);
  }

  listen(): () => void {
    return () => undefined;
  }

  present(): ReadonlySet<string> {
    return new Set(this.there);
  }

  watch(changed: () => void): () => void {
    this.#changed = changed;
    return () => undefined;
  }

  look(): void {
    this.#changed();
  }
}

function presenceScene(...there: readonly string[]) {
  const clock = new SimulatedClock();
  const signals = new FakeSignals();
  for (const node of there) signals.there.add(node);
  const seen: string[] = [];
  const presence = new ChannelPresence({
    topic: name,
    signals,
    clock,
    joined: ({ client }) => seen.push(`+${client}`),
    left: ({ client }) => seen.push(`-${client}`),
  });
  return { clock, signals, seen, presence };
}

const info = (client: string): ClientInfo => ({ user: 'somebody', client });

test('whoever was there before is no news', async () => {
  const { presence, seen } = presenceScene('there');
  presence.active();

  const all = presence.all();
  presence.hear({ kind: 'here', infos: [info('a')] }, 'there');
  presence.hear({ kind: 'join', info: info('b') }, 'there');

  expect((await all).map(({ client }) => client)).toEqual(['a', 'b']);
  expect(seen).toEqual(['+b']);
});

test('a node that answers late is heard of by joins', async () => {
  const { presence, seen, clock } = presenceScene('there');
  const all = presence.all();

  await clock.advance(300);
  expect(await all).toEqual([]);
  presence.hear({ kind: 'here', infos: [info('a')] }, 'there');

  expect(seen).toEqual(['+a']);
});

test('a lost signal is made up for by the next list', () => {
  const { presence, seen } = presenceScene('there');
  presence.hear({ kind: 'here', infos: [info('a'), info('b')] }, 'there');

  presence.hear({ kind: 'here', infos: [info('b'), info('c')] }, 'there');

  expect(seen).toEqual(['-a', '+c']);
});

test('clients of a node that is gone have left', async () => {
  const { presence, seen, signals } = presenceScene('there');
  presence.hear({ kind: 'join', info: info('a') }, 'there');

  signals.there.delete('there');
  signals.look();

  expect(seen).toEqual(['+a', '-a']);
  expect(await presence.all()).toEqual([]);
});

test('a node that is not on the list yet is believed', async () => {
  const { presence, seen, signals } = presenceScene();
  presence.hear({ kind: 'join', info: info('a') }, 'new');

  signals.look();

  expect(seen).toEqual(['+a']);
  expect(await presence.all()).toHaveLength(1);
});
