/** Opens the wire that a location asks for. Nothing has been sent when it is there: a call finds out who answers. */

import type { Clock } from '../../clock.ts';
import { TroupeError } from '../../errors.ts';
import type { Location } from './endpoint.ts';
import { ServerWire } from './server-wire.ts';
import type { Wire } from './wire.ts';

export async function openWire(location: Location, deadlineMs: number, clock: Clock): Promise<Wire> {
  const { kind, name } = location;
  if (kind === 'cluster') throw new TroupeError('CONFIG_INVALID', 'Not there.');
  return new ServerWire({ name, endpoint: location.endpoint, deadlineMs, clock });
}
