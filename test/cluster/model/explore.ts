/**
 * A small explicit-state model checker: every state that a model can reach, breadth first, each once. The first breach
 * found is therefore one of the shortest, and its trace is replayed from the initial state, so that it reads as a list
 * of steps. It also finds states from which nothing leads to a goal any more.
 *
 * It knows nothing of what is modelled. States are compared by their key alone: a model that gives one key to states
 * that behave alike (renamed numbers, swapped nodes) is explored once for all of them.
 */

export interface Breach<P extends string> {
  readonly property: P;
  readonly message: string;
}

export interface Step<S, P extends string> {
  readonly label: string;
  readonly next: S;
  /** A fault happens, it is never needed: ways out of trouble are looked for without them. */
  readonly isFault?: boolean;
  /** What is wrong with taking this step. */
  readonly breaches?: readonly Breach<P>[];
}

export interface Model<S, P extends string> {
  readonly initial: S;
  key(state: S): string;
  steps(state: S): Step<S, P>[];
  isGoal(state: S): boolean;
}

export interface ExploreOptions<P extends string> {
  /** Breaches of other properties are stepped over. */
  readonly watched: readonly P[];
  /** Property of the breach that a state without a way to a goal is; undefined looks for none. */
  readonly stuck?: P;
  readonly statesMax: number;
}

export interface Counterexample<P extends string> extends Breach<P> {
  readonly trace: readonly string[];
}

export interface Exploration<P extends string> {
  /** Whether every reachable state was seen. */
  readonly isComplete: boolean;
  readonly states: number;
  readonly transitions: number;
  /** Steps from the initial state to the farthest one. */
  readonly depth: number;
  readonly counterexample: Counterexample<P> | undefined;
}

/** What was seen so far: keys by number, and how each state was reached first. */
class Atlas {
  readonly numbers = new Map<string, number>();
  readonly parents: number[] = [];
  readonly goals: number[] = [];
  /** Steps that are no faults, as pairs of numbers. */
  #edges = new Int32Array(1 << 16);
  #used = 0;

  add(key: string, parent: number, isGoal: boolean): number {
    const number = this.parents.length;
    this.numbers.set(key, number);
    this.parents.push(parent);
    if (isGoal) this.goals.push(number);
    return number;
  }

  connect(from: number, to: number): void {
    if (from === to) return;
    if (this.#used + 2 > this.#edges.length) {
      const larger = new Int32Array(2 * this.#edges.length);
      larger.set(this.#edges);
      this.#edges = larger;
    }
    this.#edges[this.#used++] = from;
    this.#edges[this.#used++] = to;
  }

  /** The first state from which no way without faults leads to a goal. */
  stuck(): number | undefined {
    const states = this.parents.length;
    const offsets = new Int32Array(states + 1);
    for (let i = 1; i < this.#used; i += 2) offsets[this.#edges[i]! + 1]!++;
    for (let i = 0; i < states; i++) offsets[i + 1]! += offsets[i]!;
    const filled = offsets.slice();
    const sources = new Int32Array(this.#used / 2);
    for (let i = 0; i < this.#used; i += 2) sources[filled[this.#edges[i + 1]!]!++] = this.#edges[i]!;
    const isAlive = new Uint8Array(states);
    const queue = [...this.goals];
    for (const goal of queue) isAlive[goal] = 1;
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (let i = offsets[state]!; i < offsets[state + 1]!; i++) {
        const source = sources[i]!;
        if (isAlive[source] === 1) continue;
        isAlive[source] = 1;
        queue.push(source);
      }
    }
    const first = isAlive.indexOf(0);
    return first < 0 ? undefined : first;
  }

  /** The keys on the way to a state, without the initial one. */
  wayTo(state: number): readonly string[] {
    const wanted = new Map<number, number>();
    const way: number[] = [];
    for (let at = state; at > 0; at = this.parents[at]!) way.unshift(at);
    for (const [index, at] of way.entries()) wanted.set(at, index);
    const keys: string[] = [];
    for (const [key, at] of this.numbers) {
      const index = wanted.get(at);
      if (index !== undefined) keys[index] = key;
    }
    return keys;
  }
}

export function explore<S, P extends string>(model: Model<S, P>, options: ExploreOptions<P>): Exploration<P> {
  const atlas = new Atlas();
  let transitions = 0;
  let depth = 0;
  let level: { readonly state: S; readonly at: number }[] = [
    { state: model.initial, at: atlas.add(model.key(model.initial), -1, model.isGoal(model.initial)) },
  ];
  const report = (isComplete: boolean, counterexample?: Counterexample<P>): Exploration<P> => ({
    isComplete,
    states: atlas.parents.length,
    transitions,
    depth,
    counterexample,
  });
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { state, at } of level) {
      for (const step of model.steps(state)) {
        transitions++;
        const breach = step.breaches?.find(({ property }) => options.watched.includes(property));
        if (breach !== undefined) {
          const trace = [...replay(model, atlas.wayTo(at), breach), `✗ ${breach.message}`];
          return report(false, { ...breach, trace });
        }
        const key = model.key(step.next);
        let to = atlas.numbers.get(key);
        if (to === undefined) {
          if (atlas.parents.length >= options.statesMax) return report(false);
          to = atlas.add(key, at, model.isGoal(step.next));
          next.push({ state: step.next, at: to });
        }
        if (step.isFault !== true) atlas.connect(at, to);
      }
    }
    level = next;
    if (level.length > 0) depth++;
  }
  const stuck = options.stuck === undefined ? undefined : atlas.stuck();
  if (stuck === undefined) return report(true);
  const message = 'from here nothing leads to an open owner with an empty inbox';
  const trace = [...replay(model, atlas.wayTo(stuck)), `✗ ${message}`];
  return report(true, { property: options.stuck!, message, trace });
}

/**
 * The labels on the way along `keys`. States of one key may name their parts differently; walking from the initial state
 * gives every part one name from the first step to the last.
 */
function replay<S, P extends string>(model: Model<S, P>, keys: readonly string[], last?: Breach<P>): string[] {
  let state = model.initial;
  const labels: string[] = [];
  for (const key of keys) {
    const step = model.steps(state).find(({ next }) => model.key(next) === key)!;
    labels.push(step.label);
    state = step.next;
  }
  const breaking = model
    .steps(state)
    .find(({ breaches }) => breaches?.some(({ property }) => property === last?.property));
  if (breaking !== undefined) labels.push(breaking.label);
  return labels;
}

/** The trace as numbered lines. */
export function written<P extends string>(counterexample: Counterexample<P>): string {
  const lines = counterexample.trace.map(
    (label, i) => `${label.startsWith('✗') ? '   ' : `${i + 1}.`.padStart(3)} ${label}`,
  );
  return [`breaks ${counterexample.property}:`, ...lines].join('\n');
}
