/**
 * The observer that counts what the gateway tells, in plain numbers. Its rows are bounded by what is declared: routes are
 * templates, commands have names, and a method that HTTP does not know is "other". A path, a user or an id never gets
 * here; see observer.ts.
 */

import type { CommandEnd, GatewayObserver } from '../observer.ts';
import { Distribution } from './distribution.ts';
import { waitBoundsMs } from './runtime-tally.ts';

export class RouteTally {
  readonly method: string;
  readonly route: string;
  readonly ms = new Distribution(waitBoundsMs);
  readonly statuses = new Map<number, number>();

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }
}

export class CommandTally {
  readonly ms = new Distribution(waitBoundsMs);
  readonly ends: Record<CommandEnd, number> = { done: 0, refused: 0, 'rate-limited': 0, failed: 0 };
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** The route of a request for which nothing is there. */
const nowhere = 'none';

export class GatewayTally implements GatewayObserver {
  readonly #routes = new Map<string, Map<string, RouteTally>>();
  readonly commands = new Map<string, CommandTally>();
  readonly closes = new Map<number, number>();
  framesSent = 0;
  setbacks = 0;
  publicationsReadAgain = 0;
  rateLimits = 0;
  #sockets: () => number = () => 0;

  get sockets(): number {
    return this.#sockets();
  }

  routes(): readonly RouteTally[] {
    return [...this.#routes.values()].flatMap((byMethod) => [...byMethod.values()]);
  }

  watchSockets(open: () => number): void {
    this.#sockets = open;
  }

  request(method: string, route: string = nowhere, status: number, ms: number): void {
    const tally = this.#routeOf(methods.has(method) ? method : 'other', route);
    tally.ms.observe(ms);
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
  }

  command(command: string, end: CommandEnd, ms: number): void {
    let tally = this.commands.get(command);
    if (tally === undefined) {
      tally = new CommandTally();
      this.commands.set(command, tally);
    }
    tally.ends[end] += 1;
    tally.ms.observe(ms);
  }

  rateLimited(): void {
    this.rateLimits += 1;
  }

  frames(sent: number): void {
    this.framesSent += sent;
  }

  fellBehind(): void {
    this.setbacks += 1;
  }

  readAgain(publications: number): void {
    this.publicationsReadAgain += publications;
  }

  socketClosed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }

  #routeOf(method: string, route: string): RouteTally {
    let byMethod = this.#routes.get(route);
    if (byMethod === undefined) {
      byMethod = new Map();
      this.#routes.set(route, byMethod);
    }
    let tally = byMethod.get(method);
    if (tally === undefined) {
      tally = new RouteTally(method, route);
      byMethod.set(method, tally);
    }
    return tally;
  }
}
