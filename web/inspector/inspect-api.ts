/**
 * The calls of /inspect/api, each with the token that is good at that moment. A failure is one class, with a sentence for
 * the operator and the status that caused it.
 */

import type {
  Actor,
  ActorRow,
  AnyEvent,
  Attempt,
  HistoryPage,
  OperationTrace,
  Overview,
  TypeRow,
} from '../../src/inspect/answers.ts';
import { currentAccess } from '../shared/access.ts';
import { freshen } from '../shared/entrance.ts';

export class ApiFailure extends Error {
  /** 0 when no answer came. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, sentence: string) {
    super(sentence);
    this.status = status;
    this.code = code;
  }

  /** Whether another token is needed. */
  get isRefused(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** Whether the same question may be answered a little later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface ActorQuery {
  readonly type?: string | undefined;
  readonly state?: string | undefined;
  readonly id?: string | undefined;
  readonly operation?: string | undefined;
  readonly limit: number;
}

/** Actors in order, and where the search goes on. A page may be empty and not the last one. */
export interface ActorsPage {
  readonly rows: readonly ActorRow[];
  readonly next: string | undefined;
}

interface Answer<T> {
  readonly data: T;
  /** How much was read. */
  readonly characters: number;
  readonly next: string | undefined;
}

const root = '/inspect/api/';

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
}

function pathOf(query: ActorQuery): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value));
  }
  return `actors?${params}`;
}

/** The next page, as a path below the root. */
function nextOf({ headers }: Response): string | undefined {
  const path = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
  return path?.startsWith(root) === true ? path.slice(root.length) : undefined;
}

async function problemOf(response: Response): Promise<ApiFailure> {
  const {
    code = 'UNKNOWN',
    title,
    detail,
  } = await response.json().then(
    (body) => body as Problem,
    () => ({}) as Problem,
  );
  return new ApiFailure(response.status, code, detail ?? title ?? `The server answered ${response.status}.`);
}

async function request(path: string, init: RequestInit, token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  try {
    return await fetch(`${root}${path}`, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiFailure(0, 'UNREACHABLE', 'The server cannot be reached.');
  }
}

export class InspectApi {
  readonly #onRefused: (failure: ApiFailure) => void;
  #types: Promise<readonly TypeRow[]> | undefined;

  /** `onRefused` is told when the token is not, or no longer, an operator's. */
  constructor(onRefused: (failure: ApiFailure) => void) {
    this.#onRefused = onRefused;
  }

  overview(): Promise<Overview> {
    return this.#get('overview');
  }

  /** Read once: a machine does not change while its server runs. */
  types(): Promise<readonly TypeRow[]> {
    this.#types ??= this.#get<readonly TypeRow[]>('types').catch((error: unknown) => {
      this.#types = undefined;
      throw error;
    });
    return this.#types;
  }

  /** The first page of a search, or the one that `next` of another one names. */
  async actors(query: ActorQuery | string, signal?: AbortSignal): Promise<ActorsPage> {
    const { data, next } = await this.#call<readonly ActorRow[]>(
      typeof query === 'string' ? query : pathOf(query),
      signal === undefined ? {} : { signal },
    );
    return { rows: data, next };
  }

  actor(address: string): Promise<Actor> {
    return this.#get(`actors/${address}`);
  }

  async steps(address: string, after: number, limit: number): Promise<{ page: HistoryPage; characters: number }> {
    const { data, characters } = await this.#call<HistoryPage>(
      `actors/${address}/steps?after=${after}&limit=${limit}`,
      {},
    );
    return { page: data, characters };
  }

  async attempt(address: string, version: number, event: AnyEvent): Promise<Attempt> {
    const body = JSON.stringify({ version, event });
    return (await this.#call<Attempt>(`actors/${address}/attempt`, { method: 'POST', body })).data;
  }

  operation(id: string): Promise<OperationTrace> {
    return this.#get(`operations/${id}`);
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.#call<T>(path, {})).data;
  }

  async #call<T>(path: string, init: RequestInit): Promise<Answer<T>> {
    const token = currentAccess()?.token ?? '';
    let response = await request(path, init, token);
    if (response.status === 401) {
      // It has ended before it was exchanged: a tab that slept, or clocks that differ.
      const renewal = await freshen(token);
      if (renewal.kind === 'renewed') response = await request(path, init, renewal.token);
    }
    if (response.ok) {
      const text = await response.text();
      return { data: JSON.parse(text) as T, characters: text.length, next: nextOf(response) };
    }
    const failure = await problemOf(response);
    // Not the answer to somebody who is no longer here.
    if (failure.isRefused && currentAccess() !== undefined) this.#onRefused(failure);
    throw failure;
  }
}
