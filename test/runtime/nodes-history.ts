/**
 * A random history of several nodes on one store: clients tell notebooks through any node, which tell each other over all
 * shards, arm alarms, mint ids and wait for operations, while nodes die, sleep, stop, come back, cannot reach the store, and
 * do not hear each other, and while an operator moves shards and drains nodes. `judge` says what is wrong with how it ended.
 */

import type { Limits } from '../../src/limits.ts';
import { alarm } from './alarm.ts';
import { type DrowsyClock, drowsy } from './drowsy-clock.ts';
import { type CommitFault, unreachable } from './faulty-journal.ts';
import { randomFrom } from './faulty-transport.ts';
import { member } from './fleet.ts';
import { membership, operate, undoOperations } from './nodes-operator.ts';
import { type Heard, judgeNews, judgeOrder } from './nodes-verdict.ts';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { type Fate, notesOf, type Opened, Stage, watch } from './stage.ts';
import { StorePast } from './store-past.ts';

export interface NodesFaults {
  /** Chances per step that a node dies, is held up for a while, or stops. */
  readonly kill: number;
  readonly sleep: number;
  readonly stop: number;
  /** Chance of each commit, of each other call, and of each message to fail. */
  readonly commit: number;
  readonly call: number;
  readonly message: number;
  /** Chance per step that the store loses what shards have committed in the last steps, while one process owned them. */
  readonly rewind?: number;
  /** Chance per step that the store loses anything, of which nobody has a tail, when an owner may have died as well. */
  readonly disaster?: number;
  /** Chance per step that an operator moves a shard, or drains a node or takes that back. */
  readonly operate?: number;
}

interface Armed {
  readonly key: string;
  readonly id: string;
  readonly fate: () => Fate;
}

interface Told {
  readonly key: string;
  readonly id: string;
  readonly onTo: string | undefined;
  readonly client: string;
  readonly operation: string | undefined;
  readonly fate: () => Fate;
}

interface Seen {
  readonly id: string;
  readonly notes: readonly string[];
  /** Keys whose acknowledgement was seen, by anybody, before this was asked. */
  readonly known: readonly string[];
}

interface Running extends Opened {
  readonly name: string;
  readonly clock: DrowsyClock;
  readonly heard: Heard;
  isStopping: boolean;
}

const shards = 5;
const topic = `room:${idOn(0, 77)}`;
const limits: Partial<Limits> = { turnEnvelopesMax: 4, turnTellsMax: 2, leaseMs: 3_000, askMs: 20_000 };
const commitFaults: readonly CommitFault[] = ['unknown, applied', 'unknown, dropped', 'unknown, late', 'done, late'];
const expectedCodes = ['JOURNAL_UNAVAILABLE', 'MAILBOX_FULL', 'STOPPED'];
const actors = [notebook, alarm];

export class NodesHistory {
  readonly stage: Stage;
  readonly #random: () => number;
  readonly #faults: NodesFaults;
  readonly #told: Told[] = [];
  readonly #armed: Armed[] = [];
  /** What is in every read since: keys by notebook, of operations that were seen to have settled. */
  readonly #settled: { readonly id: string; readonly key: string }[] = [];
  readonly #minted: string[] = [];
  readonly #seen: Seen[] = [];
  readonly #reads: (() => Fate)[] = [];
  readonly #heard: Heard[] = [];
  readonly #slots: (Running | undefined)[] = [undefined, undefined, undefined];
  readonly #past: StorePast;
  /** How often a shard went back. */
  rewinds = 0;
  #processes = 0;
  #isFaulty = true;

  constructor(seed: number, faults: NodesFaults) {
    this.stage = new Stage({ seed, shards });
    this.#past = new StorePast(this.stage.store);
    this.#random = randomFrom(seed);
    this.#faults = faults;
  }

  /** `steps` random steps, then peace until everything has settled. */
  async run(steps: number): Promise<void> {
    const { clock } = this.stage;
    for (let step = 0; step < steps; step++) {
      await this.#trouble();
      const node = await this.#someone();
      const dice = this.#random();
      if (dice < 0.45) this.#tell(node, `${step}`);
      else if (dice < 0.5) this.#arm(node, `${step}`);
      else if (dice < 0.55) this.#settle(node);
      else if (dice < 0.58) this.#mint(node, `${step}`);
      else if (dice < 0.75) this.#read(node);
      else if (dice < 0.85) await clock.settle();
      else await clock.advance(this.#random() * 700);
    }
    this.#isFaulty = false;
    await undoOperations(this.stage);
    if (this.#slots[0] === undefined) await this.#start(0);
    for (const node of this.#slots) if (node !== undefined) node.clock.isAsleep = false;
    await clock.advance(20_000);
    await this.#someone();
    await clock.advance(60_000);
  }

  /** What is wrong, a sentence each. */
  async judge(): Promise<readonly string[]> {
    const { system } = await this.#someone();
    const problems: string[] = [];
    const ids = [...new Set(this.#told.flatMap(({ id, onTo }) => [id, onTo ?? id]))];
    const notes = new Map<string, readonly string[]>();
    for (const id of ids) notes.set(id, await this.stage.clock.until(notesOf(system, id)));
    for (const told of this.#told) problems.push(...this.#judgeTold(told, notes));
    problems.push(...judgeOrder(this.#told, notes));
    for (const armed of this.#armed) problems.push(...(await this.#judgeArmed(system, armed)));
    for (const { id, notes: read, known } of this.#seen) {
      const final = notes.get(id) ?? [];
      if (read.some((key, index) => final[index] !== key)) problems.push(`${id} showed ${read}, and ended as ${final}`);
      const missing = known.filter((key) => !read.includes(key));
      if (missing.length > 0) problems.push(`${id} showed ${read} after ${missing} was acknowledged`);
    }
    if (this.#reads.some((fate) => fate().kind === 'pending')) problems.push('a read was never answered');
    const { publications } = await system.readTopic(topic, { offset: 0 });
    problems.push(...judgeNews(this.#heard, publications, notes));
    const waiting = this.stage.store.shards.flatMap(({ outbox }) => outbox).length;
    if (waiting > 0) problems.push(`${waiting} parcels were never acknowledged`);
    for (const difference of await this.stage.differences(actors)) problems.push(JSON.stringify(difference));
    for (const node of this.#slots) node?.journal.crash();
    return problems;
  }

  /** After losses: what is wrong other than that something is lost. A round more, from every shard to every shard, gets through. */
  async judgeProgress(): Promise<readonly string[]> {
    const { system } = await this.#someone();
    const problems: string[] = [];
    if (this.#told.some(({ fate }) => fate().kind === 'pending')) problems.push('a command was never answered');
    if (this.#reads.some((fate) => fate().kind === 'pending')) problems.push('a read was never answered');
    const all = Array.from({ length: shards }, (_, shard) => shard);
    const last = all.map((from) => {
      const orders = all.map((to): Instruction => ({ kind: 'note', to: notebookOn(to, 1), key: `last of ${from}` }));
      return watch(
        system.actor(notebook, idOn(from, 1)).tell(note('last', ...orders, { kind: 'publish', topic, data: from })),
      );
    });
    await this.stage.clock.advance(20_000);
    if (last.some((fate) => fate().kind !== 'resolved')) problems.push('a command of the last round was not done');
    for (const to of all) {
      const notes = await this.stage.clock.until(notesOf(system, idOn(to, 1)));
      const missing = all.filter((from) => notes.filter((key) => key === `last of ${from}`).length !== 1);
      if (missing.length > 0) problems.push(`shard ${to} was not told once by ${missing}`);
    }
    const published = (await system.readTopic(topic, { offset: 0 })).publications
      .slice(-shards)
      .map(({ data }) => data);
    if (published.sort().join() !== all.join()) problems.push(`published ${published}`);
    for (const { node, publications, isAlive } of this.#heard) {
      const heard = publications.slice(-shards).map(({ data }) => data);
      if (isAlive && heard.sort().join() !== all.join()) problems.push(`${node} heard ${heard}`);
    }
    const waiting = this.stage.store.shards.flatMap(({ outbox }) => outbox).length;
    if (waiting > 0) problems.push(`${waiting} parcels were never acknowledged`);
    for (const difference of await this.stage.differences(actors)) problems.push(JSON.stringify(difference));
    for (const node of this.#slots) node?.journal.crash();
    return problems;
  }

  #judgeTold({ key, id, onTo, fate }: Told, notes: ReadonlyMap<string, readonly string[]>): string[] {
    const times = notes.get(id)!.filter((noted) => noted === key).length;
    const timesOn = onTo === undefined ? times : notes.get(onTo)!.filter((noted) => noted === `${key} by ${id}`).length;
    const problems: string[] = [];
    const end = fate();
    if (end.kind === 'pending') problems.push(`${key} was never answered`);
    if (end.kind === 'resolved' && times !== 1) problems.push(`${key} was acknowledged and noted ${times} times`);
    if (end.kind === 'rejected' && !this.#isExpected(end.code)) problems.push(`${key} was rejected: ${end.code}`);
    if (times > 1) problems.push(`${key} was noted ${times} times`);
    if (timesOn !== times) problems.push(`${key} was noted ${times} times and told on ${timesOn} times`);
    return problems;
  }

  /** Answers get lost with those who have, carry or await them; by themselves they do not. */
  #isExpected(code: string): boolean {
    const { kill, call, message, stop, sleep, rewind = 0 } = this.#faults;
    return (
      expectedCodes.includes(code) || (code === 'ASK_TIMEOUT' && kill + call + message + stop + sleep + rewind > 0)
    );
  }

  async #judgeArmed(system: Opened['system'], { key, id, fate }: Armed): Promise<string[]> {
    const state = await this.stage.clock.until(system.actor(alarm, id).snapshot());
    const times = (state?.state.context.rang ?? []).filter((rang) => rang === key).length;
    if (fate().kind === 'pending') return [`arming ${key} was never answered`];
    if (times > 1) return [`${key} rang ${times} times`];
    return fate().kind === 'resolved' && times !== 1 ? [`${key} was armed and never rang`] : [];
  }

  #tell({ system, name }: Running, key: string, id = this.#anyone()): void {
    const onTo = this.#random() < 0.6 ? this.#anyone() : undefined;
    const orders: Instruction[] = [{ kind: 'publish', topic, data: key }];
    if (onTo !== undefined) {
      const to = notebookOn(Number.parseInt(onTo.slice(-4), 16), Number.parseInt(onTo.slice(0, 8), 16));
      orders.push({ kind: 'note', to, key: `${key} by ${id}` });
    }
    const operation = this.#random() < 0.5 ? `operation ${key}` : undefined;
    const told = system.actor(notebook, id).tell(note(key, ...orders), operation === undefined ? {} : { operation });
    this.#told.push({ key, id, onTo, client: name, operation, fate: watch(told) });
  }

  /** Any node is told to use what one has minted. */
  #mint({ system }: Running, key: string): void {
    const id = system.mint();
    this.#minted.push(id);
    const running = this.#slots.filter((node) => node !== undefined);
    const other = running[Math.floor(this.#random() * running.length)];
    if (other !== undefined) this.#tell(other, key, id);
  }

  #arm({ system }: Running, key: string): void {
    const id = idOn(Math.floor(this.#random() * shards), 7);
    const armed = system.actor(alarm, id).tell({ type: 'LATER', key, ms: Math.floor(this.#random() * 15_000) });
    this.#armed.push({ key, id, fate: watch(armed) });
  }

  /** Asks any node whether one of the last operations has settled; what it did is seen by everybody from then on. */
  #settle({ system }: Running): void {
    const recent = this.#told.slice(-10).filter(({ operation, fate }) => operation && fate().kind === 'resolved');
    const told = recent[Math.floor(this.#random() * recent.length)];
    if (told?.operation === undefined) return;
    const { id, onTo, key, operation } = told;
    const settled = system.settled(operation, id, 60_000).then(() => {
      if (onTo !== undefined) this.#settled.push({ id: onTo, key: `${key} by ${id}` });
    });
    this.#reads.push(watch(settled));
  }

  #read({ system }: Running): void {
    const id = this.#anyone();
    const known = this.#told.filter((told) => told.id === id && told.fate().kind === 'resolved').map(({ key }) => key);
    known.push(...this.#settled.filter((settled) => settled.id === id).map(({ key }) => key));
    const actor = system.actor(notebook, id);
    const asked = this.#random() < 0.5 ? actor.ask({ type: 'ASK' }, { deadlineMs: 60_000 }) : notesOf(system, id);
    const read = asked.then((notes) => this.#seen.push({ id, notes: notes as readonly string[], known }));
    this.#reads.push(watch(read));
  }

  #anyone(): string {
    if (this.#minted.length > 0 && this.#random() < 0.1) return this.#minted.at(-1)!;
    return idOn(Math.floor(this.#random() * shards), 1 + Math.floor(this.#random() * 2));
  }

  /** Some shards go back to what they were some steps ago, if their owner has been the same since. */
  #rewind(): void {
    const steps = 1 + Math.floor(this.#random() * 12);
    for (let shard = 0; shard < shards; shard++) {
      if (this.#past.length < steps || this.#random() < 0.4 || !this.#past.isHeldSince(shard, steps)) continue;
      this.#past.goBack(shard, steps);
      this.rewinds++;
    }
  }

  /** What the others have heard of a shard is a beat old: before anything is lost, they hear of it. */
  async #disaster(): Promise<void> {
    await this.stage.clock.advance(2_500);
    const alive = this.#slots.flatMap((node, slot) => (node === undefined ? [] : [{ node, slot }]));
    const victim = alive[Math.floor(this.#random() * alive.length)];
    if (alive.length > 1 && victim !== undefined && this.#random() < 0.5) {
      victim.node.journal.crash();
      victim.node.heard.isAlive = false;
      this.#slots[victim.slot] = undefined;
    }
    for (let shard = 0; shard < shards; shard++) {
      const steps = 1 + Math.floor(this.#random() * Math.min(20, this.#past.length));
      if (this.#past.length === 0 || this.#random() < 0.5) continue;
      this.#past.goBack(shard, steps);
      this.rewinds++;
    }
  }

  async #trouble(): Promise<void> {
    const { rewind, disaster } = this.#faults;
    if (disaster !== undefined && this.#isFaulty) {
      if (this.#random() < disaster) await this.#disaster();
      this.#past.remember();
    }
    if (rewind !== undefined && this.#isFaulty) {
      // Shards that are about to move are given back without looking.
      if (this.#random() < rewind && this.#slots.every((node) => node !== undefined)) this.#rewind();
      this.#past.remember();
    }
    const slot = Math.floor(this.#random() * this.#slots.length);
    const node = this.#slots[slot];
    const { operate: chance = 0 } = this.#faults;
    if (chance > 0 && this.#random() < chance) await operate(this.stage, this.#random, node?.name);
    const { kill, sleep, stop } = this.#faults;
    const dice = this.#random();
    if (node === undefined) {
      if (dice < 0.1) await this.#start(slot);
    } else if (dice < kill) {
      node.journal.crash();
      node.heard.isAlive = false;
      this.#slots[slot] = undefined;
    } else if (dice < kill + sleep) {
      node.clock.isAsleep = true;
      this.stage.clock.after(this.#random() * 8_000, () => {
        node.clock.isAsleep = false;
      });
    } else if (dice < kill + sleep + stop && !node.isStopping) {
      node.isStopping = true;
      node.heard.isAlive = false;
      void node.system.stop().catch(() => undefined);
      this.#slots[slot] = undefined;
    }
  }

  /** A running node, by chance; one is started if none is. */
  async #someone(): Promise<Running> {
    const running = this.#slots.filter((node) => node !== undefined);
    if (running.length > 0) return running[Math.floor(this.#random() * running.length)]!;
    return this.#start(0);
  }

  async #start(slot: number): Promise<Running> {
    const clock = drowsy(this.stage.clock);
    const name = `n${slot}.${++this.#processes}`;
    const opened = await this.stage.open({
      node: name,
      clock,
      limits: this.#faults.disaster === undefined ? limits : { ...limits, tailEntriesMax: 0 },
      actors,
      ids: { ...this.stage.ids, mint: () => idOn(this.#minted.length % shards, 1_000 + this.#minted.length) },
      // The first one always owns shards; where an operator is about, the others may be anything.
      cluster: slot === 0 || this.#faults.operate === undefined ? member : membership(this.#random),
      prepare: (journal) => this.#spoil(journal),
    });
    const heard: Heard = { node: name, publications: [], since: undefined, isAlive: true };
    const running: Running = { ...opened, name, clock, heard, isStopping: false };
    this.#heard.push(heard);
    opened.system.subscribe(topic, (publication) => heard.publications.push(publication));
    const since = (): void => {
      heard.since ??= this.stage.store.shards[0]!.topics.get(topic)?.head ?? 0;
    };
    const listening = opened.system.listening(topic);
    if (listening === undefined) since();
    else void listening.then(since);
    this.#slots[slot] = running;
    return running;
  }

  #spoil(journal: Opened['journal']): void {
    const { commit, call, message } = this.#faults;
    const isBad = (chance: number): boolean => this.#isFaulty && this.#random() < chance;
    journal.onCommit = () =>
      isBad(commit) ? commitFaults[Math.floor(this.#random() * commitFaults.length)] : undefined;
    journal.onCall = () => (isBad(call) ? unreachable() : undefined);
    const { cluster } = journal;
    if (cluster === undefined) throw new Error('The journal has no cluster store.');
    cluster.onCall = () => (isBad(call) ? unreachable() : undefined);
    cluster.onPublish = () => (isBad(message) ? 'lost' : undefined);
    cluster.onAnswer = () => (isBad(call / 2) ? unreachable() : undefined);
    // One that was lost on the way breaks the subscription, as a connection does: `active` follows.
    cluster.onMessage = (channel) => {
      if (isBad(message)) return { lateMs: this.#random() * 100 };
      if (channel.kind === 'topic' || !isBad(message)) return undefined;
      const { kind } = channel;
      if (kind !== 'shard') this.stage.clock.after(500, () => cluster.interrupt((other) => other.kind === kind)());
      return 'lost';
    };
  }
}
