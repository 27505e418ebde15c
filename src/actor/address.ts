/**
 * Addresses and placement. An actor is named `type/id`; its id is a canonical UUID whose last 14 bits are its slot, and
 * `slot % shards` is the shard that owns it. Placement is therefore in the id: no table says where an actor lives, and an
 * id minted near another one lives on the same shard for any number of shards.
 */

import { TroupeError } from '../errors.ts';

/** `type/id`, for example `room/8f14e45f-…`. */
export type Address = `${string}/${string}`;

export const slots = 16_384;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const typePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** Whether `id` is a UUID in its canonical form: lower case, with dashes. */
export function isUuid(id: string): boolean {
  return uuidPattern.test(id);
}

export function isActorType(type: string): boolean {
  return typePattern.test(type);
}

export function addressOf(type: string, id: string): Address {
  return `${type}/${id}`;
}

/** Splits an address. Throws `ADDRESS_INVALID` when it is not `type/uuid`. */
export function parseAddress(address: string): { readonly type: string; readonly id: string } {
  const slash = address.indexOf('/');
  const type = address.slice(0, slash);
  const id = address.slice(slash + 1);
  if (slash < 1 || !isActorType(type) || !isUuid(id)) {
    throw new TroupeError(
      'ADDRESS_INVALID',
      `"${address}" is not an address; one looks like room/<uuid in lower case>.`,
      {
        address,
      },
    );
  }
  return { type, id };
}

/** The type part of an address that is known to be one. */
export function typeOf(address: Address): string {
  return address.slice(0, address.indexOf('/'));
}

/** The id part of an address that is known to be one. */
export function idOf(address: Address): string {
  return address.slice(address.indexOf('/') + 1);
}

/** The slot (0 to 16383) of a canonical UUID: its last 14 bits. */
export function slotOf(id: string): number {
  return Number.parseInt(id.slice(-4), 16) & 0x3fff;
}

/** The shard (0 to `shards - 1`) of a canonical UUID. */
export function shardOf(id: string, shards: number): number {
  return slotOf(id) % shards;
}

/** `id` moved to the slot of `near`: all its bits but the last 14 stay. Both are canonical UUIDs. */
export function moveNear(id: string, near: string): string {
  const high = Number.parseInt(id.slice(-4), 16) & 0xc000;
  return id.slice(0, -4) + (high | slotOf(near)).toString(16).padStart(4, '0');
}
