/**
 * Which actor a delivery needs resident before it can be handled. Nothing is read for a delivery that will be dropped
 * (a repeated parcel, a cancelled timer) or refused (an unknown actor type).
 */

import { type Address, typeOf } from '../actor/address.ts';
import type { Arrival, Delivery } from './delivery.ts';
import type { TurnHost } from './turn.ts';

export function actorNeededBy(delivery: Delivery, host: TurnHost): Address | undefined {
  if (delivery.kind === 'parcel' && !isNext(delivery, host)) return undefined;
  return actorNamedBy(delivery, host);
}

/** Whether a parcel is the one to handle next of its sender. */
export function isNext({ from, n, parcel: { after } }: Arrival, host: Pick<TurnHost, 'marks'>): boolean {
  const mark = host.marks.get(from) ?? 0;
  return n === mark + 1 || (n > mark && after !== undefined && after <= mark);
}

/** As `actorNeededBy`, for deliveries whose turn comes later: a parcel may then have become its sender's next one. */
export function actorNamedBy(delivery: Delivery, host: TurnHost): Address | undefined {
  switch (delivery.kind) {
    case 'command':
    case 'local':
      return known(delivery.envelope.to, host);
    case 'read':
      return delivery.address;
    case 'parcel':
      return delivery.parcel.envelope === undefined ? undefined : known(delivery.parcel.envelope.to, host);
    case 'timer':
      return host.timers.get(delivery.key)?.generation === delivery.generation
        ? known(delivery.key.actor, host)
        : undefined;
    case 'barrier':
    case 'news':
      return undefined;
  }
}

function known(address: Address, host: TurnHost): Address | undefined {
  return host.hosted.has(typeOf(address)) ? address : undefined;
}
