/**
 * Durability beyond one server: how a connection asks whether replicas have what it wrote. WAIT counts replicas that have
 * it in memory, WAITAOF servers that have it on disk; either is about all that the connection wrote before, so one question
 * serves many commits. Neither is consensus: a failover to a replica that was not among those loses what was answered.
 */

import { TroupeError } from '../../errors.ts';
import type { Confirmation, Reply } from './connection.ts';
import { commandOf } from './resp.ts';

/** `everysec`, `always`: what the server's `appendfsync` must at least be. The others: what each commit waits for. */
export type RedisDurability = 'everysec' | 'always' | 'replica' | 'replica-disk';

export const defaultReplicas = 1;
const replicasMax = 100;

export function assertReplicas(replicas: number): void {
  if (Number.isInteger(replicas) && replicas >= 1 && replicas <= replicasMax) return;
  throw new TroupeError('CONFIG_INVALID', `A commit can wait for 1 to ${replicasMax} replicas, not for ${replicas}.`);
}

/** Undefined for a durability that waits for no replica. */
export function confirmationOf(durability: RedisDurability | undefined, replicas: number): Confirmation | undefined {
  switch (durability) {
    case 'replica':
      return {
        command: (ms) => commandOf('WAIT', replicas, ms).done(),
        shortfall: (reply) => {
          const have = reply as number;
          return have < replicas ? `${have} of ${replicas} replicas have it` : undefined;
        },
      };
    case 'replica-disk':
      return {
        command: (ms) => commandOf('WAITAOF', 1, replicas, ms).done(),
        shortfall: (reply: Reply) => {
          const [here, there] = reply as readonly [number, number];
          if (here >= 1 && there >= replicas) return undefined;
          return `${here === 0 ? 'not on disk here, and ' : ''}on disk at ${there} of ${replicas} replicas`;
        },
      };
    default:
      return undefined;
  }
}
