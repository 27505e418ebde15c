/** Topics: numbered in the commit, heard in order, kept up to a bound, and read on from any offset that is kept. */

import { expect, test } from 'vitest';
import type { Publication } from '../../src/topic/topic.ts';
import { type Instruction, idOn, note, notebook } from './notebook.ts';
import { Stage } from './stage.ts';

const topic = `room:${idOn(1, 5)}`;

function news(data: string): Instruction {
  return { kind: 'publish', topic, data };
}

test('publications are numbered in order of their commits', async () => {
  const stage = new Stage();
  const { system } = await stage.open();
  const heard: Publication[] = [];
  system.subscribe(topic, (publication) => heard.push(publication));

  await system.actor(notebook, idOn(1, 1)).tell(note('a', news('1'), news('2')));
  await system.actor(notebook, idOn(1, 2)).tell(note('b', news('3')));

  expect(heard.map(({ offset, data }) => [offset, data])).toEqual([
    [1, '1'],
    [2, '2'],
    [3, '3'],
  ]);
});

test('publications from another shard arrive in order', async () => {
  const stage = new Stage();
  const { system } = await stage.open();
  const heard: unknown[] = [];
  system.subscribe(topic, ({ data }) => heard.push(data));

  for (const key of ['a', 'b', 'c']) await system.actor(notebook, idOn(2, 1)).tell(note(key, news(key)));
  await stage.clock.settle();

  expect(heard).toEqual(['a', 'b', 'c']);
});

test('a subscription ends with its cancellation', async () => {
  const stage = new Stage();
  const { system } = await stage.open();
  const heard: unknown[] = [];
  const cancel = system.subscribe(topic, ({ data }) => heard.push(data));
  await system.actor(notebook, idOn(1, 1)).tell(note('a', news('1')));

  cancel();
  await system.actor(notebook, idOn(1, 1)).tell(note('b', news('2')));

  expect(heard).toEqual(['1']);
});

test('a subscriber that throws harms nobody else', async () => {
  const stage = new Stage();
  const { system, complaints } = await stage.open();
  const heard: unknown[] = [];
  system.subscribe(topic, () => {
    throw new Error('a broken subscriber');
  });
  system.subscribe(topic, ({ data }) => heard.push(data));

  await system.actor(notebook, idOn(1, 1)).tell(note('a', news('1')));

  expect(heard).toEqual(['1']);
  expect(complaints.join()).toContain('a broken subscriber');
});

test('offsets continue over restarts under one epoch', async () => {
  const stage = new Stage();
  const first = await stage.open();
  await first.system.actor(notebook, idOn(1, 1)).tell(note('a', news('1')));
  const before = await first.system.readTopic(topic, { offset: 0 });
  first.journal.crash();
  const { system } = await stage.open();
  await system.actor(notebook, idOn(1, 1)).tell(note('b', news('2')));

  const after = await system.readTopic(topic, { offset: before.head, epoch: before.epoch });

  expect(after).toMatchObject({ recovered: true, head: 2, publications: [{ topic, offset: 2, data: '2' }] });
});

test('the history of a topic is bounded', async () => {
  const stage = new Stage({ topicHistoryMax: 3 });
  const { system } = await stage.open();
  for (const data of ['1', '2', '3', '4', '5']) {
    await system.actor(notebook, idOn(1, 1)).tell(note(data, news(data)));
  }

  const kept = await system.readTopic(topic, { offset: 2 });
  const tooOld = await system.readTopic(topic, { offset: 1 });

  expect(kept).toMatchObject({ recovered: true, head: 5 });
  expect(kept.publications.map(({ offset }) => offset)).toEqual([3, 4, 5]);
  expect(tooOld).toMatchObject({ recovered: false, head: 5 });
});

test('unknown positions are not recovered', async () => {
  const stage = new Stage();
  const { system } = await stage.open();
  await system.actor(notebook, idOn(1, 1)).tell(note('a', news('1')));

  const { epoch, recovered } = await system.readTopic(topic, { offset: 1 });
  const ahead = await system.readTopic(topic, { offset: 2, epoch });
  const elsewhere = await system.readTopic(topic, { offset: 1, epoch: 'another' });

  expect(recovered).toBe(true);
  expect(ahead.recovered).toBe(false);
  expect(elsewhere.recovered).toBe(false);
});

test('a topic that nobody wrote is empty', async () => {
  const stage = new Stage();
  const { system } = await stage.open();

  const history = await system.readTopic(topic, { offset: 0 });

  expect(history).toMatchObject({ head: 0, recovered: true, publications: [] });
});

test('malformed topics are refused where they are named', async () => {
  const stage = new Stage();
  const { system } = await stage.open();

  for (const name of [
    'room',
    'room:x',
    idOn(1, 1),
    `:${idOn(1, 1)}`,
    `röm:${idOn(1, 1)}`,
    `${'x'.repeat(300)}:${idOn(1, 1)}`,
  ]) {
    expect(() => system.subscribe(name, () => undefined)).toThrow(/is not a topic/);
    await expect(system.readTopic(name, { offset: 0 })).rejects.toMatchObject({ code: 'TOPIC_INVALID' });
  }
});
