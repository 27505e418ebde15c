/**
 * What a translator has before it: the messages of its rooms that have no text in one of its languages, by their time and
 * then by their id. A page is merged from small pages of the rooms, read as far as they are needed; it costs the number of
 * rooms and what it looks at, and what is translated already costs nothing.
 */

import type { ActorSystem } from '../src/index.ts';
import { inTurns, type Views } from './api-views.ts';
import type { Language, MessageDto, Rows, UntranslatedDto } from './contract.ts';
import { missingOf } from './views.ts';

export interface QueuePage {
  /** Oldest first. */
  readonly messages: readonly UntranslatedDto[];
  /** Where the page before this one ends; undefined at the oldest message. */
  readonly before: string | undefined;
}

/** A place in the queue: a time and a message's id, as in the keys of `untranslated`. */
export const placePattern = /^[0-9a-z]{9}\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Messages looked at for one page; then it is cut short, and its link goes on. */
const searchedMax = 2_000;
const roomPage = 16;

/** What was read of one room, the newest first, and is not used yet. */
class Run {
  readonly roomId: string;
  readonly #system: ActorSystem;
  #rows: readonly { readonly key: string; readonly value: Rows['untranslated'] }[] = [];
  #at = 0;
  #before: string | undefined;
  #isLast = false;

  constructor(system: ActorSystem, roomId: string, before: string | undefined) {
    this.#system = system;
    this.roomId = roomId;
    this.#before = before === undefined ? undefined : `${roomId}/${before}`;
  }

  get missing(): readonly Language[] {
    return this.#rows[this.#at]?.value ?? [];
  }

  /** Of its newest message. */
  get place(): string | undefined {
    return this.#rows[this.#at]?.key.slice(this.roomId.length + 1);
  }

  get isUsedUp(): boolean {
    return !this.#isLast && this.#at === this.#rows.length;
  }

  take(): void {
    this.#at += 1;
  }

  async read(): Promise<void> {
    const position = this.#before === undefined ? {} : { after: this.#before };
    const range = { prefix: `${this.roomId}/`, reverse: true, limit: roomPage, ...position };
    this.#rows = await this.#system.range<Rows['untranslated']>('untranslated', this.roomId, range);
    this.#at = 0;
    this.#before = this.#rows.at(-1)?.key;
    this.#isLast = this.#rows.length < roomPage;
  }
}

/** The run with the newest message; undefined when all are at their end. */
function newest(runs: readonly Run[]): Run | undefined {
  let first: Run | undefined;
  for (const run of runs) {
    if (run.place !== undefined && (first?.place === undefined || run.place > first.place)) first = run;
  }
  return first;
}

export interface QueueSearch {
  readonly roomIds: readonly string[];
  /** Those of the translator. */
  readonly languages: readonly Language[];
  readonly max: number;
  readonly before: string | undefined;
}

async function placesOf(
  system: ActorSystem,
  { roomIds, languages, max, before }: QueueSearch,
): Promise<{ readonly places: readonly string[]; readonly before: string | undefined }> {
  const runs = roomIds.map((roomId) => new Run(system, roomId, before));
  await inTurns(runs, (run) => run.read());
  const places: string[] = [];
  let last = before;
  for (let searched = 0; searched < searchedMax; searched += 1) {
    const run = newest(runs);
    if (run?.place === undefined) return { places, before: undefined };
    if (run.missing.some((language) => languages.includes(language))) {
      if (places.length === max) return { places, before: last };
      places.push(run.place);
    }
    last = run.place;
    run.take();
    if (run.isUsedUp) await run.read();
  }
  return { places, before: last };
}

/** The newest messages before `before`, at most `max`. */
export async function translationQueue(system: ActorSystem, views: Views, search: QueueSearch): Promise<QueuePage> {
  const { places, before } = await placesOf(system, search);
  const found = await views.messagesById(places.map((place) => place.slice(place.indexOf('/') + 1)));
  const shown = (message: MessageDto): UntranslatedDto => ({
    ...message,
    missing: missingOf(message, search.languages),
  });
  // It may have been translated since its row was read.
  const messages = found.map(shown).filter(({ missing }) => missing.length > 0);
  return { messages: messages.reverse(), before };
}
