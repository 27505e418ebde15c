/**
 * The URLs of the Redis adapter taken apart: where to connect, with whose credentials, and how a person may be told.
 * `redis://` (or `rediss://` for TLS) names one server, `redis+sentinel://host:port,host:port/<primary>[/<db>]` the primary
 * that Sentinels know under a name, `redis+cluster://host:port,host:port` some nodes of a cluster. User and password are
 * those of the servers that hold the data; Sentinels are asked without. It connects to nothing
 * itself, and loads no client, so that whoever checks a URL needs none.
 */

import type { RedisOptions } from 'ioredis';
import { TroupeError } from '../../errors.ts';

export type ClientOptions = RedisOptions;

/** What makes a client of one server, wherever that is. */
export interface Endpoint {
  /** A `redis://` or `rediss://` URL, when that is what was given. */
  readonly url?: string;
  readonly options?: ClientOptions;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What the servers of one cluster have in common. */
export interface ClusterAccess {
  readonly seeds: readonly HostPort[];
  readonly credentials: ClientOptions;
}

export type Location = { readonly name: string } & (
  | { readonly kind: 'server'; readonly endpoint: Endpoint; readonly cluster: ClusterAccess }
  | { readonly kind: 'sentinel'; readonly endpoint: Endpoint }
  | { readonly kind: 'cluster'; readonly cluster: ClusterAccess }
);

const urlPattern = /^(rediss?)(\+sentinel|\+cluster)?:\/\/(?:([^/]*)@)?([^@/?#]+)(\/[^?#]*)?(\?[^#]*)?$/;
/** Between attempts to find a primary, or to connect to it. */
const retryMsMax = 1_000;

/** Whether a journal's URL is for this adapter. */
export function isRedisUrl(url: string): boolean {
  return locationOf(url) !== undefined;
}

/** Throws CONFIG_INVALID when the URL is not one of the three forms. */
export function parseLocation(url: string): Location {
  const location = locationOf(url);
  if (location !== undefined) return location;
  throw new TroupeError(
    'CONFIG_INVALID',
    'The URL of a Redis journal looks like redis://127.0.0.1:6379, redis+sentinel://127.0.0.1:26379,127.0.0.1:26380/name-of-the-primary or redis+cluster://127.0.0.1:7000,127.0.0.1:7001.',
  );
}

/** Milliseconds until the next attempt. */
export function retryMs(times: number): number {
  return Math.min(25 * 2 ** Math.min(times, 6), retryMsMax);
}

function locationOf(url: string): Location | undefined {
  const [, scheme, kind, user, list, path = '', query = ''] = urlPattern.exec(url) ?? [];
  if (scheme === undefined || list === undefined) return undefined;
  const hosts = hostsOf(list, kind === '+sentinel' ? 26_379 : 6_379);
  const credentials = credentialsOf(user, scheme === 'rediss');
  if (hosts === undefined || credentials === undefined) return undefined;
  const name = `${scheme}${kind ?? ''}://${list}${path === '/' ? '' : path}`;
  if (kind === '+cluster') {
    if (path.length > 1 || query !== '') return undefined;
    return { kind: 'cluster', name, cluster: { seeds: hosts, credentials } };
  }
  if (kind === '+sentinel') return query === '' ? sentinelOf(name, hosts, credentials, path) : undefined;
  if (hosts.length !== 1 || !URL.canParse(url)) return undefined;
  return { kind: 'server', name, endpoint: { url }, cluster: { seeds: hosts, credentials } };
}

function sentinelOf(
  name: string,
  hosts: readonly HostPort[],
  credentials: ClientOptions,
  path: string,
): Location | undefined {
  const [, primary, db = '0'] = /^\/([^/]+)(?:\/(\d+))?\/?$/.exec(path) ?? [];
  if (primary === undefined) return undefined;
  const options: ClientOptions = {
    ...credentials,
    sentinels: hosts.map(({ host, port }) => ({ host, port })),
    name: decoded(primary) ?? primary,
    db: Number(db),
    sentinelRetryStrategy: retryMs,
    // A Sentinel that hangs must not keep the others from being asked.
    sentinelCommandTimeout: retryMsMax,
    enableTLSForSentinelMode: credentials.tls !== undefined,
    // Sentinels tell of a failover; without that, a primary that hangs would be left at the next deadline only.
    failoverDetector: true,
  };
  return { kind: 'sentinel', name, endpoint: { options } };
}

function hostsOf(list: string, defaultPort: number): readonly HostPort[] | undefined {
  const hosts: HostPort[] = [];
  for (const item of list.split(',')) {
    const [, v6, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(item) ?? [];
    const host = v6 ?? plain;
    if (host === undefined) return undefined;
    hosts.push({ host, port: port === undefined ? defaultPort : Number(port) });
  }
  return hosts;
}

function credentialsOf(user: string | undefined, isTls: boolean): ClientOptions | undefined {
  const tls = isTls ? { tls: {} } : {};
  if (user === undefined || user === '') return tls;
  const colon = user.indexOf(':');
  const username = decoded(colon < 0 ? user : user.slice(0, colon));
  const password = decoded(colon < 0 ? '' : user.slice(colon + 1));
  if (username === undefined || password === undefined) return undefined;
  return { ...tls, ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
