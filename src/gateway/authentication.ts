/**
 * Who is calling. Tokens are signed with a secret of the server's own, or by an OpenID Connect issuer, or both are
 * accepted; a token's algorithm says which of the two it claims to be, and neither is ever checked with the other's keys.
 * Verified tokens are remembered in a bounded cache, because a signature costs more than the rest of a small request; an
 * expired one is refused from the cache too. It says who signed in and whether as an operator; what they may do is said
 * elsewhere.
 */

import { decodeProtectedHeader } from 'jose';
import type { Clock } from '../clock.ts';
import type { Issuer } from './issuer.ts';
import { Lru } from './lru.ts';
import { Refusal } from './problem.ts';
import { type Claims, secretAlgorithm, type Verification, verifyToken } from './tokens.ts';

const verifiedMax = 10_000;
/** An issuer's token is looked at again after this: its key may have been withdrawn. */
const issuedMs = 10 * 60_000;
/** When an issuer does not answer. */
const retryAfterSeconds = '5';

export interface Authenticator {
  /** The claims of a token; at once when it was verified before. Throws or rejects with a `Refusal`. */
  verify(token: string): Claims | Promise<Claims>;
  /** As `verify`, of an `Authorization` header's value. */
  authenticate(header: string | undefined): Claims | Promise<Claims>;
}

export interface AuthenticatorOptions {
  /** Undefined: no token of our own is accepted. */
  readonly secret: string | undefined;
  readonly issuer?: Issuer | undefined;
  readonly clock: Clock;
}

interface Verified {
  readonly claims: Claims;
  /** Wall-clock ms at which it is verified anew, unless it has expired before. */
  readonly until: number;
}

/** The token of a `Bearer` header; undefined when it is another scheme or empty. */
export function bearerToken(header: string): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(header)?.[1];
}

/** The same claims, as an operator's. Throws ADMIN_REQUIRED when they are not. */
export function adminOf(claims: Claims): Claims & { readonly role: 'admin' } {
  if (!isAdmin(claims)) throw new Refusal('ADMIN_REQUIRED');
  return claims;
}

function isAdmin(claims: Claims): claims is Claims & { readonly role: 'admin' } {
  return claims.role === 'admin';
}

/** Whether a token says that it is signed with a shared secret. */
function isOurs(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg === secretAlgorithm;
  } catch {
    return false;
  }
}

function refusalOf(code: Extract<Verification, { readonly ok: false }>['code']): Refusal {
  return new Refusal(code, code === 'ISSUER_UNAVAILABLE' ? { headers: { 'retry-after': retryAfterSeconds } } : {});
}

export function createAuthenticator({ secret, issuer, clock }: AuthenticatorOptions): Authenticator {
  const verified = new Lru<string, Verified>(verifiedMax);
  const verifyAnew = async (token: string): Promise<Claims> => {
    const isIssued = issuer !== undefined && !isOurs(token);
    const result: Verification = isIssued
      ? await issuer.verify(token)
      : secret === undefined
        ? { ok: false, code: 'TOKEN_INVALID' }
        : await verifyToken(secret, token, clock.now());
    if (!result.ok) throw refusalOf(result.code);
    const { claims } = result;
    verified.set(token, { claims, until: isIssued ? clock.now() + issuedMs : Number.POSITIVE_INFINITY });
    return claims;
  };
  const verify = (token: string): Claims | Promise<Claims> => {
    const known = verified.get(token);
    if (known === undefined) return verifyAnew(token);
    const { claims, until } = known;
    const now = clock.now();
    if (claims.expiresAt !== undefined && claims.expiresAt * 1000 <= now) throw new Refusal('TOKEN_EXPIRED');
    return now < until ? claims : verifyAnew(token);
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
