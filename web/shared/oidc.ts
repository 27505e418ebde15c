/**
 * Signing in at an OpenID Connect issuer: authorization code with PKCE, for a public client. It guarantees that an answer
 * is taken only in the tab that asked for it (state, nonce, issuer and verifier are compared, each used once). It keeps
 * what it needs with the tab; who is signed in is access.ts's, and whether a token is good only the server says.
 */

import * as oauth from 'oauth4webapi';

/** As `GET /client-config` tells it. */
export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** Then the server takes access tokens for it; else ID tokens. */
  readonly audience?: string;
}

/** The tab that signs in. */
export interface Tab {
  /** Lives as long as the tab: `sessionStorage`. */
  readonly storage: {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
  };
  /** Where it is. */
  readonly url: string;
  /** Is at another address of the same page from then on, without going there. */
  replace(url: string): void;
  /** Leaves for another address. */
  leave(url: string): void;
}

export type Completion =
  /** The address is not an issuer's answer. */
  | { readonly kind: 'nothing' }
  /** `token` is what the server takes as a bearer token. */
  | { readonly kind: 'signed-in'; readonly token: string }
  /** `denied`: by the person or the issuer. */
  | { readonly kind: 'failed'; readonly reason: 'denied' | 'failed'; readonly cause: unknown };

interface Pending {
  readonly config: OidcConfig;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
  /** Path, search and hash of the page before it left. */
  readonly returnTo: string;
}

/** What renewing and signing out need. */
interface Kept {
  readonly config: OidcConfig;
  readonly refreshToken?: string;
  readonly idToken?: string;
}

const pendingKey = 'troupe.oidc.pending';
const keptKey = 'troupe.oidc.kept';
const answerParameters = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'session_state', 'scope'];
/** How far this machine's clock may be from the issuer's. */
const toleranceSeconds = 60;

function clientOf({ clientId }: OidcConfig): oauth.Client {
  return { client_id: clientId, [oauth.clockTolerance]: toleranceSeconds };
}

/** Plain http is for an issuer on this machine: the server accepts no other. */
function transportOf({ issuer }: OidcConfig) {
  return { [oauth.allowInsecureRequests]: issuer.startsWith('http:'), signal: () => AbortSignal.timeout(10_000) };
}

async function discovered(config: OidcConfig): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(config.issuer);
  const response = await oauth.discoveryRequest(issuer, { ...transportOf(config), algorithm: 'oidc' });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** Names the API in both ways that issuers know: RFC 8707, and the older `audience`. */
function audienceParameters({ audience }: OidcConfig): Readonly<Record<string, string>> {
  if (audience === undefined) return {};
  return URL.canParse(audience) ? { audience, resource: audience } : { audience };
}

function read<T>(tab: Tab, key: string): T | undefined {
  const text = tab.storage.getItem(key);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** The part of the tab's address that the issuer must know: without search and hash. */
function redirectUriOf(tab: Tab): string {
  const { origin, pathname } = new URL(tab.url);
  return origin + pathname;
}

/** Leaves for the issuer. Rejects when the issuer does not answer; the tab has not moved then. */
export async function beginSignIn(config: OidcConfig, tab: Tab): Promise<void> {
  const server = await discovered(config);
  if (server.authorization_endpoint === undefined) throw new Error(`${config.issuer} has no authorization endpoint`);
  const here = new URL(tab.url);
  const pending: Pending = {
    config,
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
    redirectUri: redirectUriOf(tab),
    returnTo: withoutAnswer(here),
  };
  const url = new URL(server.authorization_endpoint);
  const parameters: Readonly<Record<string, string>> = {
    client_id: config.clientId,
    redirect_uri: pending.redirectUri,
    response_type: 'code',
    scope: config.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
    ...audienceParameters(config),
    ...promptOf(config),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  tab.storage.setItem(pendingKey, JSON.stringify(pending));
  tab.leave(url.href);
}

/** A refresh token is given only with the person's consent, asked for by name. */
function promptOf({ scope }: OidcConfig): Readonly<Record<string, string>> {
  return scope.split(' ').includes('offline_access') ? { prompt: 'consent' } : {};
}

/** Path, search and hash, without what an issuer has put there. */
function withoutAnswer(url: URL): string {
  const kept = new URL(url);
  for (const name of answerParameters) kept.searchParams.delete(name);
  return kept.pathname + kept.search + kept.hash;
}

/** Whether the tab's address is an issuer's answer. */
export function isAnswer(tab: Tab): boolean {
  const { searchParams } = new URL(tab.url);
  return searchParams.has('state') && (searchParams.has('code') || searchParams.has('error'));
}

/**
 * To be called when a page opens: takes the issuer's answer, if the tab's address is one. Before anything else the tab is
 * where it was when it left, so that no code stays in its address. Never rejects.
 */
export async function completeSignIn(tab: Tab): Promise<Completion> {
  if (!isAnswer(tab)) return { kind: 'nothing' };
  const pending = read<Pending>(tab, pendingKey);
  const url = new URL(tab.url);
  // Used once, also when it fails.
  tab.storage.removeItem(pendingKey);
  tab.replace(pending?.returnTo ?? withoutAnswer(url));
  if (pending === undefined) {
    return { kind: 'failed', reason: 'failed', cause: new Error('This tab has not asked an issuer for anything.') };
  }
  try {
    return { kind: 'signed-in', token: await redeem(pending, url, tab) };
  } catch (cause) {
    const isDenied = cause instanceof oauth.AuthorizationResponseError && cause.error === 'access_denied';
    return { kind: 'failed', reason: isDenied ? 'denied' : 'failed', cause };
  }
}

/** The token that an answer stands for. */
async function redeem(pending: Pending, url: URL, tab: Tab): Promise<string> {
  const { config, state, nonce, verifier, redirectUri } = pending;
  const server = await discovered(config);
  const client = clientOf(config);
  const parameters = oauth.validateAuthResponse(server, client, url, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    redirectUri,
    verifier,
    { ...transportOf(config), additionalParameters: audienceParameters(config) },
  );
  const answer = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  const token = tokenOf(config, answer);
  if (token === undefined) throw new Error(`${config.issuer} gives no ID token`);
  keep(tab, answer, { config });
  return token;
}

/** Undefined when the answer has not got the kind of token that the server takes. */
function tokenOf({ audience }: OidcConfig, answer: oauth.TokenEndpointResponse): string | undefined {
  return audience === undefined ? answer.id_token : answer.access_token;
}

/** An answer to a renewal may leave out what has not changed. */
function keep(tab: Tab, { refresh_token, id_token }: oauth.TokenEndpointResponse, before: Kept): void {
  const kept: Kept = {
    ...before,
    ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
    ...(id_token === undefined ? {} : { idToken: id_token }),
  };
  tab.storage.setItem(keptKey, JSON.stringify(kept));
}

export type Renewal =
  | { readonly kind: 'renewed'; readonly token: string }
  /** The person has to sign in again: nothing to renew with, or it is no longer good. */
  | { readonly kind: 'over' }
  /** The issuer does not answer; the same may succeed later. */
  | { readonly kind: 'unavailable'; readonly cause: unknown };

/** Whether the issuer has left something to renew with. */
export function canRenew(tab: Tab): boolean {
  return read<Kept>(tab, keptKey)?.refreshToken !== undefined;
}

/** A fresh token without leaving the page. Never rejects. */
export async function renew(tab: Tab): Promise<Renewal> {
  const kept = read<Kept>(tab, keptKey);
  if (kept?.refreshToken === undefined) return { kind: 'over' };
  const { config, refreshToken } = kept;
  /** What was forgotten or replaced meanwhile stays so. */
  const isStill = (): boolean => read<Kept>(tab, keptKey)?.refreshToken === refreshToken;
  try {
    const server = await discovered(config);
    const client = clientOf(config);
    const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, {
      ...transportOf(config),
      additionalParameters: audienceParameters(config),
    });
    const answer = await oauth.processRefreshTokenResponse(server, client, response);
    const token = tokenOf(config, answer);
    if (!isStill()) return { kind: 'over' };
    keep(tab, answer, kept);
    return token === undefined ? { kind: 'over' } : { kind: 'renewed', token };
  } catch (cause) {
    const isRefused = cause instanceof oauth.ResponseBodyError && cause.status < 500 && cause.status !== 429;
    if (isRefused && isStill()) forget(tab);
    return isRefused ? { kind: 'over' } : { kind: 'unavailable', cause };
  }
}

/** Forgets what the tab holds of an issuer's. */
export function forget(tab: Tab): void {
  tab.storage.removeItem(keptKey);
  tab.storage.removeItem(pendingKey);
}

/** A refresh token outlives the person's session there: it is taken back, as far as the issuer listens. */
async function revoke(server: oauth.AuthorizationServer, { config, refreshToken }: Kept): Promise<void> {
  if (refreshToken === undefined || server.revocation_endpoint === undefined) return;
  const options = { ...transportOf(config), additionalParameters: { token_type_hint: 'refresh_token' } };
  const response = await oauth.revocationRequest(server, clientOf(config), oauth.None(), refreshToken, options);
  await oauth.processRevocationResponse(response);
}

/**
 * Forgets at once what the tab holds; then takes its refresh token back, and leaves for the issuer's own sign-out if it has
 * one; that leads back to the page. False: it has none (or does not answer), and the tab stays where it is. Never rejects.
 */
export async function signOut(tab: Tab): Promise<boolean> {
  const kept = read<Kept>(tab, keptKey);
  forget(tab);
  if (kept === undefined) return false;
  const { config, idToken } = kept;
  const server = await discovered(config).catch(() => undefined);
  if (server === undefined) return false;
  // Whoever leaves is not kept by an issuer that does not take it back.
  await revoke(server, kept).catch(() => undefined);
  if (server.end_session_endpoint === undefined) return false;
  const url = new URL(server.end_session_endpoint);
  url.searchParams.set('client_id', config.clientId);
  url.searchParams.set('post_logout_redirect_uri', redirectUriOf(tab));
  if (idToken !== undefined) url.searchParams.set('id_token_hint', idToken);
  tab.leave(url.href);
  return true;
}
