/** Redis dying, hanging and losing its functions, while commits are under way. */

import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Commit, CommitOutcome } from '../../src/journal/journal.ts';
import { eventually } from './adapter.ts';
import { commitUntilLost, expectWhole, numbered } from './commit-stream.ts';
import { contentOf, openClient, openJournal, startServer } from './redis-store.ts';
import { fullDraft, storyOf, takeShard } from './writer.ts';

test('keeps every answered commit over kill -9', { timeout: 120_000 }, async () => {
  const server = await startServer({ appendfsync: 'always' });
  const journal = await openJournal(server, { deadlineMs: 3_000 });
  let known = 0;

  for (let round = 1; round <= 5; round++) {
    const writer = await eventually(() => takeShard(journal).catch(() => undefined));
    const stream = commitUntilLost(journal, writer);
    await eventually(async () => (writer.commits > known + 20 * round ? true : undefined));
    await server.kill();
    const { done, doubtful } = await stream;
    await server.restart();

    const { commits, lease } = await eventually(() => takeShard(journal).catch(() => undefined));
    const answered = known + done.length;
    expect(commits).toBeGreaterThanOrEqual(answered);
    expect(commits).toBeLessThanOrEqual(answered + doubtful.length);
    const { commitId } = (await journal.readShard(0)).head;
    expect([done.at(-1)?.id, ...doubtful.map(({ id }) => id)]).toContain(commitId);
    const last = [...done, ...doubtful].find(({ id }) => id === commitId) as Commit;
    expect(await journal.commit({ ...last, epoch: lease.epoch })).toEqual({ kind: 'done', offsets: undefined });
    known = commits;
    await expectWhole(journal, known);
  }
  expect(known).toBeGreaterThan(100);
});

test('answers unknown at the deadline of a hung server', async () => {
  const server = await startServer();
  const journal = await openJournal(server, { deadlineMs: 500 });
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  const [second, third] = [writer.draft(fullDraft(2)), writer.draft(fullDraft(3))];

  server.pause();
  const start = performance.now();
  const outcomes = await Promise.all([journal.commit(second), journal.commit(third)]);
  const read = journal.readShard(0);
  await expect(read).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
  const waited = performance.now() - start;
  server.resume();

  expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
  expect(waited).toBeGreaterThan(900);
  const next = await eventually(() => takeShard(journal).catch(() => undefined));
  const { head } = await journal.readShard(0);
  expect(head.commits).toBe(next.commits);
  await next.write({ marks: [{ shard: 3, n: 1 }] });
  expect((await journal.readShard(0)).head.commits).toBe(next.commits);
});

/** Forwards to a port; while it is held, nothing the client sends gets through. */
async function startProxy(port: number): Promise<{ readonly url: string; hold(): void; letGo(): void; lose(): void }> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let held = false;
  const proxy = createServer((client) => {
    const server = connectSocket(port, '127.0.0.1');
    const pair = { client, server };
    pairs.add(pair);
    client.pipe(server).pipe(client);
    if (held) client.unpipe(server);
    for (const socket of [client, server]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        if (held) return;
        client.destroy();
        server.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.close();
    for (const { client, server } of pairs) for (const socket of [client, server]) socket.destroy();
  });
  const address = proxy.address() as { readonly port: number };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    hold: () => {
      held = true;
      for (const { client, server } of pairs) client.unpipe(server).pause();
    },
    letGo: () => {
      held = false;
      for (const { client, server } of pairs) client.pipe(server);
    },
    lose: () => {
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.destroy();
    },
  };
}

test('fences a commit that was held up on its way', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.port);
  const slow = await openJournal(server, { url: proxy.url });
  const fast = await openJournal(server);
  const writer = await takeShard(slow);
  await writer.write(fullDraft(1));

  proxy.hold();
  const late = slow.commit(writer.draft(fullDraft(2)));
  const next = await takeShard(fast);
  await next.write({ marks: [{ shard: 3, n: 9 }] });
  const before = await storyOf(fast);
  proxy.letGo();

  expect(await late).toMatchObject({ kind: 'refused', reason: 'epoch' });
  expect(await storyOf(fast)).toEqual(before);
});

test('never sends a commit twice', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.port);
  const journal = await openJournal(server, { url: proxy.url });
  const client = openClient(server);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  await client.config('RESETSTAT');

  proxy.hold();
  const lost = [2, 3].map((n) => journal.commit(writer.draft(fullDraft(n))));
  await new Promise((resolve) => setImmediate(resolve));
  proxy.lose();
  proxy.letGo();

  expect((await Promise.all(lost)).map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
  expect((await journal.readShard(0)).head.commits).toBe(1);
  expect(await client.info('commandstats')).not.toContain('cmdstat_fcall:');
});

test('calls wait for a server that comes back', async () => {
  const server = await startServer({ appendfsync: 'always' });
  const journal = await openJournal(server);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  await journal.initMeta('color', 'green');

  // A call that leaves before the end of the connection was seen is lost, and the round proves nothing.
  const answer = await eventually(async () => {
    await server.kill();
    const waiting = journal.readMeta('color').catch(() => undefined);
    await server.restart();
    return waiting;
  });

  expect(answer).toBe('green');
  expect(await writer.write(fullDraft(2))).toEqual([2]);
});

test('loads its functions again when they are gone', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const client = openClient(server);
  const writer = await takeShard(journal);
  const drafts = Array.from({ length: 60 }, (_, i) => writer.draft(numbered(i + 1)));

  const outcomes: Promise<CommitOutcome>[] = [];
  for (const [i, draft] of drafts.entries()) {
    if (i % 20 === 10) await client.function('FLUSH');
    outcomes.push(journal.commit(draft));
  }

  expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(drafts.map(() => 'done'));
  await client.function('FLUSH');
  await expectWhole(journal, 60);
});

test.for([
  'shard',
  'journal',
  'actors',
  'addresses',
  'snapshots',
  'timers',
  'outbox',
  'marks',
  'projections',
  'dead',
  'topics',
  'topic:room:news',
  'view:rooms',
  'view:people',
])('writes nothing when %s is of another type', async (name) => {
  const server = await startServer();
  const journal = await openJournal(server);
  const client = openClient(server);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  await journal.listActors(0, { limit: 1 });
  const commit = writer.draft({ ...fullDraft(2), viewsCleared: ['people'] });
  const key = `troupe:{0}:${name}`;

  await client.rename(key, 'kept');
  await client.set(key, 'not ours');
  const before = await contentOf(client);
  const outcome = await journal.commit(commit);
  const after = await contentOf(client);

  expect(outcome).toEqual({ kind: 'invalid', message: expect.stringContaining(key) });
  expect(after).toEqual(before);
  await client.rename('kept', key);
  expect((await journal.commit(commit)).kind).toBe('done');
});

test('writes nothing when the stream is ahead', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const client = openClient(server);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  await client.xadd('troupe:{0}:journal', '5-0', 'by', 'hand');
  const before = await contentOf(client);

  const outcome = await journal.commit(writer.draft(fullDraft(2)));

  expect(outcome).toEqual({ kind: 'invalid', message: expect.stringContaining('troupe:{0}:journal') });
  expect(await contentOf(client)).toEqual(before);
  await expect(takeShard(journal)).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED', params: { shard: 0, seq: 3 } });
  expect((await journal.readShard(0)).head.commits).toBe(1);
});
