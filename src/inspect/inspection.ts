/**
 * The inspection of a system: the witness of its steps, the watchers of this node, and, where there are other nodes, the
 * relay between them. One object, made before the system (it is the witness) and before the gateway (it has its routes).
 *
 * It guarantees that only what is committed is shown, that nothing personal leaves the node that ran a step, and that
 * nothing is made while nobody watches anywhere: then `isWatched` is false and the runtime does not ask. It changes nothing,
 * and keeps nothing but what its watchers have to be told.
 */

import type { Address } from '../actor/address.ts';
import { messageOf } from '../errors.ts';
import type { Connection } from '../gateway/connection.ts';
import { Refusal } from '../gateway/problem.ts';
import type { Inspected, Witness, WitnessedStep } from '../witness.ts';
import { type Choice, chooses } from './choice.ts';
import { defaultInspectionLimits, type InspectionLimits } from './inspection-limits.ts';
import { Relay } from './relay.ts';
import { type Seen, type Sighting, sightingOf } from './sighting.ts';
import { TimeTravel } from './time-travel.ts';
import { Watcher } from './watcher.ts';

export class Inspection implements Witness {
  readonly limits: InspectionLimits;
  isWatched = false;
  #system: Inspected | undefined;
  #travel: TimeTravel | undefined;
  #relay: Relay | undefined;
  readonly #watchers = new Set<Watcher>();

  constructor(limits: Partial<InspectionLimits> = {}) {
    this.limits = { ...defaultInspectionLimits, ...limits };
  }

  /** The system. Throws a `Refusal` before it has opened and after it has stopped. */
  get system(): Inspected {
    if (this.#system === undefined) throw new Refusal('STOPPED');
    return this.#system;
  }

  /** The past of its actors, without what is personal. Throws as `system` does. */
  get travel(): TimeTravel {
    if (this.#travel === undefined) throw new Refusal('STOPPED');
    return this.#travel;
  }

  opened(system: Inspected): void {
    const { journal, hosted, clock } = system;
    const { operationEntriesMax } = this.limits;
    const actors = [...hosted.values()].map(({ definition }) => definition);
    this.#system = system;
    this.#travel = new TimeTravel({ journal, actors, clock, isRedacted: true, limits: { operationEntriesMax } });
    const { cluster: store } = journal;
    if (store === undefined) return;
    this.#relay = new Relay({
      ...system,
      store,
      limits: this.limits,
      wanted: () => this.#look(),
      heard: (sighting) => this.#offer({ ...sighting, sighting: () => sighting }),
      skipped: (steps) => {
        for (const watcher of this.#watchers) watcher.skip('between-nodes', steps);
      },
    });
  }

  closed(): void {
    this.#system = undefined;
    this.#travel = undefined;
    this.#relay?.stop();
    this.#relay = undefined;
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers.clear();
    this.#look();
  }

  wants(actor: Address, operation: string | undefined): boolean {
    for (const { choice } of this.#watchers) if (chooses(choice, actor, operation)) return true;
    return this.#relay?.wants(actor, operation) ?? false;
  }

  stepped(step: WitnessedStep): void {
    const system = this.#system;
    if (system === undefined) return;
    try {
      let made: Sighting | undefined;
      const sighting = (): Sighting => {
        made ??= sightingOf(step, system.node, system.ids.nonce());
        return made;
      };
      const seen: Seen = { actor: step.actor, operation: step.operation, sighting };
      this.#offer(seen);
      this.#relay?.offer(seen);
    } catch (error) {
      system.log.warn({ actor: step.actor }, `a step could not be shown: ${messageOf(error)}`);
    }
  }

  /** A watcher from here on. Throws OVERLOADED when there are too many. */
  watch(choice: Choice, connection: Pick<Connection, 'send' | 'unread'>): Watcher {
    const { hosted, clock, ids } = this.system;
    if (this.#watchers.size >= this.limits.watchersMax) throw new Refusal('OVERLOADED');
    const watcher = new Watcher({ choice, connection, hosted, clock, ids, limits: this.limits });
    this.#watchers.add(watcher);
    this.#changed();
    return watcher;
  }

  /** The actors that an operation concerned. */
  async actorsOf(operation: string): Promise<readonly Address[]> {
    const { steps } = await this.travel.operation(operation);
    return [...new Set(steps.map(({ address }) => address))];
  }

  /** When everything that happens at other nodes from here on is shown, and what happened before can be read; or soon. */
  isHeard(): Promise<void> {
    return this.#relay?.isHeard() ?? Promise.resolve();
  }

  leave(watcher: Watcher): void {
    watcher.close();
    if (this.#watchers.delete(watcher)) this.#changed();
  }

  #offer(seen: Seen): void {
    for (const watcher of this.#watchers) watcher.see(seen);
  }

  /** What is watched here has changed. */
  #changed(): void {
    this.#relay?.want([...this.#watchers].map(({ choice }) => choice));
    this.#look();
  }

  /** What is watched elsewhere may have changed too: that is not said again, or two nodes would never fall silent. */
  #look(): void {
    this.isWatched = this.#watchers.size > 0 || this.#relay?.isWanted === true;
  }
}
