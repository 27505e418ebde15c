/**
 * Ids and chance as a port, so that a simulator can draw both from one seed. The system's ids are random (version 4)
 * UUIDs.
 */

import { randomUUID } from 'node:crypto';
import { moveNear } from './actor/address.ts';

export interface Ids {
  /** A fresh canonical UUID; with `near`, one in the slot of that UUID, so that both live on the same shard. */
  mint(near?: string): string;
  /** A fresh short token for nonces: unique, not secret. */
  nonce(): string;
  /** A number from 0 (inclusive) to 1 (exclusive), for jitter. */
  random(): number;
}

/** Unique to this process, so that counting behind it is unique everywhere. */
const processNonce = randomUUID().replaceAll('-', '').slice(0, 20);
let nonces = 0;

export const systemIds: Ids = {
  mint: (near) => {
    const id = randomUUID();
    return near === undefined ? id : moveNear(id, near);
  },
  nonce: () => `${processNonce}.${(nonces++).toString(36)}`,
  random: () => Math.random(),
};
