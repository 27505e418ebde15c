/**
 * How people get their tokens, and what a page has to know of it: in development mode anybody on this machine has one for
 * anybody; else tokens come from a command line, or from an OpenID Connect issuer.
 */

import * as z from 'zod';
import {
  type Clock,
  type HttpRequest,
  hostIn,
  isLoopback,
  json,
  jsonOf,
  type OpenRoute,
  Refusal,
  signToken,
  tokenSeconds,
  validated,
} from '../src/index.ts';
import { userIdOf } from './api-identity.ts';
import type { Oidc } from './config-oidc.ts';
import type { Language } from './contract.ts';
import { languageTags } from './texts.ts';

export interface DevTokensOptions {
  readonly authSecret: string;
  readonly clock: Clock;
  /** Whether an operator's token may be asked for: only where this machine alone reaches the port. */
  readonly admins: boolean;
}

export interface ClientConfigOptions {
  readonly devMode: boolean;
  readonly oidc: Oidc | undefined;
}

/** What `GET /client-config` answers. */
export interface ClientConfig {
  /** How a person signs in: by an email alone, with a token from elsewhere, or at an issuer. */
  readonly mode: 'development' | 'token' | 'oidc';
  readonly oidc?: {
    readonly issuer: string;
    readonly clientId: string;
    readonly scope: string;
    /** Then access tokens for it are what the server takes; else ID tokens. */
    readonly audience?: string;
  };
  readonly languages: readonly Language[];
}

export function clientConfigOf({ devMode, oidc }: ClientConfigOptions): ClientConfig {
  const languages = Object.keys(languageTags) as Language[];
  if (oidc === undefined) return { mode: devMode ? 'development' : 'token', languages };
  const { issuer, clientId, scope, audience } = oidc;
  return {
    mode: 'oidc',
    oidc: { issuer, clientId, scope, ...(audience === undefined ? {} : { audience }) },
    languages,
  };
}

/** `GET /client-config`, for pages; open to anyone. */
export function clientConfig(options: ClientConfigOptions): OpenRoute {
  const answer = json(200, clientConfigOf(options));
  return { method: 'GET', path: '/client-config', answer: () => answer };
}

const tokenRequest = z.object({
  email: z
    .string()
    .regex(/^[^\s@]+@[^\s@]+$/)
    .max(320),
  role: z.literal('admin').optional(),
});

/**
 * Whether it was asked for by a name of this machine, and by none of its pages but those of that name: a page of another
 * site reaches a loopback port too, once its own name is made to point there.
 */
function isLocal({ headers }: HttpRequest): boolean {
  const host = hostIn(`http://${headers.host ?? ''}`);
  if (host === undefined || !isLoopback(host)) return false;
  return headers.origin === undefined || hostIn(headers.origin) === host;
}

/** `POST /dev/tokens {"email"}`; an operator's token for whoever asks for it by name: `{"email","role":"admin"}`. */
export function devTokens({ authSecret, clock, admins }: DevTokensOptions): OpenRoute {
  return {
    method: 'POST',
    path: '/dev/tokens',
    async answer(request) {
      const { email, role } = validated(tokenRequest, jsonOf(request.body), 422);
      if (role === 'admin' && !(admins && isLocal(request))) throw new Refusal('ADMIN_REQUIRED');
      const token = await signToken(authSecret, email, clock.now(), tokenSeconds, role);
      return json(200, { token, userId: userIdOf(email), role });
    },
  };
}
