/**
 * Tokens of an OpenID Connect issuer, verified without asking it: signature, algorithm, issuer, audience, times, and an
 * email that it has verified. Only asymmetric algorithms are known here, so that no public key of the issuer can pass as
 * a shared secret. Who is an operator is decided by rules of this server's own; a claim `role` of the issuer's means
 * nothing by itself.
 */

import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { IssuerKeys, IssuerUnavailable } from './issuer-keys.ts';
import { emailOf, type Verification } from './tokens.ts';

/** What makes somebody an operator: an email, letter by letter, or a claim that is, or lists, a value. */
export type OperatorRule =
  | { readonly email: string }
  /** `claim` is a name, or a path to one: `realm_access.roles`. */
  | { readonly claim: string; readonly value: string };

export interface IssuerOptions {
  /** Exactly as it is called in its tokens. */
  readonly issuer: string;
  readonly clientId: string;
  /** Whom the tokens must be for; the client's id for ID tokens. */
  readonly audience: string;
  readonly operators: readonly OperatorRule[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface Issuer {
  /** Never rejects. */
  verify(token: string): Promise<Verification>;
  /** Asks for the issuer's keys ahead of the first token. Never rejects. */
  prepare(): Promise<void>;
  /** Origins that a page talks to when it signs in there. */
  origins(): readonly string[];
}

const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** How far the issuer's clock and ours may be apart. */
const toleranceSeconds = 30;
/** ID tokens and access tokens; not, for example, logout tokens, which have the same issuer and audience. */
const typePattern = /^(application\/)?(at\+)?jwt$/i;

/** An own property, by its whole name or along a path. */
function claimAt(payload: unknown, path: string): unknown {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const claims = payload as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(claims, path)) return claims[path];
  const dot = path.indexOf('.');
  if (dot < 0 || !Object.hasOwn(claims, path.slice(0, dot))) return undefined;
  return claimAt(claims[path.slice(0, dot)], path.slice(dot + 1));
}

function matches(rule: OperatorRule, email: string, payload: JWTPayload): boolean {
  if ('email' in rule) return rule.email === email;
  const claim = claimAt(payload, rule.claim);
  return claim === rule.value || (Array.isArray(claim) && claim.includes(rule.value));
}

/** Whether an ID token was made for this client, and not for another that shares the audience. */
function isForClient({ aud, azp }: JWTPayload, { audience, clientId }: IssuerOptions): boolean {
  if (audience !== clientId) return true;
  return azp === undefined ? !Array.isArray(aud) || aud.length === 1 : azp === clientId;
}

/** Some issuers write it as a text. */
function isEmailVerified({ email_verified: verified }: JWTPayload): boolean {
  return verified === true || verified === 'true';
}

function codeOf(error: unknown): Extract<Verification, { readonly ok: false }>['code'] {
  if (error instanceof IssuerUnavailable) return 'ISSUER_UNAVAILABLE';
  return error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID';
}

export function createIssuer(options: IssuerOptions): Issuer {
  const { issuer, audience, operators, clock, log } = options;
  const keys = new IssuerKeys({ issuer, clock, log });
  const verify = async (token: string): Promise<Verification> => {
    const { payload, protectedHeader } = await jwtVerify(token, keys.find, {
      algorithms,
      issuer,
      audience,
      clockTolerance: toleranceSeconds,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'iat', 'sub'],
    });
    const email = emailOf(payload);
    const { typ } = protectedHeader;
    if (email === undefined || !isForClient(payload, options) || (typ !== undefined && !typePattern.test(typ))) {
      return { ok: false, code: 'TOKEN_INVALID' };
    }
    if (!isEmailVerified(payload)) return { ok: false, code: 'EMAIL_NOT_VERIFIED' };
    const isOperator = operators.some((rule) => matches(rule, email, payload));
    const expiresAt = (payload.exp as number) + toleranceSeconds;
    return { ok: true, claims: { email, expiresAt, ...(isOperator ? { role: 'admin' } : {}) } };
  };
  return {
    verify: (token) => verify(token).catch((error: unknown) => ({ ok: false, code: codeOf(error) })),
    prepare: () => keys.prepare(),
    origins: () => keys.origins,
  };
}
