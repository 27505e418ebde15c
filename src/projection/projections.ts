/**
 * The projections of one system, by actor type: what rows a journaled step writes. Pure; the shard commits the rows with
 * the step itself, and a rebuild folds the journal through the same function.
 */

import { type Address, idOf, typeOf } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';
import { type Projection, type Row, retiredEvent, type Step } from './projection.ts';

type Rule = (step: Step<never, never>) => readonly Row[];

const noRows: readonly Row[] = [];

export class Projections {
  readonly all: readonly Projection[];
  /** Name to version, as the store keeps them. */
  readonly versions: Readonly<Record<string, string>>;
  readonly #rules = new Map<string, Rule[]>();

  constructor(projections: readonly Projection[]) {
    this.all = projections;
    this.versions = Object.fromEntries(projections.map(({ name, version }) => [name, version]));
    for (const projection of projections) {
      for (const [type, rows] of Object.entries(projection.rules)) {
        const rules = this.#rules.get(type);
        if (rules === undefined) this.#rules.set(type, [rows]);
        else rules.push(rows);
      }
    }
  }

  /** The rows of an actor that is reduced: as if an event of this type had led to the state that is kept of it. */
  rowsOfRetired(self: Address, version: number, state: unknown): readonly Row[] {
    const event = { type: retiredEvent };
    return this.rows({ self, id: idOf(self), version, event, emitted: [], state, operation: undefined, at: 0 });
  }

  rows(step: Step<unknown, AnyEvent>): readonly Row[] {
    const rules = this.#rules.get(typeOf(step.self));
    if (rules === undefined) return noRows;
    if (rules.length === 1) return rules[0]!(step as Step<never, never>);
    return rules.flatMap((rows) => rows(step as Step<never, never>));
  }
}
