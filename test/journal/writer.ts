/**
 * A shard's writer for tests: it takes the lease, knows the head and each actor's index as the runtime does, and drafts
 * commits that follow each other. `storyOf` reads everything a shard holds, as plain text, to compare before and after.
 */

import { type Address, addressOf } from '../../src/actor/address.ts';
import {
  type ActorIndex,
  type Commit,
  emptyCommit,
  type Journal,
  type JournalEntry,
  type Lease,
} from '../../src/journal/journal.ts';

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(payload: Uint8Array | undefined): string | undefined {
  return payload === undefined ? undefined : new TextDecoder().decode(payload);
}

/** The same data with payloads as text, undefined properties left out and errors as their code. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return text(value);
  if (value instanceof Error) return `error ${'code' in value ? String(value.code) : value.message}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const defined = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(defined.map(([key, part]) => [key, plain(part)]));
}

/** The `n`th actor of a type. */
export function actorOf(type: string, n: number): Address {
  return addressOf(type, `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`);
}

export interface DraftEvent {
  readonly actor: Address;
  /** Default 'TOLD'. */
  readonly type?: string;
  readonly payload?: Uint8Array;
  /** The actor's snapshot is taken after this event. */
  readonly snapshot?: string;
  readonly extra?: Pick<JournalEntry, 'from' | 'operation' | 'emitted'>;
}

export interface Draft extends Partial<Omit<Commit, 'entries' | 'actors' | 'snapshots'>> {
  readonly events?: readonly DraftEvent[];
}

export class Writer {
  readonly journal: Journal;
  lease: Lease;
  commits: number;
  seq: number;
  readonly actors = new Map<Address, ActorIndex>();

  constructor(journal: Journal, lease: Lease, commits: number, seq: number) {
    this.journal = journal;
    this.lease = lease;
    this.commits = commits;
    this.seq = seq;
  }

  /** The next commit, on top of the last one drafted. */
  draft({ events = [], ...parts }: Draft = {}): Commit {
    const firstSeq = this.seq + 1;
    const touched = new Set<Address>();
    const entries: JournalEntry[] = [];
    const snapshots: Commit['snapshots'][number][] = [];
    for (const event of events) {
      const entry = this.#entry(event);
      entries.push(entry);
      touched.add(entry.actor);
      if (event.snapshot === undefined) continue;
      snapshots.push({ actor: entry.actor, version: entry.version, payload: bytes(event.snapshot) });
      this.actors.set(entry.actor, {
        actor: entry.actor,
        version: entry.version,
        snapshotVersion: entry.version,
        tail: [],
      });
    }
    this.commits += 1;
    return {
      ...emptyCommit,
      shard: this.lease.shard,
      epoch: this.lease.epoch,
      number: this.commits,
      id: `commit-${this.lease.shard}-${this.commits}-${Math.random()}`,
      firstSeq,
      entries,
      actors: [...touched].map((actor) => this.actors.get(actor) as ActorIndex),
      snapshots,
      ...parts,
    };
  }

  /** Drafts and commits; gives the offsets. Throws unless it is done. */
  async write(draft: Draft = {}): Promise<readonly number[] | undefined> {
    const commit = this.draft(draft);
    const outcome = await this.journal.commit(commit);
    if (outcome.kind !== 'done') throw new Error(`Commit ${commit.number} is ${outcome.kind}: ${outcome.message}`);
    return outcome.offsets;
  }

  #entry({ actor, type = 'TOLD', payload, extra }: DraftEvent): JournalEntry {
    this.seq += 1;
    const before = this.actors.get(actor) ?? { actor, version: 0, snapshotVersion: 0, tail: [] };
    const version = before.version + 1;
    this.actors.set(actor, { ...before, version, tail: [...before.tail, this.seq] });
    return {
      seq: this.seq,
      actor,
      version,
      type,
      emitted: [],
      at: 1_700_000_000_000 + this.seq,
      payload: payload ?? bytes(`event ${version} of ${actor}`),
      ...extra,
    };
  }
}

/** Takes a shard and reads where it stands. */
export async function takeShard(journal: Journal, shard = 0, nonce = 'nonce-a', node = 'node-a'): Promise<Writer> {
  const outcome = await journal.acquire(shard, { node, nonce }, 60_000);
  if (outcome.kind !== 'acquired') throw new Error(`Shard ${shard} is held by ${outcome.by}.`);
  return new Writer(journal, outcome.lease, outcome.head.commits, outcome.head.seq);
}

/** A commit with a record of every kind. What it holds differs with `n`. */
export function fullDraft(n: number): Draft {
  const actor = actorOf('room', n);
  return {
    events: [
      {
        actor,
        type: 'OPENED',
        extra: { emitted: ['opened', 'greeted'], from: actorOf('user', n), operation: `operation-${n}` },
      },
      { actor: actorOf('user', n), snapshot: `state of user ${n}` },
      { actor: actorOf('user', n) },
    ],
    timersSet: [
      { actor, id: 'reminder', dueAt: 1_000 + n, generation: n, payload: bytes(`ring ${n}`), operation: 'operation-t' },
    ],
    timersCleared: [{ actor: actorOf('room', n - 1), id: 'reminder' }],
    outbox: [{ to: 1, n, payload: bytes(`parcel ${n}`) }],
    marks: [{ shard: 2, n }],
    publications: [{ topic: 'room:news', payload: bytes(`news ${n}`) }],
    deadLetters: [{ at: n, code: 'MACHINE_FAILED', reason: `reason ${n} – ü`, payload: bytes(`letter ${n}`) }],
    views: [
      { view: 'rooms', key: `room-${n}`, payload: bytes(`row ${n}`) },
      { view: 'people', key: 'newest', payload: bytes(`user ${n}`) },
    ],
    projections: { rooms: `v${n}` },
  };
}

/** Everything shard `shard` holds, as plain data. */
export async function storyOf(journal: Journal, shard = 0): Promise<unknown> {
  const indexes = await journal.listActors(shard, { limit: 1_000 });
  return plain({
    shard: await journal.readShard(shard),
    entries: await journal.readEntries(shard, 0, 1_000),
    indexes,
    actors: await journal.readActors(
      shard,
      indexes.map(({ actor }) => actor),
    ),
    topic: await journal.readTopic(shard, 'room:news', 0, 1_000),
    deadLetters: await journal.readDeadLetters(shard, 1_000),
    rooms: await journal.readRange(shard, 'rooms', { limit: 1_000 }),
    people: await journal.readRange(shard, 'people', { limit: 1_000 }),
  });
}
