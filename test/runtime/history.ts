/**
 * A random history for the property of the turn: clients tell notebooks on several shards, which tell each other, while
 * commits fail in every way, the transport misbehaves and processes die. `judge` says what is wrong with how it ended.
 */

import type { ActorSystem } from '../../src/actor-system.ts';
import type { Limits } from '../../src/limits.ts';
import type { Publication } from '../../src/topic/topic.ts';
import { type CommitFault, unreachable } from './faulty-journal.ts';
import { faultyTransport, randomFrom } from './faulty-transport.ts';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { type Fate, notesOf, type Opened, Stage, watch } from './stage.ts';

export interface Faults {
  /** Chance of each commit to end otherwise than done. */
  readonly commit: number;
  readonly commitFaults: readonly CommitFault[];
  /** Chance of each other call to the store to fail. */
  readonly call: number;
  readonly transport: boolean;
}

interface Told {
  readonly key: string;
  readonly id: string;
  /** Where it was told on to, if it was. */
  readonly onTo: string | undefined;
  readonly fate: () => Fate;
}

interface Seen {
  readonly id: string;
  readonly notes: readonly string[];
  /** Keys whose acknowledgement was seen before this was asked. */
  readonly known: readonly string[];
}

const shards = 3;
const topic = `room:${idOn(0, 77)}`;
const limits: Partial<Limits> = { turnEnvelopesMax: 4, turnTellsMax: 2, cellsMax: 3 * 64 };

export class History {
  readonly stage: Stage;
  readonly #random: () => number;
  readonly #faults: Faults;
  readonly #told: Told[] = [];
  readonly #seen: Seen[] = [];
  readonly #reads: (() => Fate)[] = [];
  readonly #heard: Publication[][] = [];
  #opened: Opened | undefined;
  #isFaulty = true;

  constructor(seed: number, faults: Faults) {
    this.stage = new Stage({ seed, shards });
    this.#random = randomFrom(seed);
    this.#faults = faults;
  }

  /** `steps` random steps, then peace until everything has settled. */
  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      const { system } = await this.#alive();
      const dice = this.#random();
      if (dice < 0.6) this.#tell(system, `${step}`);
      else if (dice < 0.8) this.#read(system);
      else if (dice < 0.9) await this.stage.clock.settle();
      else await this.stage.clock.advance(this.#random() * 300);
    }
    await this.stage.clock.advance(2_000);
    this.#isFaulty = false;
    await this.#alive();
    await this.stage.clock.advance(120_000);
  }

  /** What is wrong, a sentence each. */
  async judge(): Promise<readonly string[]> {
    const { system, journal } = await this.#alive();
    const problems: string[] = [];
    const ids = [...new Set(this.#told.flatMap(({ id, onTo }) => [id, onTo ?? id]))];
    const notes = new Map<string, readonly string[]>();
    for (const id of ids) notes.set(id, await notesOf(system, id));
    for (const told of this.#told) problems.push(...this.#judgeTold(told, notes));
    for (const [id, keys] of notes) problems.push(...judgeOrder(id, keys));
    for (const { id, notes: read, known } of this.#seen) {
      const final = notes.get(id) ?? [];
      if (read.some((key, index) => final[index] !== key)) problems.push(`${id} showed ${read}, and ended as ${final}`);
      const missing = known.filter((key) => !read.includes(key));
      if (missing.length > 0) problems.push(`${id} showed ${read} after ${missing} was acknowledged`);
    }
    if (this.#reads.some((fate) => fate().kind === 'pending')) problems.push('a read was never answered');
    problems.push(...(await this.#judgeNews(system, notes)));
    const waiting = this.stage.store.shards.flatMap(({ outbox }) => outbox).length;
    if (waiting > 0) problems.push(`${waiting} parcels were never acknowledged`);
    for (const difference of await this.stage.differences()) problems.push(JSON.stringify(difference));
    journal.crash();
    return problems;
  }

  #judgeTold({ key, id, onTo, fate }: Told, notes: ReadonlyMap<string, readonly string[]>): string[] {
    const times = notes.get(id)!.filter((noted) => noted === key).length;
    const timesOn = onTo === undefined ? times : notes.get(onTo)!.filter((noted) => noted === `${key} by ${id}`).length;
    const problems: string[] = [];
    const end = fate();
    if (end.kind === 'pending') problems.push(`${key} was never answered`);
    if (end.kind === 'resolved' && times !== 1) problems.push(`${key} was acknowledged and noted ${times} times`);
    if (end.kind === 'rejected' && !['JOURNAL_UNAVAILABLE', 'STOPPED'].includes(end.code)) problems.push(end.code);
    if (times > 1) problems.push(`${key} was noted ${times} times`);
    if (timesOn !== times) problems.push(`${key} was noted ${times} times and told on ${timesOn} times`);
    return problems;
  }

  async #judgeNews(system: ActorSystem, notes: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
    const { publications } = await system.readTopic(topic, { offset: 0 });
    const news = publications.map(({ data }) => data as string);
    const noted = [...notes.values()].flat().filter((key) => !key.includes(' by '));
    const problems: string[] = [];
    if ([...news].sort().join() !== [...noted].sort().join()) problems.push(`published ${news}, noted ${noted}`);
    for (const heard of this.#heard) {
      const wrong = heard.find(({ offset, data }) => news[offset - 1] !== data);
      if (wrong !== undefined) problems.push(`heard ${JSON.stringify(wrong)}`);
      if (heard.some(({ offset }, index) => index > 0 && offset <= heard[index - 1]!.offset)) {
        problems.push(`heard offsets ${heard.map(({ offset }) => offset)}`);
      }
    }
    return problems;
  }

  #tell(system: ActorSystem, key: string): void {
    const id = this.#anyone();
    const onTo = this.#random() < 0.6 ? this.#anyone() : undefined;
    const orders: Instruction[] = [{ kind: 'publish', topic, data: key }];
    if (onTo !== undefined) {
      const to = notebookOn(Number.parseInt(onTo.slice(-4), 16), Number.parseInt(onTo.slice(0, 8), 16));
      orders.push({ kind: 'note', to, key: `${key} by ${id}` });
    }
    const actor = system.actor(notebook, id);
    const options = this.#random() < 0.5 ? { operation: `operation ${key}` } : {};
    this.#told.push({ key, id, onTo, fate: watch(actor.tell(note(key, ...orders), options)) });
  }

  #read(system: ActorSystem): void {
    const id = this.#anyone();
    const known = this.#told.filter((told) => told.id === id && told.fate().kind === 'resolved').map(({ key }) => key);
    const actor = system.actor(notebook, id);
    const asked = this.#random() < 0.5 ? actor.ask({ type: 'ASK' }, { deadlineMs: 600_000 }) : notesOf(system, id);
    const read = asked.then((notes) => this.#seen.push({ id, notes: notes as readonly string[], known }));
    this.#reads.push(watch(read));
  }

  #anyone(): string {
    return idOn(Math.floor(this.#random() * shards), 1 + Math.floor(this.#random() * 2));
  }

  /** The running system; a new one when the process has died. */
  async #alive(): Promise<Opened> {
    if (this.#opened !== undefined && !this.#opened.journal.isDead) return this.#opened;
    const { clock } = this.stage;
    const seed = Math.floor(this.#random() * 1_000_000);
    const lossy = faultyTransport(clock, seed, { lose: 0.1, repeat: 0.1, delay: 0.3, delayMsMax: 100 });
    const opened = await this.stage.open({
      limits,
      transport: (inner) => {
        const faulty = lossy(inner);
        const chosen = () => (this.#isFaulty && this.#faults.transport ? faulty : inner);
        return {
          deliver: (...args) => chosen().deliver(...args),
          acknowledge: (...args) => chosen().acknowledge(...args),
          resend: (...args) => chosen().resend(...args),
        };
      },
    });
    const { commit, commitFaults, call } = this.#faults;
    opened.journal.onCommit = () =>
      this.#isFaulty && this.#random() < commit
        ? commitFaults[Math.floor(this.#random() * commitFaults.length)]
        : undefined;
    opened.journal.onCall = () => (this.#isFaulty && this.#random() < call ? unreachable() : undefined);
    const heard: Publication[] = [];
    this.#heard.push(heard);
    opened.system.subscribe(topic, (publication) => heard.push(publication));
    this.#opened = opened;
    return opened;
  }
}

/** Keys are numbers that rise as they are told: those of one sender are to rise too. */
function judgeOrder(id: string, keys: readonly string[]): string[] {
  const bySender = new Map<string, number[]>();
  for (const key of keys) {
    const [number, sender = 'client'] = key.split(' by ');
    bySender.set(sender, [...(bySender.get(sender) ?? []), Number(number)]);
  }
  const mixed = [...bySender].filter(([, numbers]) => numbers.some((n, index) => index > 0 && n < numbers[index - 1]!));
  return mixed.map(([sender, numbers]) => `${id} noted ${numbers} of ${sender}`);
}
