/** The commands that look into the past, on both journals, beside a system and with an archive. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatActors, chatProjections } from '../../actors/chat.ts';
import {
  type ActorSystem,
  type HistoryStep,
  openJournal,
  openSystem,
  TimeTravel,
  withArchive,
} from '../../src/index.ts';
import { eventually } from '../journal/adapter.ts';
import { alice, fillChatStore } from './chat-store.ts';
import { troupe } from './command-line.ts';
import { storeKinds, type TestStore } from './stores.ts';

const address = `user/${alice}`;
const archiving = { journalEntriesMin: 0, archiveAfterMs: 0, segmentEntriesMin: 1 };

describe.each(storeKinds)('the past on $kind', ({ make }) => {
  let store: TestStore;
  let folder: string;
  let system: ActorSystem;
  let environment: { readonly JOURNAL: string; readonly ARCHIVE: string };
  beforeAll(async () => {
    store = await make();
    folder = await mkdtemp(join(tmpdir(), 'troupe-travel-'));
    environment = { JOURNAL: store.url, ARCHIVE: `file:${folder}/archive` };
    await fillChatStore(store.url);
    // The commands read beside a system that has the store open, and has moved all entries to the archive.
    const journal = await withArchive(await openJournal(store.url), environment.ARCHIVE);
    system = await openSystem({ journal, actors: chatActors, projections: chatProjections, limits: archiving });
    await eventually(async () => {
      const states = await Promise.all([0, 1, 2, 3].map((shard) => journal.readShard(shard)));
      return states.every(({ first, head }) => first > head.seq) || undefined;
    });
  });
  afterAll(async () => {
    await system?.stop();
    await store?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function stored(): Promise<string> {
    const shards = await Promise.all([0, 1, 2, 3].map((shard) => system.journal.readShard(shard)));
    const [record] = await system.journal.readActors(0, [address as `${string}/${string}`]);
    return JSON.stringify([shards, record]);
  }

  test('ends in the live state of every actor', async () => {
    const travel = new TimeTravel({ journal: system.journal, actors: chatActors });
    const found = await Promise.all([0, 1, 2, 3].map((shard) => system.journal.listActors(shard, { limit: 100 })));

    expect(found.flat()).toHaveLength(4);
    for (const { actor, version } of found.flat()) {
      const [type, id] = actor.split('/') as [string, string];
      const live = await system.actor(chatActors.find((one) => one.type === type)!, id).snapshot();
      const { steps } = await travel.steps(actor, { limit: 100 });
      expect(steps).toHaveLength(version);
      expect(steps.at(-1)).toMatchObject({ value: live!.state.value, context: live!.state.context });
    }
  });

  test('history --at says what a step changed', async () => {
    const { code, out, err } = await troupe(['history', address, '--at', '1'], environment);

    expect({ code, err }).toEqual({ code: 0, err: ['The next one is --at 2.'] });
    const text = out.join('\n');
    expect(out[0]).toMatch(/^1 of 2 {2}\d{4}-\S+Z {2}entry \d+ of its shard, active$/);
    expect(text).toMatch(/^event {4}USER_CREATE_INITIATED \{.*"email":"alice@example.com"/m);
    expect(text).toMatch(/^ +from USER_CREATE\/\S+, operation [0-9a-f-]{36}$/m);
    expect(text).toContain('taken    absent: USER_CREATE_INITIATED [approvesCreation] / decide → creating');
    expect(text).toMatch(/^state {4}absent → creating$/m);
    expect(text).toMatch(/^effects {2}USER_CREATE_APPROVED \{/m);
    expect(text).toMatch(/^changes {2}\+ pending\[0\]: \{/m);
  });

  test('history --at is JSON, too', async () => {
    const { out } = await troupe(['history', address, '--at', '2', '--json'], environment);

    const step = JSON.parse(out.join('')) as HistoryStep & { before: unknown };
    expect(step).toMatchObject({ version: 2, value: 'existing', taken: ['user.creating:0:0'] });
    expect(step.before).toMatchObject({ version: 1, value: 'creating' });
  });

  test('history --at of what is not there says so', async () => {
    const late = await troupe(['history', address, '--at', '9'], environment);
    const never = await troupe(['history', `user/${alice.slice(0, -1)}1`, '--at', '1'], environment);

    expect(late).toMatchObject({ code: 1, out: [], err: [`Event 9 of ${address} cannot be seen. It has accepted 2.`] });
    expect(never).toMatchObject({ code: 1, err: [expect.stringContaining('has never accepted an event.')] });
  });

  test('without the archive what is missing is named', async () => {
    const { code, err } = await troupe(['history', address, '--at', '1'], { JOURNAL: store.url });

    expect(code).toBe(1);
    expect(err.join('\n')).toMatch(/moved to an archive/);
  });

  test('show has the last steps', async () => {
    const { code, out } = await troupe(['show', address], environment);

    expect(code).toBe(0);
    expect(out.at(-2)).toMatch(/^steps {4}1 {2}\S+Z {2}USER_CREATE_INITIATED {2}→ creating$/);
    expect(out.at(-1)).toMatch(/^ +2 {2}\S+Z {2}USER_CREATE_COMPLETED {2}→ existing$/);
  });

  test('try says what would happen', async () => {
    const { out: json } = await troupe(['history', address, '--at', '2', '--json'], environment);
    const { event } = JSON.parse(json.join('')) as HistoryStep;

    const { code, out } = await troupe(['try', address, JSON.stringify(event), '--at', '1'], environment);

    expect(code).toBe(0);
    expect(out[0]).toBe(`${address} at 1, in creating, with USER_CREATE_COMPLETED: taken`);
    expect(out.join('\n')).toContain('state    creating → existing');
    expect(out.join('\n')).toMatch(/^changes {2}~ user: null → \{/m);
  });

  test('try names the guards that say no', async () => {
    const event = '{"type":"USER_CREATE_REJECTED","operationId":"another"}';

    const { code, out } = await troupe(['try', address, event, '--at', '1'], environment);
    const json = await troupe(['try', address, '{"type":"DANCE"}', '--json'], environment);

    expect(code).toBe(0);
    expect(out[0]).toBe(`${address} at 1, in creating, with USER_CREATE_REJECTED: refused`);
    expect(out[1]).toMatch(/its guards say no: goesOnCreating, isPending, isOpen\.$/);
    expect(out[2]).toMatch(
      /^asked {4}creating: USER_CREATE_REJECTED \[goesOnCreating\] \/ undo {2}\(goesOnCreating: no\)$/,
    );
    expect(JSON.parse(json.out[0]!)).toMatchObject({
      version: 2,
      accepted: false,
      refusal: { reason: 'Nothing handles DANCE in existing.' },
    });
  });

  test('try changes nothing', async () => {
    const before = await stored();

    for (const at of ['0', '1', '2'])
      await troupe(['try', address, '{"type":"ROOM_JOINED","payload":{}}', '--at', at], environment);

    expect(await stored()).toBe(before);
  });

  test('try refuses what no system takes', async () => {
    const { code, err } = await troupe(['try', address, '{"type":"xstate.done.actor.x"}'], environment);

    expect(code).toBe(2);
    expect(err.join('')).toContain('"xstate.done.actor.x" is not taken from outside a machine');
  });

  test('operation traces what all actors did', async () => {
    const history = await troupe(['history', address, '--json'], environment);
    const [{ operation }] = JSON.parse(history.out[0]!) as [{ operation: string }];

    const { code, out, err } = await troupe(['operation', operation], environment);
    const json = await troupe(['operation', operation, '--json'], environment);

    expect(code).toBe(0);
    expect(out.slice(1).map((line) => line.split(/ {2,}/)[4])).toEqual([
      'USER_CREATE_START',
      'USER_CREATE_INITIATED',
      'USER_CREATE_APPROVED',
      'USER_CREATE_COMPLETED',
    ]);
    expect(err[0]).toMatch(/^4 steps of 2 actors from \S+Z on\.$/);
    expect(JSON.parse(json.out[0]!)).toMatchObject({ operationId: operation, isComplete: true });
    expect(await troupe(['operation', alice], environment)).toMatchObject({
      code: 1,
      err: [`Nothing was journaled for operation ${alice}.`],
    });
  });

  test('graph lights the state of an actor', async () => {
    const file = join(folder, 'then.svg');

    const { code, out, err } = await troupe(['graph', address, '--at', '1', '--out', file], environment);

    const svg = await readFile(file, 'utf8');
    expect({ code, out, err }).toEqual({ code: 0, out: [], err: [`${file} has the statechart of ${address}.`] });
    expect(svg).toContain('class="state is-atomic is-active" data-state-id="user.creating"');
    expect(svg).toMatch(/is-taken" data-edge-id="user\.absent:0:0"/);
  });
});

describe('graph', () => {
  test('needs no store', async () => {
    const nowhere = { JOURNAL: 'lmdb:/nowhere/at/all' };

    const svg = await troupe(['graph', 'room'], nowhere);
    const mermaid = await troupe(['graph', 'MESSAGE_CREATE', '--format', 'mermaid'], nowhere);
    const json = await troupe(['graph', 'room', '--format', 'json'], nowhere);

    expect([svg.code, mermaid.code, json.code]).toEqual([0, 0, 0]);
    expect(svg.out[0]).toMatch(/^<svg /);
    expect(mermaid.out[0]).toBe('stateDiagram-v2');
    expect(JSON.parse(json.out.join('\n'))).toMatchObject({ id: 'room', states: { length: 4 } });
  });

  test('says when a file cannot be written', async () => {
    const { code, err } = await troupe(['graph', 'room', '--out', '/nowhere/at/all.svg']);

    expect(code).toBe(1);
    expect(err[0]).toMatch(/^\/nowhere\/at\/all\.svg cannot be written: /);
  });
});
