/**
 * Makes the client of one server. It speaks RESP2, as this version of ioredis does: replies are matched to calls by their
 * order alone, and what is published comes on connections that do nothing else.
 */

import { Redis } from 'ioredis';
import type { ClientOptions, Endpoint } from './endpoint.ts';

export function openClient({ url, options }: Endpoint, more: ClientOptions): Redis {
  const all = { ...options, ...more };
  return url === undefined ? new Redis(all) : new Redis(url, all);
}
