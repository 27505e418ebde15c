/** Publications between nodes: what the channels do not bring is read, whoever owns the topic, and nothing is heard twice. */

import { expect, test, vi } from 'vitest';
import { unreachable } from './faulty-journal.ts';
import { join, member, move, owners } from './fleet.ts';
import { idOn, note, notebook } from './notebook.ts';
import { type Opened, Stage } from './stage.ts';

const topic = `room:${idOn(0, 1)}`;
const promptMs = 60;

/** The topic's shard is on the first node. */
async function pair(): Promise<{ readonly stage: Stage; readonly a: Opened; readonly b: Opened }> {
  const stage = new Stage({ shards: 1 });
  const a = await join(stage, 'a');
  const b = await join(stage, 'b');
  await move(stage, 0, 'a');
  return { stage, a, b };
}

/** The offsets that a node hears from now on. */
async function hear({ system }: Opened): Promise<readonly number[]> {
  const heard: number[] = [];
  system.subscribe(topic, ({ offset }) => heard.push(offset));
  await system.listening(topic);
  return heard;
}

async function say(stage: Stage, { system }: Opened, key: string): Promise<void> {
  await stage.clock.until(system.actor(notebook, idOn(0, 1)).tell(note(key, { kind: 'publish', topic, data: key })));
  await stage.clock.advance(promptMs);
}

test('a publication that could not be sent is read', async () => {
  const { stage, a, b } = await pair();
  const heard = await hear(b);
  a.journal.cluster!.onPublish = (channel) => (channel.kind === 'topic' ? 'lost' : undefined);

  await say(stage, a, 'x');

  expect(heard).toEqual([1]);
});

test('what was said during an interruption is read', async () => {
  const { stage, a, b } = await pair();
  const heard = await hear(b);
  const goOn = b.journal.cluster!.interrupt(({ kind }) => kind === 'topic');
  await say(stage, a, 'x');
  const before = [...heard];

  goOn();
  await stage.clock.advance(promptMs);

  expect([before, heard]).toEqual([[], [1]]);
});

test('a node that was not known yet reads', async () => {
  const stage = new Stage({ shards: 1 });
  const a = await join(stage, 'a');
  a.journal.cluster!.onMessage = (channel) => (channel.kind === 'everyone' ? 'lost' : undefined);
  const b = await join(stage, 'b', { cluster: { ...member, role: 'gateway' } });
  const heard = await hear(b);

  await say(stage, a, 'x');
  const before = [...heard];
  await stage.clock.advance(2_000);

  expect([before, heard]).toEqual([[], [1]]);
});

test('who subscribes elsewhere is told from when on', async () => {
  const { stage, a, b } = await pair();
  b.system.subscribe(topic, () => undefined);
  a.system.subscribe(topic, () => undefined);

  const listening = b.system.listening(topic);

  expect(listening).toBeInstanceOf(Promise);
  expect(a.system.listening(topic)).toBeUndefined();
  await stage.clock.until(listening!);
  expect(b.system.listening(topic)).toBeUndefined();
});

test('a new owner has heard the former one’s last words', async () => {
  const { stage, a, b } = await pair();
  const heard = await hear(b);
  b.journal.cluster!.onMessage = (channel) => (channel.kind === 'topic' ? 'lost' : undefined);
  await say(stage, a, 'x');

  a.journal.crash();
  await stage.clock.advance(6_000);

  expect(owners(stage)).toEqual(['b']);
  expect(heard).toEqual([1]);
});

test('a follower hears the former owner’s last words', async () => {
  const { stage, a } = await pair();
  const c = await join(stage, 'c', { cluster: { ...member, role: 'gateway' } });
  const heard = await hear(c);
  c.journal.cluster!.onMessage = (channel) => (channel.kind === 'topic' ? 'lost' : undefined);
  await say(stage, a, 'x');

  await move(stage, 0, 'b');

  expect(heard).toEqual([1]);
});

test('a former owner hears its heir from the first word', async () => {
  const { stage, a, b } = await pair();
  a.journal.onCall = (call) => (call === 'readTopic' ? unreachable() : undefined);
  const heard: number[] = [];
  a.system.subscribe(topic, ({ offset }) => heard.push(offset));
  await stage.clock.settle();
  const told = b.system.actor(notebook, idOn(0, 1));
  stage.clock.after(300, () => {
    a.journal.onCall = () => undefined;
  });
  await stage.journal().cluster!.pin(0, 'b');
  const moved = move(stage, 0, 'b');
  for (let ms = 0; owners(stage)[0] !== 'b' && ms < 2_000; ms += 5) await stage.clock.advance(5);
  await moved;
  await told.tell(note('x', { kind: 'publish', topic, data: 'x' }));
  await stage.clock.advance(2_000);

  expect(heard).toEqual([1]);
});

/** The topic's history takes its time: before it is looked up, or on its way back. */
function readSlowly(stage: Stage, { journal }: Opened, before: number, behind: number): void {
  const { readTopic } = journal;
  const pass = (ms: number): Promise<void> => new Promise((resolve) => stage.clock.after(ms, resolve));
  vi.spyOn(journal, 'readTopic').mockImplementation(async (...args) => {
    await pass(before);
    const page = await readTopic.apply(journal, args);
    await pass(behind);
    return page;
  });
}

test('a shard waits for who has heard nothing yet', async () => {
  const { stage, a, b } = await pair();
  readSlowly(stage, a, 200, 0);
  const heard = await hear(a);

  const moved = move(stage, 0, 'b');
  await stage.clock.advance(promptMs);
  const told = b.system.actor(notebook, idOn(0, 1)).tell(note('x', { kind: 'publish', topic, data: 'x' }));
  await moved;
  await stage.clock.until(told);
  await stage.clock.advance(2_000);

  expect(owners(stage)).toEqual(['b']);
  expect(heard).toEqual([1]);
});

test('news that come while the history is read count', async () => {
  const { stage, a, b } = await pair();
  const heard = await hear(b);
  await stage.clock.advance(promptMs);
  readSlowly(stage, b, 0, 200);
  b.journal.cluster!.interrupt(({ kind }) => kind === 'topic')();
  await stage.clock.advance(promptMs);

  await say(stage, a, 'x');
  const before = [...heard];
  await stage.clock.advance(600);

  expect([before, heard]).toEqual([[], [1]]);
});

test('who waits for its subscription is told before it hears anything', async () => {
  const { stage, a, b } = await pair();
  readSlowly(stage, b, 0, 200);
  const order: (string | number)[] = [];
  b.system.subscribe(topic, ({ offset }) => order.push(offset));
  void b.system.listening(topic)!.then(() => order.push('told'));
  await stage.clock.advance(promptMs);

  // While the end of the history is on its way to it.
  await say(stage, a, 'x');
  await stage.clock.advance(1_000);

  expect(order).toEqual(['told', 1]);
});

test('a subscription that speaks before it is said to be there holds nobody up', async () => {
  const { stage, a, b } = await pair();
  const store = b.journal.cluster!;
  const { listen } = store;
  vi.spyOn(store, 'listen').mockImplementation((channel, listener) =>
    listen.call(store, channel, {
      message: (payload) => listener.message(payload),
      active: () => void stage.clock.after(channel.kind === 'topic' ? 500 : 0, () => listener.active()),
    }),
  );
  const order: (string | number)[] = [];
  b.system.subscribe(topic, ({ offset }) => order.push(offset));
  void b.system.listening(topic)!.then(() => order.push('told'));

  await say(stage, a, 'x');
  await say(stage, a, 'y');
  await stage.clock.advance(1_000);

  expect(order).toEqual(['told', 2]);
});
