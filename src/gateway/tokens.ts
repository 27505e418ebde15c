/**
 * Bearer tokens: JWTs signed with HS256 that carry an `email` claim and, for operators, `role: "admin"`. Signing is here beside verifying because the command
 * line and the development mode make the same tokens. It does not know users, and keeps no list of tokens: one is good
 * until it expires.
 */

import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';

export interface Claims {
  readonly email: string;
  /** An operator's, who may see everybody's state. No other role is known. */
  readonly role?: 'admin';
  /** Seconds since 1970; undefined for a token that does not expire. */
  readonly expiresAt: number | undefined;
}

export type Verification =
  | { readonly ok: true; readonly claims: Claims }
  | {
      readonly ok: false;
      readonly code: 'TOKEN_INVALID' | 'TOKEN_EXPIRED' | 'EMAIL_NOT_VERIFIED' | 'ISSUER_UNAVAILABLE';
    };

/** The one algorithm of tokens with a shared secret. */
export const secretAlgorithm = 'HS256';

export const tokenSeconds = 30 * 24 * 3600;
const emailCharactersMax = 320;

function key(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

/** Undefined when it is none that a person could have. */
export function emailOf({ email }: JWTPayload): string | undefined {
  return typeof email === 'string' && email.length > 0 && email.length <= emailCharactersMax ? email : undefined;
}

/** A token for `email`, good for `seconds` (default 30 days) from `nowMs` on; with a role only if one is named. */
export function signToken(
  secret: string,
  email: string,
  nowMs: number,
  seconds: number = tokenSeconds,
  role?: Claims['role'],
): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return new SignJWT(role === undefined ? { email } : { email, role })
    .setProtectedHeader({ alg: secretAlgorithm, typ: 'JWT' })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .sign(key(secret));
}

/** Checks signature, algorithm, times and the `email` claim. Never throws. */
export async function verifyToken(secret: string, token: string, nowMs: number): Promise<Verification> {
  try {
    const { payload } = await jwtVerify(token, key(secret), {
      algorithms: [secretAlgorithm],
      currentDate: new Date(nowMs),
    });
    const { exp, role } = payload;
    const email = emailOf(payload);
    if (email === undefined) return { ok: false, code: 'TOKEN_INVALID' };
    return { ok: true, claims: { email, expiresAt: exp, ...(role === 'admin' ? { role } : {}) } };
  } catch (error) {
    return { ok: false, code: error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID' };
  }
}
