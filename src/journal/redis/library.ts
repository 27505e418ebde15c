/**
 * The Redis Functions of the adapter as one library: the `*.lua` files beside this one, joined behind their prelude. Its
 * name holds the layout's version and a digest of the code, and so do its functions' names: a server can carry the
 * libraries of several versions, and loading one that is there already changes nothing.
 *
 * It deliberately removes nothing: an older library may still be in use by another node.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Version of the keys and records. A store written by another one is refused. */
export const layoutVersion = 2;

const parts = ['prelude', 'leases', 'commit', 'trim', 'reads', 'listing', 'cluster'];

const template = parts.map((part) => readFileSync(new URL(`./${part}.lua`, import.meta.url), 'utf8')).join('\n');

export const libraryName = `troupe_v${layoutVersion}_${createHash('sha256').update(template).digest('hex').slice(0, 8)}`;

/** What FUNCTION LOAD takes. */
export const librarySource = template.replaceAll('@library@', libraryName);

export type FunctionName =
  | 'acquire'
  | 'renew'
  | 'release'
  | 'declare_lost'
  | 'commit'
  | 'trim'
  | 'read_shard'
  | 'read_actors'
  | 'read_topic'
  | 'read_rows'
  | 'start_listing'
  | 'add_listing'
  | 'list_actors'
  | 'send'
  | 'publish'
  | 'read_inbox'
  | 'read_status'
  | 'beat'
  | 'read_cluster'
  | 'leave'
  | 'drain';

/** The name that FCALL takes. */
export function functionName(name: FunctionName): string {
  return `${libraryName}_${name}`;
}
