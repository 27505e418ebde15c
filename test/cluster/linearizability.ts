/**
 * Whether a history of concurrent operations is linearizable: whether each operation can have taken effect at one moment
 * between its invocation and its return, so that all results are those of a sequential model.
 *
 * The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993), with Lowe's memory of
 * configurations seen ("Testing for Linearizability", 2017), each key on its own as in porcupine (Athalye). An operation
 * whose outcome nobody knows may take effect at any time after its invocation, or never. A configuration that has spent
 * fewer of those on the way to the same state can do whatever another one can, so that one seen covers the others: without
 * this, a history with k of them could cost 2^k. The number of configurations looked at is bounded; beyond it the answer
 * is that there is none.
 */

export interface Operation<I, O> {
  readonly client: string;
  readonly key: string;
  readonly input: I;
  /** On one clock for the whole history. */
  readonly invoked: number;
  /** Undefined: nobody knows what became of it. */
  readonly returned: { readonly at: number; readonly output: O } | undefined;
}

export interface Model<S, I, O> {
  readonly initial: S;
  /** The state after `input`, and its output. States, inputs and outputs are plain data. */
  apply(state: S, input: I): readonly [state: S, output: O];
  /** Whether it changes no state, whatever the state. */
  isRead(input: I): boolean;
}

export type Verdict<I, O> =
  | { readonly kind: 'linearizable'; readonly states: number }
  | {
      readonly kind: 'violated';
      readonly states: number;
      readonly key: string;
      /** The longest order that fits, and its last state. */
      readonly longest: readonly Operation<I, O>[];
      readonly state: unknown;
      /** None of these, which were under way then, fits as the next one. */
      readonly stuck: readonly Operation<I, O>[];
    }
  /** More than `statesMax` configurations. */
  | { readonly kind: 'undecided'; readonly states: number; readonly key: string };

export interface CheckOptions {
  /** Configurations looked at per key. */
  readonly statesMax?: number;
}

const defaultStatesMax = 1_000_000;

interface Completed<I, O> {
  readonly operation: Operation<I, O>;
  readonly returnedAt: number;
  readonly output: string;
}

/** A point of the search: which completed operations have taken effect (`done`, by index), and how many of each class of unknown ones. */
interface Configuration<S, I, O> {
  readonly state: S;
  readonly spent: readonly number[];
  readonly parent: Configuration<S, I, O> | undefined;
  /** What took effect since `parent`: any number of unknown ones, and a completed one at the end. */
  readonly effects: readonly Operation<I, O>[];
  /** Index of that completed one. */
  readonly index: number;
}

class Search<S, I, O> {
  states = 0;
  longest: Configuration<S, I, O>;
  stuck: readonly Operation<I, O>[] = [];
  readonly #model: Model<S, I, O>;
  readonly #completed: readonly Completed<I, O>[];
  /** Unknown operations with the same input, oldest first: which of them took effect is all the same. */
  readonly #classes: readonly (readonly Operation<I, O>[])[];
  readonly #statesMax: number;
  readonly #seen = new Map<string, (readonly number[])[]>();
  readonly #done: boolean[];
  /** All below it are done. */
  #low = 0;
  #count = 0;
  #longestCount = -1;

  constructor(model: Model<S, I, O>, operations: readonly Operation<I, O>[], statesMax: number) {
    this.#model = model;
    this.#statesMax = statesMax;
    const inOrder = [...operations].sort((a, b) => a.invoked - b.invoked);
    this.#completed = inOrder.flatMap((operation) => {
      const { returned } = operation;
      return returned === undefined
        ? []
        : [{ operation, returnedAt: returned.at, output: JSON.stringify(returned.output) }];
    });
    const classes = new Map<string, Operation<I, O>[]>();
    for (const operation of inOrder) {
      if (operation.returned !== undefined || model.isRead(operation.input)) continue;
      const name = JSON.stringify(operation.input);
      classes.set(name, [...(classes.get(name) ?? []), operation]);
    }
    this.#classes = [...classes.values()];
    this.#done = this.#completed.map(() => false);
    const spent = this.#classes.map(() => 0);
    this.longest = { state: model.initial, spent, parent: undefined, effects: [], index: -1 };
  }

  /** Undefined when it was given up. */
  run(): boolean | undefined {
    let current = this.longest;
    const path = [this.#nextOf(current)];
    while (this.#count < this.#completed.length) {
      if (this.states > this.#statesMax) return undefined;
      const next = path.at(-1)!.next();
      if (next.done === true) {
        path.pop();
        if (current.parent === undefined) return false;
        this.#undo(current.index);
        current = current.parent;
        continue;
      }
      this.#do(next.value.index);
      if (this.#isCovered(next.value)) {
        this.#undo(next.value.index);
        continue;
      }
      current = next.value;
      path.push(this.#nextOf(current));
    }
    return true;
  }

  /** Configurations with one more completed operation: without further unknown ones first, then with as few as possible. */
  *#nextOf(from: Configuration<S, I, O>): Generator<Configuration<S, I, O>> {
    const { candidates, until } = this.#candidates();
    if (this.#count > this.#longestCount) {
      this.#longestCount = this.#count;
      this.longest = from;
      this.stuck = candidates.map((index) => this.#completed[index]!.operation);
    }
    for (const { state, spent, effects } of this.#withUnknown(from, until)) {
      const fitting: Configuration<S, I, O>[] = [];
      for (const index of candidates) {
        const { operation, output } = this.#completed[index]!;
        const [after, given] = this.#model.apply(state, operation.input);
        this.states += 1;
        if (JSON.stringify(given) !== output) continue;
        const next = { state: after, spent, parent: from, effects: [...effects, operation], index };
        if (this.#model.isRead(operation.input)) {
          // Whatever else could be next may as well come after it.
          yield next;
          if (effects.length === 0) return;
          fitting.length = 0;
          break;
        }
        fitting.push(next);
      }
      yield* fitting;
    }
  }

  /** Completed operations that can be next: those invoked before the first return of one that is not done. */
  #candidates(): { readonly candidates: readonly number[]; readonly until: number } {
    const candidates: number[] = [];
    let until = Number.POSITIVE_INFINITY;
    for (let index = this.#low; index < this.#completed.length; index++) {
      const { operation, returnedAt } = this.#completed[index]!;
      if (operation.invoked > until) break;
      if (this.#done[index]) continue;
      candidates.push(index);
      until = Math.min(until, returnedAt);
    }
    // Who has to be first is tried first.
    candidates.sort((a, b) => this.#completed[a]!.returnedAt - this.#completed[b]!.returnedAt);
    return { candidates, until };
  }

  /** States that unknown operations invoked until then can lead to, with the fewest first. */
  *#withUnknown(
    { state, spent }: Configuration<S, I, O>,
    until: number,
  ): Generator<Pick<Configuration<S, I, O>, 'state' | 'spent' | 'effects'>> {
    const first = { state, spent, effects: [] as readonly Operation<I, O>[] };
    const seen = new Map<string, (readonly number[])[]>();
    let level = [first];
    while (level.length > 0) {
      const next: (typeof first)[] = [];
      for (const one of level) {
        if (isCoveredIn(seen, JSON.stringify(one.state), one.spent)) continue;
        yield one;
        for (const [index, operations] of this.#classes.entries()) {
          const operation = operations[one.spent[index]!];
          if (operation === undefined || operation.invoked > until) continue;
          this.states += 1;
          if (this.states > this.#statesMax) return;
          const [after] = this.#model.apply(one.state, operation.input);
          const with1 = one.spent.map((count, other) => (other === index ? count + 1 : count));
          next.push({ state: after, spent: with1, effects: [...one.effects, operation] });
        }
      }
      level = next;
    }
  }

  #isCovered({ state, spent }: Configuration<S, I, O>): boolean {
    let window = '';
    for (let index = this.#low, left = this.#count - this.#low; left > 0; index++) {
      window += this.#done[index] ? '1' : '0';
      if (this.#done[index]) left -= 1;
    }
    return isCoveredIn(this.#seen, `${this.#low}:${window}:${JSON.stringify(state)}`, spent);
  }

  #do(index: number): void {
    this.#done[index] = true;
    this.#count += 1;
    while (this.#done[this.#low]) this.#low += 1;
  }

  #undo(index: number): void {
    this.#done[index] = false;
    this.#count -= 1;
    this.#low = Math.min(this.#low, index);
  }
}

/** Whether the same was seen with no more spent in any class; if not, it is from now on. */
function isCoveredIn(seen: Map<string, (readonly number[])[]>, name: string, spent: readonly number[]): boolean {
  const before = seen.get(name);
  if (before === undefined) {
    seen.set(name, [spent]);
    return false;
  }
  if (before.some((other) => other.every((count, index) => count <= spent[index]!))) return true;
  before.push(spent);
  return false;
}

function orderOf<S, I, O>(last: Configuration<S, I, O>): readonly Operation<I, O>[] {
  const parts: (readonly Operation<I, O>[])[] = [];
  for (let one: Configuration<S, I, O> | undefined = last; one !== undefined; one = one.parent) parts.push(one.effects);
  return parts.reverse().flat();
}

/** Checks each key's operations; gives the first key that is not linearizable. */
export function checkLinearizable<S, I, O>(
  model: Model<S, I, O>,
  history: readonly Operation<I, O>[],
  { statesMax = defaultStatesMax }: CheckOptions = {},
): Verdict<I, O> {
  const keys = new Map<string, Operation<I, O>[]>();
  for (const operation of history) {
    const others = keys.get(operation.key);
    if (others === undefined) keys.set(operation.key, [operation]);
    else others.push(operation);
  }
  let states = 0;
  for (const [key, operations] of keys) {
    const search = new Search(model, operations, statesMax);
    const fits = search.run();
    states += search.states;
    if (fits === undefined) return { kind: 'undecided', states, key };
    if (fits) continue;
    const { longest, stuck } = search;
    return { kind: 'violated', states, key, longest: orderOf(longest), state: longest.state, stuck };
  }
  return { kind: 'linearizable', states };
}

const shownMax = 12;

function shown<I, O>({ client, input, invoked, returned }: Operation<I, O>): string {
  const end = returned === undefined ? 'unknown' : `${returned.at}: ${JSON.stringify(returned.output)}`;
  return `  ${client} ${JSON.stringify(input)} ${invoked}–${end}`;
}

/** A verdict for people. */
export function explain<I, O>(verdict: Verdict<I, O>): string {
  if (verdict.kind !== 'violated') return `${verdict.kind} after ${verdict.states} states`;
  const { key, longest, state, stuck } = verdict;
  return [
    `${key} is not linearizable. ${longest.length} operations fit, the last ones:`,
    ...longest.slice(-shownMax).map(shown),
    `They lead to ${JSON.stringify(state)}, where none of these fits:`,
    ...stuck.slice(0, shownMax).map(shown),
  ].join('\n');
}

export interface Pending<O> {
  returns(output: O): void;
  /** It is certain that nothing happened and nothing will. Whatever neither returns nor fails stays unknown. */
  fails(): void;
}

interface Recorded<I, O> {
  readonly operation: Omit<Operation<I, O>, 'returned'>;
  returned: Operation<I, O>['returned'];
  hasFailed: boolean;
}

/** Records a history as it happens, on a clock that ticks with each invocation and return. */
export class HistoryRecorder<I, O> {
  readonly #records: Recorded<I, O>[] = [];
  #ticks = 0;

  /** Everything so far; what is still under way is unknown. */
  get operations(): readonly Operation<I, O>[] {
    const possible = this.#records.filter(({ hasFailed }) => !hasFailed);
    return possible.map(({ operation, returned }) => ({ ...operation, returned }));
  }

  invoke(client: string, key: string, input: I): Pending<O> {
    this.#ticks += 1;
    const operation = { client, key, input, invoked: this.#ticks };
    const record: Recorded<I, O> = { operation, returned: undefined, hasFailed: false };
    this.#records.push(record);
    return {
      returns: (output) => {
        this.#ticks += 1;
        record.returned = { at: this.#ticks, output };
      },
      fails: () => {
        record.hasFailed = true;
      },
    };
  }
}

export type RegisterInput =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly value: number }
  | { readonly kind: 'cas'; readonly from: number; readonly to: number };

/** A register that is 0 at first. `read` gives its value, `write` true, `cas` whether it wrote. */
export const registerModel: Model<number, RegisterInput, number | boolean> = {
  initial: 0,
  apply(state, input) {
    if (input.kind === 'read') return [state, state];
    if (input.kind === 'write') return [input.value, true];
    return state === input.from ? [input.to, true] : [state, false];
  },
  isRead: ({ kind }) => kind === 'read',
};

export type CounterInput = { readonly kind: 'read' } | { readonly kind: 'add'; readonly by: number };

/** A counter that is 0 at first. `add` gives the sum after it, `read` the sum. */
export const counterModel: Model<number, CounterInput, number> = {
  initial: 0,
  apply(state, input) {
    const sum = input.kind === 'add' ? state + input.by : state;
    return [sum, sum];
  },
  isRead: ({ kind }) => kind === 'read',
};
