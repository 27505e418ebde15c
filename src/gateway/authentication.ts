/**
 * Who is calling. Verified tokens are remembered in a bounded cache, because a signature costs more than the rest of a
 * small request; an expired one is refused from the cache too. It says who signed in, not what they may do.
 */

import type { Clock } from '../clock.ts';
import { Lru } from './lru.ts';
import { Refusal } from './problem.ts';
import { type Claims, verifyToken } from './tokens.ts';

const verifiedMax = 10_000;

export interface Authenticator {
  /** The claims of a token; at once when it was verified before. Throws or rejects with a `Refusal`. */
  verify(token: string): Claims | Promise<Claims>;
  /** As `verify`, of an `Authorization` header's value. */
  authenticate(header: string | undefined): Claims | Promise<Claims>;
}

/** The token of a `Bearer` header; undefined when it is another scheme or empty. */
export function bearerToken(header: string): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(header)?.[1];
}

export function createAuthenticator(secret: string, clock: Clock): Authenticator {
  const verified = new Lru<string, Claims>(verifiedMax);
  const expired = (claims: Claims): boolean => claims.expiresAt !== undefined && claims.expiresAt * 1000 <= clock.now();
  const verifyAnew = async (token: string): Promise<Claims> => {
    const result = await verifyToken(secret, token, clock.now());
    if (!result.ok) throw new Refusal(result.code);
    verified.set(token, result.claims);
    return result.claims;
  };
  const verify = (token: string): Claims | Promise<Claims> => {
    const known = verified.get(token);
    if (known === undefined) return verifyAnew(token);
    if (expired(known)) throw new Refusal('TOKEN_EXPIRED');
    return known;
  };
  return {
    verify,
    authenticate(header) {
      if (header === undefined) throw new Refusal('UNAUTHENTICATED');
      const token = bearerToken(header);
      if (token === undefined) throw new Refusal('TOKEN_INVALID');
      return verify(token);
    },
  };
}
