/**
 * Opens the wire that a location asks for. A server that turns out to be a member of a cluster with several primaries is
 * taken as the way into that cluster.
 */

import type { Clock } from '../../clock.ts';
import { ClusterWire } from './cluster-wire.ts';
import type { Confirmation } from './connection.ts';
import type { Location } from './endpoint.ts';
import { commandOf } from './resp.ts';
import { ServerWire } from './server-wire.ts';
import type { Wire } from './wire.ts';

export interface WireOptions {
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** What calls with `isReplicated` wait for. */
  readonly confirmation?: Confirmation | undefined;
}

/** Rejects when the server cannot be asked what it is. */
export async function openWire(location: Location, options: WireOptions): Promise<Wire> {
  const { kind, name } = location;
  if (kind === 'cluster') return new ClusterWire({ ...options, name, access: location.cluster });
  const wire = new ServerWire({ ...options, name, endpoint: location.endpoint });
  if (kind === 'sentinel') return wire;
  try {
    if (!(await isPartOfCluster(wire))) return wire;
  } catch (error) {
    await wire.close();
    throw error;
  }
  await wire.close();
  return new ClusterWire({ ...options, name, access: location.cluster });
}

async function isPartOfCluster(wire: Wire): Promise<boolean> {
  const info = await wire.send('', commandOf('CLUSTER', 'INFO').done()).then(String, (error: Error) => {
    // Not a cluster, or this user may not ask; then nobody sends MOVED either, or says so when it does.
    if (error.name === 'ReplyError') return '';
    throw error;
  });
  return Number(/cluster_size:(\d+)/.exec(info)?.[1] ?? 0) > 1;
}
