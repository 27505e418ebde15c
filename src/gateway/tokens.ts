/**
 * Bearer tokens: JWTs signed with HS256 that carry an `email` claim. Signing is here beside verifying because the command
 * line and the development mode make the same tokens. It does not know users, and keeps no list of tokens: one is good
 * until it expires.
 */

import { errors, jwtVerify, SignJWT } from 'jose';

export interface Claims {
  readonly email: string;
  /** Seconds since 1970; undefined for a token that does not expire. */
  readonly expiresAt: number | undefined;
}

export type Verification =
  | { readonly ok: true; readonly claims: Claims }
  | { readonly ok: false; readonly code: 'TOKEN_INVALID' | 'TOKEN_EXPIRED' };

export const tokenSeconds = 30 * 24 * 3600;
const emailCharactersMax = 320;

function key(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

/** A token for `email`, good for `seconds` (default 30 days) from `nowMs` on. */
export function signToken(
  secret: string,
  email: string,
  nowMs: number,
  seconds: number = tokenSeconds,
): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return new SignJWT({ email })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .sign(key(secret));
}

/** Checks signature, algorithm, times and the `email` claim. Never throws. */
export async function verifyToken(secret: string, token: string, nowMs: number): Promise<Verification> {
  try {
    const { payload } = await jwtVerify(token, key(secret), { algorithms: ['HS256'], currentDate: new Date(nowMs) });
    const { email, exp } = payload;
    if (typeof email !== 'string' || email.length === 0 || email.length > emailCharactersMax) {
      return { ok: false, code: 'TOKEN_INVALID' };
    }
    return { ok: true, claims: { email, expiresAt: exp } };
  } catch (error) {
    return { ok: false, code: error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID' };
  }
}
