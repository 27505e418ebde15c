/** A publication that this node cannot read, as one of a newer version may be, harms nobody but its own subscribers. */

import { expect, test } from 'vitest';
import { encode } from '../../src/journal/codec.ts';
import { unpacked } from '../../src/shard/parcel.ts';
import { fleet } from './fleet.ts';
import { idOn, note, notebook } from './notebook.ts';
import { notesOf, Stage } from './stage.ts';
import { Tap } from './tap.ts';

const topic = `room:${idOn(1, 5)}`;
const unreadable = {
  topic,
  payload: new Uint8Array([0xc1]),
  data: (): unknown => {
    throw new Error('a word that is not known');
  },
};

test.each([
  ['one node', undefined],
  ['one of several nodes', 'a'],
])('%s goes on after news that it cannot read', async (_, node) => {
  const stage = new Stage();
  const tap = new Tap();
  const { system, complaints } =
    node === undefined ? await stage.open({ transport: tap.wrap }) : (await fleet(stage, node))[0]!;
  const shard = 1;
  const heard: unknown[] = [];
  system.subscribe(topic, ({ data }) => heard.push(data));
  await stage.clock.settle();
  if (node === undefined) tap.inner!.deliver(shard, 2, 1, { ...unpacked({ order: 1 }), publication: unreadable });
  else {
    const { cluster } = stage.journal();
    const parcel = { publication: { topic, payload: unreadable.payload }, order: 1 };
    cluster!.publish({ kind: 'shard', shard }, encode([['parcel', 2, 1, parcel]]));
  }
  await stage.clock.settle();

  await stage.clock.until(system.actor(notebook, idOn(shard, 1)).tell(note('after')));

  expect(await stage.clock.until(notesOf(system, idOn(shard, 1)))).toEqual(['after']);
  expect(heard).toEqual([]);
  expect(complaints.filter((line) => line.includes(topic))).not.toEqual([]);
});
