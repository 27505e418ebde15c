/**
 * As many systems of one node each, which know nothing of each other: the control of a fleet of so many nodes. It has the
 * same processes and the same load, with no node's work at another; what it costs more than one node is the machine's
 * doing (caches, changes between processes), and what a fleet costs more than it is that of working together.
 */

import { Fleet, type FleetOptions, type FleetUse } from './fleet.ts';

export class Apart {
  readonly nodes: number;
  readonly #systems: readonly Fleet[];

  private constructor(systems: readonly Fleet[]) {
    this.nodes = systems.length;
    this.#systems = systems;
  }

  /** Each system has its own store, and its share of the users. */
  static async start({ nodes, users, ...options }: FleetOptions, say: (doing: string) => void): Promise<Apart> {
    const systems: Fleet[] = [];
    try {
      for (let i = 0; i < nodes; i++) {
        const saying = (doing: string): void => say(`system ${i + 1} of ${nodes}: ${doing}`);
        systems.push(await Fleet.start({ ...options, nodes: 1, users: Math.ceil(users / nodes) }, saying));
      }
      return new Apart(systems);
    } catch (error) {
      await Promise.all(systems.map((system) => system.stop()));
      throw error;
    }
  }

  async createMessage(i: number): Promise<void> {
    const system = this.#systems[i % this.nodes] as Fleet;
    await system.createMessage(Math.floor(i / this.nodes));
  }

  async use(): Promise<FleetUse> {
    const uses = await Promise.all(this.#systems.map((system) => system.use()));
    const sum = (name: keyof FleetUse): number => uses.reduce((total, use) => total + use[name], 0);
    return {
      nodes: sum('nodes'),
      redis: sum('redis'),
      commits: sum('commits'),
      calls: sum('calls'),
      messages: sum('messages'),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#systems.map((system) => system.stop()));
  }
}
