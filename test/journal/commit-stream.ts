/** Streams of commits to a shard while its store is being harmed, and what must be true of the shard afterwards. */

import { expect, onTestFinished } from 'vitest';
import type { Commit, Journal } from '../../src/journal/journal.ts';
import { eventually } from './adapter.ts';
import { actorOf, bytes, type Draft, takeShard, type Writer } from './writer.ts';

/** A commit that shows in five kinds of record, so that a half applied one is seen. */
export function numbered(n: number): Draft {
  return {
    events: [{ actor: actorOf('room', n) }, { actor: actorOf('user', n), snapshot: `state ${n}` }],
    outbox: [{ to: 1, n, payload: bytes(`parcel ${n}`) }],
    marks: [{ shard: 2, n }],
    publications: [{ topic: 'room:news', payload: bytes(`news ${n}`) }],
    views: [{ view: 'rooms', key: `room-${String(n).padStart(9, '0')}`, payload: bytes(`row ${n}`) }],
  };
}

/** Commits one after the other, two in flight, until one is not done. Gives what was answered done, and what was not. */
export async function commitUntilLost(
  journal: Journal,
  writer: Writer,
): Promise<{ done: Commit[]; doubtful: Commit[] }> {
  const done: Commit[] = [];
  const doubtful: Commit[] = [];
  while (doubtful.length === 0) {
    const pair = [1, 2].map(() => writer.draft(numbered(writer.commits + 1)));
    const outcomes = await Promise.all(pair.map((commit) => journal.commit(commit)));
    for (const [i, outcome] of outcomes.entries()) (outcome.kind === 'done' ? done : doubtful).push(pair[i] as Commit);
  }
  return { done, doubtful };
}

export async function expectWhole(journal: Journal, commits: number, shard = 0): Promise<void> {
  const state = await journal.readShard(shard);
  const entries = await journal.readEntries(shard, 0, 2 * commits + 10);
  const rows = await journal.readRange(shard, 'rooms', { limit: commits + 10 });
  const topic = await journal.readTopic(shard, 'room:news', 0, 1);
  expect(state.head).toMatchObject({ commits, seq: 2 * commits });
  expect(entries.map((entry) => !(entry instanceof Error) && entry.seq)).toEqual(
    Array.from({ length: 2 * commits }, (_, i) => i + 1),
  );
  expect(rows).toHaveLength(commits);
  expect(topic.head).toBe(commits);
  expect(state.outbox).toHaveLength(commits);
  expect(state.marks).toEqual([{ shard: 2, n: commits }]);
  expect(await journal.listActors(shard, { limit: 3 * commits })).toHaveLength(2 * commits);
}

/** A stream of commits that takes the shard again whenever one is not done, as an owner does. */
export class Stream {
  readonly #journal: Journal;
  readonly #shard: number;
  readonly #done: Commit[] = [];
  readonly #running: Promise<void>;
  #stopped = false;
  /** How often the shard had to be taken again. */
  interruptions = 0;

  constructor(journal: Journal, shard = 0) {
    this.#journal = journal;
    this.#shard = shard;
    this.#running = this.#run();
    // A test that fails elsewhere leaves it running; what it dies of is told by whoever waits for it.
    this.#running.catch(() => {});
    onTestFinished(() => {
      this.#stopped = true;
    });
  }

  /** Commits answered so far. */
  get done(): number {
    return this.#done.length;
  }

  /** Resolves when `count` further commits have been answered. */
  async goesOn(count = 20): Promise<void> {
    const goal = this.done + count;
    await eventually(async () => (this.done >= goal ? true : undefined), 30_000);
  }

  /** Ends it; then no commit that was answered may be missing, doubled or out of order. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    const numbers = this.#done.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const { commits } = await eventually(() => takeShard(this.#journal, this.#shard).catch(() => undefined), 30_000);
    expect(commits).toBeGreaterThanOrEqual(numbers.at(-1) ?? 0);
    await expectWhole(this.#journal, commits, this.#shard);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const writer = await eventually(() => takeShard(this.#journal, this.#shard).catch(() => undefined), 30_000);
      let isWhole = true;
      while (isWhole && !this.#stopped) {
        const pair = [1, 2].map(() => writer.draft(numbered(writer.commits + 1)));
        const outcomes = await Promise.all(pair.map((commit) => this.#journal.commit(commit)));
        isWhole = outcomes.every(({ kind }) => kind === 'done');
        // What is done behind one that is not is a hole.
        expect(outcomes.map(({ kind }) => kind)).not.toEqual([expect.not.stringMatching('done'), 'done']);
        this.#done.push(...pair.filter((_, i) => outcomes[i]?.kind === 'done'));
      }
      if (!isWhole) this.interruptions += 1;
    }
  }
}
