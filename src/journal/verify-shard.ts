/**
 * The checks of one shard, for `verifyJournal`. What is derived from the journal (indices, snapshots, rows) is read first
 * and remembered as digests; then the journal is folded from its first entry past the position of that reading, and each
 * digest is compared when the fold comes by its version. So nothing has to stand still meanwhile, and memory holds two
 * digests per actor and one per row, beside the folded actors of the shard.
 *
 * It reports into the findings and throws only what the journal rejects with when it cannot be asked.
 */

import { createHash } from 'node:crypto';
import { type Address, idOf, typeOf } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { messageOf } from '../errors.ts';
import type { Projection, Row } from '../projection/projection.ts';
import { Projections } from '../projection/projections.ts';
import { projectedStep, Replay, type ReplayedStep } from '../projection/replay.ts';
import { decode } from './codec.ts';
import { Findings } from './findings.ts';
import type { ActorIndex, ActorRecord, Journal, ShardState } from './journal.ts';

/** What the fold must give when it comes by these versions. No digest: nothing can be compared but the version. */
interface Expected {
  readonly version: number;
  readonly digest: string | undefined;
  readonly snapshotVersion: number;
  readonly snapshotDigest: string | undefined;
}

const pageActors = 256;
const pageRows = 1_000;
const deadLettersMax = 1_000;
const absent = 'absent';

/** JSON with sorted keys and without undefined: equal for equal data, however it was built. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? 'undefined'
  );
}

function digestOf(value: unknown): string {
  return createHash('sha1').update(canonical(value)).digest('base64');
}

function rowName(view: string, key: string): string {
  return `row ${key} of ${view}`;
}

export class ShardVerification {
  readonly #journal: Journal;
  readonly #shard: number;
  readonly #hosts: ReadonlyMap<string, HostedMachine>;
  readonly #projections: readonly Projection[];
  readonly #findings: Findings;
  readonly #expected = new Map<Address, Expected>();
  readonly #unlisted = new Set<Address>();
  /** Versions at which actors were retired, by what their snapshots say. */
  readonly #retirements = new Map<Address, number>();
  /** False: the listing broke off, so that what is missing from it means nothing. */
  #isListed = true;
  /** Views whose reading broke off. */
  readonly #unread = new Set<string>();
  /** Digests of the stored rows, by their name. */
  readonly #stored = new Map<string, string>();
  /** Digests a row may have had while the rows were read, by its name. */
  readonly #possible = new Map<string, { readonly view: string; readonly digests: Set<string> }>();

  constructor(
    journal: Journal,
    shard: number,
    hosts: ReadonlyMap<string, HostedMachine>,
    projections: readonly Projection[],
    findings: Findings,
  ) {
    this.#journal = journal;
    this.#shard = shard;
    this.#hosts = hosts;
    this.#projections = projections;
    this.#findings = findings;
  }

  async run(onPage: () => void): Promise<void> {
    const state = await this.#readState();
    if (state === undefined) return;
    const current = this.#projections.filter(({ name, version }) => state.projections[name] === version);
    if (current.length < this.#projections.length && state.head.seq > 0) {
      this.#findings.note('projection of a shard that the next start rebuilds, not compared');
    }
    await this.#readActors();
    await this.#readRows(current);
    const until = (await this.#readState())?.head.seq ?? state.head.seq;
    const replay = await this.#fold(state, until, new Projections(current), onPage);
    this.#finishActors(replay);
    this.#finishRows(replay);
    this.#finishTimers(state);
    const letters = await this.#findings.reading(this.#shard, 'dead letters', () =>
      this.#journal.readDeadLetters(this.#shard, deadLettersMax),
    );
    this.#findings.deadLetters += letters?.length ?? 0;
  }

  /**
   * Undefined when a record of the open work is damaged: without the head, nothing of the shard can be compared. That
   * verification as a whole reads it first, and has reported it.
   */
  #readState(): Promise<ShardState | undefined> {
    return new Findings().reading(this.#shard, 'open work', () => this.#journal.readShard(this.#shard));
  }

  #differ(subject: string, reason: string): void {
    this.#findings.differ(this.#shard, subject, reason);
  }

  async #readActors(): Promise<void> {
    for (let after = ''; ; ) {
      const options = { limit: pageActors, ...(after === '' ? {} : { after }) };
      const page = await this.#findings.reading(this.#shard, 'list of actors', () =>
        this.#journal.listActors(this.#shard, options),
      );
      if (page === undefined) this.#isListed = false;
      if (page === undefined || page.length === 0) return;
      const addresses = page.map((index) => index.actor);
      const records = await this.#journal.readActors(this.#shard, addresses);
      for (const [at, record] of records.entries()) this.#expect(page[at]!, record);
      after = addresses.at(-1)!;
    }
  }

  #expect(listed: ActorIndex, record: ActorRecord | Error | undefined): void {
    const { actor } = listed;
    this.#findings.actors++;
    const { version, snapshotVersion } = listed;
    const known = { version, snapshotVersion, digest: undefined, snapshotDigest: undefined };
    this.#expected.set(actor, known);
    if (record instanceof Error) return this.#differ(actor, `cannot be read: ${record.message}`);
    if (record === undefined) return this.#differ(actor, 'is listed and cannot be read');
    const reason = tailProblem(record);
    if (reason !== undefined) return this.#differ(actor, reason);
    const hosted = this.#hosts.get(typeOf(actor));
    if (hosted === undefined) return;
    try {
      this.#expected.set(actor, this.#rehydrated(hosted, record));
    } catch (error) {
      this.#differ(actor, `cannot be rehydrated: ${messageOf(error)}`);
    }
  }

  #rehydrated(hosted: HostedMachine, { index, snapshot, tail }: ActorRecord): Expected {
    const { version, snapshotVersion } = index;
    const unknown = { version, snapshotVersion, digest: undefined, snapshotDigest: undefined };
    const retired = snapshot === undefined ? undefined : hosted.retiredAt(snapshot.payload);
    if (retired !== undefined) this.#retirements.set(index.actor, retired);
    const restored = snapshot === undefined ? undefined : hosted.restore(snapshot.payload);
    if (snapshotVersion > 0 && restored === undefined) {
      const why = snapshot === undefined ? 'missing snapshot' : 'snapshot of another version of its machine';
      this.#findings.note(`${why}, rebuilt from the journal when it is needed`);
      return unknown;
    }
    if (snapshotVersion > 0) this.#findings.snapshots++;
    const snapshotDigest = restored === undefined ? undefined : digestOf(hosted.plain(restored));
    const events = tail.map((entry) => decode<AnyEvent>(entry.payload));
    const id = idOf(index.actor);
    const digest = digestOf(hosted.plain(hosted.fold(id, restored, events)));
    return { version, snapshotVersion, digest, snapshotDigest };
  }

  async #readRows(projections: readonly Projection[]): Promise<void> {
    for (const view of projections.flatMap((projection) => projection.views)) {
      for (let after = ''; ; ) {
        const options = { limit: pageRows, ...(after === '' ? {} : { after }) };
        const page = await this.#findings.reading(this.#shard, `view ${view}`, () =>
          this.#journal.readRange(this.#shard, view, options),
        );
        if (page === undefined) this.#unread.add(view);
        if (page === undefined || page.length === 0) break;
        for (const { key, payload } of page) this.#stored.set(rowName(view, key), digestOf(decode(payload)));
        this.#findings.rows += page.length;
        after = page.at(-1)!.key;
      }
    }
  }

  async #fold(state: ShardState, until: number, projections: Projections, onPage: () => void): Promise<Replay> {
    const replay = new Replay(this.#journal, this.#shard, this.#hosts, undefined, this.#retirements);
    const arming = new Map<number, Address[]>();
    for (const { actor, generation } of state.timers) {
      arming.set(generation, [...(arming.get(generation) ?? []), actor]);
    }
    await replay.advance(until, {
      onStep: (step) => {
        this.#compareEmitted(step);
        const { actor, version } = step.entry;
        if (this.#retirements.get(actor) !== version) this.#compareActor(step, state.head.seq);
        this.#projectRows(step, projections, state.head.seq);
        this.#countPublications(step);
        for (const armed of arming.get(step.entry.seq) ?? []) {
          if (armed !== actor)
            this.#differ(armed, `has a timer armed by entry ${step.entry.seq}, which is another actor's`);
        }
      },
      onRetired: (step) => {
        this.#compareActor(step, state.head.seq);
        const { address, version, state: reduced } = step.actor;
        this.#takeRows(projections.rowsOfRetired(address, version, reduced), step.entry.seq <= state.head.seq);
      },
      onProblem: ({ seq, actor, reason }) =>
        this.#differ(actor ?? `entry ${seq}`, `cannot be folded at entry ${seq}: ${reason}`),
      afterPage: (entries) => {
        this.#findings.entries += entries;
        onPage();
      },
    });
    return replay;
  }

  #compareEmitted({ entry, emitted }: ReplayedStep): void {
    const folded = emitted.map((event) => event.type).join(', ');
    const journaled = entry.emitted.join(', ');
    if (folded !== journaled) {
      this.#differ(entry.actor, `emits [${folded}] at version ${entry.version}, where the journal says [${journaled}]`);
    }
  }

  #compareActor({ entry, actor }: ReplayedStep, readAt: number): void {
    const expected = this.#expected.get(actor.address);
    if (expected === undefined) {
      // One that was created after the reading is not listed and need not be.
      if (actor.version === 1 && entry.seq <= readAt) this.#unlisted.add(actor.address);
      return;
    }
    const { version, digest, snapshotVersion, snapshotDigest } = expected;
    if (actor.version !== snapshotVersion && actor.version !== version) return;
    const folded = digestOf(actor.hosted.plain(actor.state));
    if (actor.version === snapshotVersion && snapshotDigest !== undefined && snapshotDigest !== folded) {
      this.#differ(actor.address, `has a snapshot at version ${snapshotVersion} that is not the fold of its journal`);
    } else if (actor.version === version && digest !== undefined && digest !== folded) {
      this.#differ(actor.address, `rehydrates at version ${version} to another state than the fold of its journal`);
    }
    if (actor.version === version) this.#expected.delete(actor.address);
  }

  #projectRows(step: ReplayedStep, projections: Projections, readAt: number): void {
    this.#takeRows(projections.rows(projectedStep(step)), step.entry.seq <= readAt);
    const { actor } = step;
    if (this.#retirements.has(actor.address)) return;
    // One that is over may be retired after its snapshot was read and before its rows were.
    const reduced = actor.hosted.reduced(actor.state);
    if (reduced !== undefined) this.#takeRows(projections.rowsOfRetired(actor.address, actor.version, reduced), false);
  }

  /** What rows may be from a step on: these, and if it is not sure that they were written when the rows were read, those before. */
  #takeRows(rows: readonly Row[], isWritten: boolean): void {
    for (const { view, key, value } of rows) {
      const name = rowName(view, key);
      const digest = value === undefined ? absent : digestOf(value);
      const possible = this.#possible.get(name);
      // After the rows were begun to be read, the old and the new value may both have been what was found.
      if (isWritten) this.#possible.set(name, { view, digests: new Set([digest]) });
      else if (possible === undefined) this.#possible.set(name, { view, digests: new Set([absent, digest]) });
      else possible.digests.add(digest);
    }
  }

  #countPublications({ entry, actor, emitted }: ReplayedStep): void {
    const { effects } = actor.hosted.definition;
    const context = { self: actor.address, id: actor.id, from: entry.from, operation: entry.operation };
    for (const event of emitted) {
      const caused = effects[event.type]?.(event as never, context) ?? [];
      for (const effect of Array.isArray(caused) ? caused : [caused]) {
        if (effect.kind !== 'publish') continue;
        this.#findings.publications.set(effect.topic, (this.#findings.publications.get(effect.topic) ?? 0) + 1);
      }
    }
  }

  #finishActors(replay: Replay): void {
    for (const [address, { version }] of this.#expected) {
      if (replay.broken.has(address)) continue;
      const folded = replay.actors.get(address)?.version ?? 0;
      this.#differ(address, `has an index at version ${version}; its journal ends at version ${folded}`);
    }
    if (!this.#isListed) return;
    for (const address of this.#unlisted) this.#differ(address, 'has entries in the journal and no index');
  }

  #finishRows(replay: Replay): void {
    // What could not be folded is reported already; its rows would only repeat it.
    if (replay.broken.size > 0)
      return this.#findings.note('shard with actors that cannot be folded, whose rows were not compared');
    for (const [name, digest] of this.#stored) {
      const possible = this.#possible.get(name);
      if (possible === undefined) this.#differ(name, 'is not in the projection of the journal');
      else if (!possible.digests.has(digest))
        this.#differ(name, 'has another value than the projection of the journal');
    }
    for (const [name, { view, digests }] of this.#possible) {
      if (this.#unread.has(view) || this.#stored.has(name) || digests.has(absent)) continue;
      this.#differ(name, 'is in the projection of the journal and not in the store');
    }
  }

  #finishTimers({ timers, head }: ShardState): void {
    for (const { actor, id, dueAt, generation } of timers) {
      this.#findings.timers++;
      if (!Number.isFinite(dueAt)) this.#differ(actor, `has a timer "${id}" that is never due`);
      if (generation > head.seq)
        this.#differ(actor, `has a timer "${id}" armed by entry ${generation}, which does not exist`);
    }
  }
}

/** Why an index, its snapshot and its tail do not belong together; undefined when they do. */
function tailProblem({ index, snapshot, tail }: ActorRecord): string | undefined {
  const { actor, version, snapshotVersion } = index;
  if (tail.length !== index.tail.length || tail.length !== version - snapshotVersion) {
    return `has a tail of ${tail.length} entries between its snapshot at version ${snapshotVersion} and version ${version}`;
  }
  if (snapshot !== undefined && snapshot.version !== snapshotVersion) {
    return `has a snapshot at version ${snapshot.version}, where its index says ${snapshotVersion}`;
  }
  const at = tail.findIndex(
    (entry, i) => entry.seq !== index.tail[i] || entry.actor !== actor || entry.version !== snapshotVersion + 1 + i,
  );
  if (at === -1) return undefined;
  return `has a tail whose entry ${index.tail[at]} is not its version ${snapshotVersion + 1 + at}`;
}
