/** The settings of sign-in with an OpenID Connect issuer. None is needed; with an issuer, a client's id is. */

import { z } from 'zod';
import { isAuthentic, type OperatorRule } from '../src/index.ts';
import { setting } from './setting.ts';

export interface OidcConfig {
  /** Exactly as it calls itself; undefined: nobody signs in by OpenID Connect. */
  readonly oidcIssuer: string | undefined;
  readonly oidcClientId: string | undefined;
  /** Whom access tokens must be for; undefined: people come with ID tokens, which are for the client. */
  readonly oidcAudience: string | undefined;
  readonly oidcScope: string;
  readonly oidcAdmins: readonly OperatorRule[];
}

/** Sign-in with an issuer, as the server takes it. */
export interface Oidc {
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string | undefined;
  readonly scope: string;
  readonly operators: readonly OperatorRule[];
}

/** Undefined when no issuer is named. */
export function oidcOf(config: OidcConfig): Oidc | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcAudience: audience, oidcScope: scope } = config;
  if (issuer === undefined || clientId === undefined) return undefined;
  return { issuer, clientId, audience, scope, operators: config.oidcAdmins };
}

function isIssuer(url: string): boolean {
  if (!isAuthentic(url)) return false;
  const { username, password, search, hash } = new URL(url);
  return username === '' && password === '' && search === '' && hash === '' && !/[?#\s]/.test(url);
}

const word = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable characters without spaces');

const emailPattern = /^[^\s@=,]+@[^\s@=,]+$/;
const claimPattern = /^([^\s=,]+)=([^=,]+)$/;
const operatorsMax = 100;

/** Undefined when it is neither an email nor a claim. */
function operatorRule(text: string): OperatorRule | undefined {
  if (emailPattern.test(text)) return { email: text };
  const [, claim, value] = claimPattern.exec(text) ?? [];
  return claim === undefined || value === undefined ? undefined : { claim, value };
}

const operators = z
  .string()
  .transform((list) => list.split(',').map((item) => operatorRule(item.trim())))
  .refine(
    (list) => list.length <= operatorsMax && !list.includes(undefined),
    'must be emails or claims separated by commas, like op@example.com or roles=troupe-admin',
  )
  .transform((list) => list.filter((rule) => rule !== undefined));

export const oidcSettings = {
  oidcIssuer: setting<string | undefined>({
    name: 'OIDC_ISSUER',
    flag: '--oidc-issuer',
    argument: 'url',
    about: 'OpenID Connect issuer whose tokens are accepted, exactly as it calls itself',
    schema: z
      .string()
      .refine(
        isIssuer,
        'must be an https URL without query, like https://accounts.example.com (http on loopback only)',
      ),
    initial: undefined,
  }),
  oidcClientId: setting<string | undefined>({
    name: 'OIDC_CLIENT_ID',
    flag: '--oidc-client-id',
    argument: 'id',
    about: 'the id of the pages at that issuer: a public client with PKCE; its ID tokens are accepted',
    schema: word,
    initial: undefined,
  }),
  oidcAudience: setting<string | undefined>({
    name: 'OIDC_AUDIENCE',
    flag: '--oidc-audience',
    argument: 'audience',
    about: 'accept access tokens (JWT, with the email) for this audience instead of ID tokens',
    schema: word,
    initial: undefined,
  }),
  oidcScope: setting({
    name: 'OIDC_SCOPE',
    flag: '--oidc-scope',
    argument: 'scope',
    about: 'what the pages ask for; with offline_access they renew their tokens without leaving',
    schema: z
      .string()
      .regex(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must be words separated by single spaces')
      .refine((scope) => scope.split(' ').includes('openid'), 'must contain openid'),
    initial: 'openid email',
  }),
  oidcAdmins: setting<readonly OperatorRule[]>({
    name: 'OIDC_ADMINS',
    flag: '--oidc-admins',
    argument: 'list',
    about: 'who is an operator: emails, or claim=value (of a text or a list), separated by commas',
    schema: operators,
    initial: [],
  }),
} as const;

/** What does not fit together, one sentence each, by what is set and what the user called it. */
export function oidcMistakes(
  isSet: (key: keyof OidcConfig) => boolean,
  called: (key: keyof OidcConfig) => string,
): readonly string[] {
  if (isSet('oidcIssuer')) {
    if (isSet('oidcClientId')) return [];
    return [`${called('oidcIssuer')} needs OIDC_CLIENT_ID: the id under which the issuer knows this server's pages.`];
  }
  const others = (Object.keys(oidcSettings) as (keyof OidcConfig)[]).filter(isSet);
  return others.map((key) => `${called(key)} is for an OpenID Connect issuer; set OIDC_ISSUER too.`);
}
