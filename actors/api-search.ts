/**
 * Users in order of their ids, over all shards, read in small pages as far as they are needed: one shard's page is read
 * again only when it is used up, so that a search costs what it looks at and not the number of shards times that.
 */

import type { ActorSystem } from '../src/index.ts';
import type { UserDto, UserType } from './contract.ts';

export interface Search {
  /** Part of the username, in lower case. */
  readonly query: string | undefined;
  readonly type: UserType | undefined;
}

export interface Found {
  readonly users: readonly UserDto[];
  /** The id to go on after; undefined at the end. */
  readonly next: string | undefined;
}

/** Users looked at for one page of a search; then the page is cut short, and its link goes on. */
const searchedMax = 10_000;
const shardPage = 32;

/** A UUID on a shard. */
function idOn(shard: number): string {
  return `00000000-0000-4000-8000-${shard.toString(16).padStart(12, '0')}`;
}

/** What was read of one shard and is not used yet. */
class Run {
  readonly #system: ActorSystem;
  readonly #near: string;
  #rows: readonly { readonly key: string; readonly value: UserDto }[] = [];
  #at = 0;
  #after: string | undefined;
  #isLast = false;

  constructor(system: ActorSystem, shard: number, after: string | undefined) {
    this.#system = system;
    this.#near = idOn(shard);
    this.#after = after;
  }

  get head(): UserDto | undefined {
    return this.#rows[this.#at]?.value;
  }

  get isUsedUp(): boolean {
    return !this.#isLast && this.#at === this.#rows.length;
  }

  take(): void {
    this.#at += 1;
  }

  async read(): Promise<void> {
    const position = this.#after === undefined ? {} : { after: this.#after };
    this.#rows = await this.#system.range<UserDto>('users', this.#near, { limit: shardPage, ...position });
    this.#at = 0;
    this.#after = this.#rows.at(-1)?.key;
    this.#isLast = this.#rows.length < shardPage;
  }
}

/** The run with the lowest id; undefined when all are at their end. */
function lowest(runs: readonly Run[]): Run | undefined {
  let first: Run | undefined;
  for (const run of runs) {
    if (run.head !== undefined && (first?.head === undefined || run.head.id < first.head.id)) first = run;
  }
  return first;
}

function matches(user: UserDto, { query, type }: Search): boolean {
  if (type !== undefined && user.type !== type) return false;
  return query === undefined || (user.username?.toLowerCase().includes(query) ?? false);
}

/** At most `max` users after `after` that match, by id. */
export async function searchUsers(
  system: ActorSystem,
  search: Search,
  max: number,
  after: string | undefined,
): Promise<Found> {
  const runs = Array.from({ length: system.shards }, (_, shard) => new Run(system, shard, after));
  await Promise.all(runs.map((run) => run.read()));
  const users: UserDto[] = [];
  let last = after;
  for (let searched = 0; searched < searchedMax; searched += 1) {
    const run = lowest(runs);
    if (run?.head === undefined) return { users, next: undefined };
    if (matches(run.head, search)) {
      if (users.length === max) return { users, next: last };
      users.push(run.head);
    }
    last = run.head.id;
    run.take();
    if (run.isUsedUp) await run.read();
  }
  return { users, next: last };
}
