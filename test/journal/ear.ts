/** Whoever listens and speaks on channels in tests: a listener that writes down what it is told, in order. */

import type { Wire } from '../../src/journal/redis/wire.ts';
import { eventually } from './adapter.ts';

export class Ear {
  readonly heard: string[] = [];
  actives = 0;

  message(payload: Buffer): void {
    this.heard.push(String(payload));
  }

  active(): void {
    this.actives += 1;
    this.heard.push('active');
  }
}

/** An ear on a channel, which hears from now on. */
export async function listenOn(wire: Wire, channel: string): Promise<Ear> {
  const ear = new Ear();
  wire.listen(channel, ear);
  await eventually(async () => ear.actives > 0 || undefined);
  ear.heard.splice(0);
  return ear;
}

/** Says all of it in one turn, and resolves with what became of each. */
export function sayAll(wire: Wire, messages: readonly (readonly [channel: string, text: string])[]): Promise<string[]> {
  return Promise.all(
    messages.map(
      ([channel, text]) =>
        new Promise<string>((resolve) =>
          wire.publish(channel, Buffer.from(text), (error) => resolve(error?.message ?? 'sent')),
        ),
    ),
  );
}

/** How often a server has run a command, by its INFO commandstats. */
export function callsOf(stats: unknown, command: string): number {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(String(stats))?.[1] ?? 0);
}
