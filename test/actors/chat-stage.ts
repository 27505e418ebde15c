/**
 * The chat on the real runtime, on a journal in memory and simulated time. Everybody has a name; a name's id puts it on
 * a shard of its own, and what belongs to a room next to the room, as the API mints them.
 */

import { chatActors, chatProjections, type SagaActor, sagas } from '../../actors/chat.ts';
import type { Rows, SagaName, StartAnswer, StartEvent, StartPayloads } from '../../actors/contract.ts';
import { moveNear } from '../../src/actor/address.ts';
import type { ActorDefinition } from '../../src/actor/definition.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import type { Archive } from '../../src/archive/archive.ts';
import { ArchivedJournal } from '../../src/archive/archived-journal.ts';
import { systemIds } from '../../src/ids.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createMemoryStore, type MemoryStore, openMemoryJournal } from '../../src/journal/memory.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import type { Limits } from '../../src/limits.ts';
import { openSystem, type SystemOptions } from '../../src/system.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';

/** One of the chat's publications, loosely. */
export interface News {
  readonly type: string;
  readonly operationId?: string;
  readonly data: unknown;
}

const names = ['alice', 'bob', 'carol', 'dave', 'nobody', 'room', 'nowhere'] as const;
export type Name = (typeof names)[number];

/** The id of a name; its slot is its place in the list. */
export function idOf(name: Name): string {
  const slot = names.indexOf(name) + 1;
  return `00000000-0000-4000-8000-00000000000${slot}`;
}

let minted = 0;

/** A fresh id on the shard of `near`. */
export function near(name: Name): string {
  minted++;
  return moveNear(`00000000-0000-4000-9000-${minted.toString(16).padStart(8, '0')}0000`, idOf(name));
}

export interface Ended {
  readonly operationId: string;
  readonly answer: StartAnswer;
  /** `COMPLETED` or the code it was rejected with. */
  readonly outcome: string;
  readonly data: unknown;
}

interface ChatStageOptions extends Pick<SystemOptions, 'transport'> {
  readonly limits?: Partial<Limits>;
  readonly archive?: Archive;
}

export class ChatStage {
  readonly clock: SimulatedClock;
  readonly system: ActorSystem;
  readonly store: MemoryStore;
  readonly #archive: Archive | undefined;

  private constructor(clock: SimulatedClock, system: ActorSystem, store: MemoryStore, archive: Archive | undefined) {
    this.clock = clock;
    this.system = system;
    this.store = store;
    this.#archive = archive;
  }

  /** `actors` replace the chat's own of the same type. */
  static async open(
    shards: number,
    actors: readonly ActorDefinition[] = [],
    { limits = {}, archive, transport }: ChatStageOptions = {},
  ): Promise<ChatStage> {
    const clock = new SimulatedClock();
    const store = createMemoryStore(shards, 'chat');
    const replaced = new Set(actors.map(({ type }) => type));
    const journal = openMemoryJournal({ store, clock });
    const opening = openSystem({
      journal: archive === undefined ? journal : new ArchivedJournal(journal, archive),
      limits,
      actors: [...chatActors.filter(({ type }) => !replaced.has(type)), ...actors],
      projections: chatProjections,
      clock,
      ids: systemIds,
      ...(transport === undefined ? {} : { transport }),
    });
    return new ChatStage(clock, await clock.until(opening), store, archive);
  }

  event<S extends SagaName>(saga: S, by: string, payload: StartPayloads[S], operationId: string): StartEvent {
    return {
      type: `${saga}_START`,
      operationId,
      responsibleService: 'SAGA_SERVICE',
      responsibleUserId: by,
      payload: { ...payload, at: this.system.now(), fingerprint: `of ${operationId}` },
    } as unknown as StartEvent;
  }

  /** Sends a START without waiting for more than its answer. */
  async start<S extends SagaName>(
    saga: S,
    by: Name,
    payload: StartPayloads[S],
    operationId = near(by),
  ): Promise<{ readonly operationId: string; readonly answer: StartAnswer }> {
    const event = this.event(saga, idOf(by), payload, operationId);
    const actor: SagaActor = sagas[saga];
    const asked = this.system.actor(actor, operationId).ask(event, { operation: operationId });
    return { operationId, answer: (await this.clock.until(asked)) as StartAnswer };
  }

  /** Runs an operation to its end, and everything it caused. */
  async run<S extends SagaName>(saga: S, by: Name, payload: StartPayloads[S], operationId = near(by)): Promise<Ended> {
    const { answer } = await this.start(saga, by, payload, operationId);
    await this.clock.settle();
    return { operationId, answer, ...(await this.ended(by, operationId)) };
  }

  async ended(by: Name, operationId: string): Promise<{ readonly outcome: string; readonly data: unknown }> {
    const outcomes = (await this.news(`user:${idOf(by)}`)).filter((news) => news.operationId === operationId);
    if (outcomes.length !== 1) return { outcome: `${outcomes.length} outcomes`, data: undefined };
    const { type, data } = outcomes[0] as News;
    return { outcome: type.endsWith('_ERROR') ? (data as { code: string }).code : 'COMPLETED', data };
  }

  async news(topic: string): Promise<readonly News[]> {
    const history = await this.system.readTopic(topic, { offset: 0 });
    return history.publications.map(({ data }) => data as News);
  }

  /** What a topic carried beside outcomes. */
  async chatter(topic: string): Promise<readonly News[]> {
    return (await this.news(topic)).filter(({ operationId }) => operationId === undefined);
  }

  async row<V extends keyof Rows>(view: V, shardOf: string, key: string): Promise<Rows[V] | undefined> {
    const [row] = await this.system.rows<Rows[V]>(view, shardOf, [key]);
    return row;
  }

  async createUsers(...created: readonly Name[]): Promise<void> {
    for (const name of created) await this.run('USER_CREATE', name, profileOf(name));
  }

  /** Alice, Bob and Carol exist; Alice has a room with Bob and wrote in it. Gives the message's id. */
  async settle(): Promise<string> {
    await this.createUsers('alice', 'bob', 'carol');
    await this.run('ROOM_CREATE', 'alice', roomWith('bob'), near('room'));
    const messageId = near('room');
    await this.run('MESSAGE_CREATE', 'alice', message(messageId), near('room'));
    return messageId;
  }

  /** The journal, opened beside the system. */
  journal(): Journal {
    const journal = openMemoryJournal({ store: this.store, clock: this.clock });
    return this.#archive === undefined ? journal : new ArchivedJournal(journal, this.#archive);
  }

  /** Where a snapshot or a view differs from the fold of the journal. */
  async differences(): Promise<readonly unknown[]> {
    const options = { journal: this.journal(), definitions: chatActors, projections: chatProjections };
    return (await verifyJournal(options)).differences;
  }
}

export function profileOf(name: Name): StartPayloads['USER_CREATE'] {
  const userId = idOf(name);
  const profile = { userId, email: `${name}@example.com`, username: name, primaryLanguage: 'ENGLISH' } as const;
  if (name !== 'bob') return { ...profile, type: 'REGULAR_USER' };
  return { ...profile, type: 'TRANSLATOR', translationLanguages: ['ITALIAN'] };
}

export function roomWith(companion: Name): StartPayloads['ROOM_CREATE'] {
  return { roomId: idOf('room'), companionUserId: idOf(companion) };
}

export function message(messageId: string, room: Name = 'room'): StartPayloads['MESSAGE_CREATE'] {
  return { messageId, roomId: idOf(room), content: 'hello', language: 'ENGLISH' };
}
