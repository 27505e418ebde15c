/** Tokens of a real issuer at a real server: how they are come by, and which of them are taken. */

import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Oidc } from '../../actors/config-oidc.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { canRenew, completeSignIn, renew, signOut } from '../../web/shared/oidc.ts';
import { CentrifugoClient } from '../centrifugo/client.ts';
import { type Chat, chat } from '../gateway/chat.ts';
import { audience, clientId, otherClientId, RealIssuer } from './provider.ts';
import { signingKey } from './stand-in-issuer.ts';
import { configOf, tokenOf, Visitor } from './visitor.ts';

const page = 'https://chat.example.com/';
const email = 'anna@example.com';

let issuer: RealIssuer;
beforeAll(async () => {
  issuer = await RealIssuer.open({ pages: [page] });
});
afterAll(() => issuer.close());
beforeEach(() => {
  issuer.grants.length = 0;
  issuer.asked.length = 0;
});
afterEach(() => {
  issuer.away = () => false;
  issuer.tokenSeconds = 3_600;
});

describe('signing in', () => {
  test('gives an ID token, and leads back to where one was', async () => {
    const visitor = new Visitor(`${page}?actor=room#/rooms/7`);

    await visitor.visit(configOf(issuer), email);
    const answered = visitor.tab.url;
    const completion = await completeSignIn(visitor.tab);

    expect(new URL(answered).searchParams.has('code')).toBe(true);
    expect(completion).toMatchObject({ kind: 'signed-in' });
    expect(completion.kind === 'signed-in' && decodeJwt(completion.token)).toMatchObject({ aud: clientId, email });
    expect(visitor.tab.url).toBe(`${page}?actor=room#/rooms/7`);
    expect(visitor.kept).not.toContain('verifier');
  });

  test('gives an access token for an audience', async () => {
    const token = await tokenOf(page, configOf(issuer, { audience }), email);

    expect(decodeJwt(token)).toMatchObject({ aud: audience, email, email_verified: true });
    expect(decodeProtectedHeader(token).typ).toBe('at+jwt');
  });

  test('that is denied says so', async () => {
    const visitor = new Visitor(`${page}#/rooms/7`);

    await visitor.visit(configOf(issuer), 'shy@example.com', 'deny');

    expect(await completeSignIn(visitor.tab)).toMatchObject({ kind: 'failed', reason: 'denied' });
    expect(visitor.tab.url).toBe(`${page}#/rooms/7`);
    expect(issuer.grants).toEqual([]);
  });

  test('takes an answer once, and only of its own question', async () => {
    const visitor = new Visitor(page);
    await visitor.visit(configOf(issuer), email);
    const answer = visitor.tab.url;
    await completeSignIn(visitor.tab);
    const stranger = new Visitor(answer);
    const another = new Visitor(page);
    await another.visit(configOf(issuer), email);
    another.go(answer);
    visitor.go(answer);

    const completions = await Promise.all([visitor, stranger, another].map(({ tab }) => completeSignIn(tab)));

    expect(completions.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'failed']);
    expect([visitor, stranger, another].map(({ tab }) => tab.url)).toEqual([page, page, page]);
    expect(issuer.grants).toEqual(['authorization_code']);
  });

  test('fails when the issuer does not redeem the code', async () => {
    const visitor = new Visitor(page);
    await visitor.visit(configOf(issuer), email);
    issuer.away = (path) => path === '/token';

    expect(await completeSignIn(visitor.tab)).toMatchObject({ kind: 'failed', reason: 'failed' });
    expect(visitor.kept).toBe('');
  });
});

describe('renewing', () => {
  const scope = 'openid email offline_access';

  test.each([
    ['an ID token', {}],
    ['an access token', { audience }],
  ])('gives %s again and again', async (_, more) => {
    const visitor = new Visitor(page);
    const first = await visitor.signIn(configOf(issuer, { scope, ...more }), email);
    issuer.tokenSeconds = 7_200;

    const [second, third] = [await renew(visitor.tab), await renew(visitor.tab)];

    const tokens = [first, second, third].map((one) => ('token' in one ? one.token : ''));
    const [one, two, three] = tokens.map((token) => decodeJwt(token));
    expect([two?.email, three?.aud]).toEqual([email, one?.aud]);
    expect((two?.exp as number) - (one?.exp as number)).toBeGreaterThanOrEqual(3_600);
    expect(issuer.grants).toEqual(['authorization_code', 'refresh_token', 'refresh_token']);
  });

  test('needs leave of the issuer', async () => {
    const visitor = new Visitor(page);
    await visitor.signIn(configOf(issuer), email);

    expect([canRenew(visitor.tab), await renew(visitor.tab)]).toEqual([false, { kind: 'over' }]);
  });

  test('waits for an issuer that does not answer', async () => {
    const visitor = new Visitor(page);
    await visitor.signIn(configOf(issuer, { scope }), email);
    issuer.away = (path) => path === '/token';

    const during = await renew(visitor.tab);
    issuer.away = () => false;
    const after = await renew(visitor.tab);

    expect([during.kind, after.kind]).toEqual(['unavailable', 'renewed']);
  });

  test('ends with signing out, also one under way', async () => {
    const visitor = new Visitor(page);
    const copy = new Visitor(page);
    await visitor.signIn(configOf(issuer, { scope }), email);
    for (const key of ['troupe.oidc.kept']) copy.tab.storage.setItem(key, visitor.tab.storage.getItem(key) ?? '');

    const [underWay, hasLeft] = await Promise.all([renew(visitor.tab), signOut(visitor.tab)]);

    expect([underWay.kind, hasLeft, visitor.kept]).toEqual(['over', true, '']);
    expect(visitor.left).toContain(`${issuer.url}/session/end?`);
    expect(new URL(visitor.left).searchParams.get('post_logout_redirect_uri')).toBe(page);
    expect(await renew(copy.tab)).toEqual({ kind: 'over' });
  });
});

describe('a server', () => {
  let skewMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + skewMs };
  let talks: Chat[] = [];
  afterEach(async () => {
    skewMs = 0;
    await Promise.all(talks.map(({ server }) => server.stop()));
    talks = [];
  });

  async function serverFor(more: Partial<Oidc> = {}): Promise<Chat> {
    const operators = [{ claim: 'roles', value: 'troupe-admin' }];
    const oidc = { issuer: issuer.url, clientId, audience: undefined, scope: 'openid email', operators, ...more };
    const talk = await chat({ authSecret: undefined, oidc, clock });
    talks.push(talk);
    return talk;
  }

  /** Status and code of what a token gets. */
  async function answerTo({ base }: Chat, token: string, path = '/v1/users/currentUser'): Promise<string> {
    const answer = await fetch(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } });
    const { code } = (await answer.json()) as { readonly code?: string };
    return `${answer.status} ${code ?? 'OK'}`;
  }

  test('takes an ID token over HTTP and over sockets', async () => {
    const talk = await serverFor();
    const token = await tokenOf(page, configOf(issuer), email);
    const client = new CentrifugoClient(talk.base, token);
    await client.reaches('connected');
    client.close();
    const body = JSON.stringify({ type: 'REGULAR_USER', username: 'Anna', primaryLanguage: 'ENGLISH' });

    const before = await answerTo(talk, token);
    const headers = { authorization: `Bearer ${token}`, prefer: 'wait=10' };
    const registered = await fetch(`${talk.base}/v1/users/currentUser`, { method: 'POST', headers, body });

    expect(before).toBe('404 USER_NOT_FOUND');
    expect(registered.status).toBe(200);
    expect(await answerTo(talk, token)).toBe('200 OK');
  });

  test('takes access tokens where it is told their audience', async () => {
    const talk = await serverFor({ audience });

    const token = await tokenOf(page, configOf(issuer, { audience }), email);

    expect(await answerTo(talk, token)).toBe('404 USER_NOT_FOUND');
  });

  test('refuses what was issued for others', async () => {
    const [forIds, forAccess] = [await serverFor(), await serverFor({ audience: 'https://other.example.com' })];
    const id = await tokenOf(page, configOf(issuer), email);
    const access = await tokenOf(page, configOf(issuer, { audience }), email);
    const foreign = await tokenOf(page, configOf(issuer, { clientId: otherClientId }), email);

    expect(await answerTo(forIds, foreign)).toBe('401 TOKEN_INVALID');
    expect(await answerTo(forIds, access)).toBe('401 TOKEN_INVALID');
    expect(await answerTo(forAccess, access)).toBe('401 TOKEN_INVALID');
    expect(await answerTo(forAccess, id)).toBe('401 TOKEN_INVALID');
  });

  test.each([
    ['ID', undefined],
    ['access', audience],
  ])('refuses forged %s tokens', async (_, wanted) => {
    const talk = await serverFor({ audience: wanted });
    const token = await tokenOf(page, configOf(issuer, wanted === undefined ? {} : { audience: wanted }), email);
    const [head = '', , signature = ''] = token.split('.');
    const claims = { ...decodeJwt(token), email: 'boss@example.com' };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const { privateKey } = await signingKey('real');
    const ownKey = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'real' }).sign(privateKey);
    const unsigned = `${Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')}.${payload}.`;

    for (const forged of [`${head}.${payload}.${signature}`, ownKey, unsigned, `${token}x`]) {
      expect(await answerTo(talk, forged)).toBe('401 TOKEN_INVALID');
    }
    expect(await answerTo(talk, token)).toBe('404 USER_NOT_FOUND');
  });

  test.each([
    ['ID', undefined],
    ['access', audience],
  ])('refuses %s tokens that have ended', async (_, wanted) => {
    const talk = await serverFor({ audience: wanted });
    const config = configOf(issuer, wanted === undefined ? {} : { audience: wanted });
    const [seen, unseen] = [await tokenOf(page, config, email), await tokenOf(page, config, email)];

    const before = await answerTo(talk, seen);
    skewMs = 3_600_000 + 60_000;

    // One that is remembered, and one that is verified anew.
    expect([before, await answerTo(talk, seen), await answerTo(talk, unseen)]).toEqual([
      '404 USER_NOT_FOUND',
      '401 TOKEN_EXPIRED',
      '401 TOKEN_EXPIRED',
    ]);
  });

  test('refuses a person without a verified email for good', async () => {
    issuer.accounts.set('new@example.com', { email_verified: false });
    const talk = await serverFor();
    const token = await tokenOf(page, configOf(issuer), 'new@example.com');
    const client = new CentrifugoClient(talk.base, token);

    await client.reaches('disconnected', 3500);

    expect(await answerTo(talk, token)).toBe('403 EMAIL_NOT_VERIFIED');
  });

  test('knows its operators by the claim it was told', async () => {
    issuer.accounts.set('op@example.com', { email_verified: true, roles: ['user', 'troupe-admin'] });
    issuer.accounts.set('vain@example.com', { email_verified: true, roles: ['admin'] });
    const talk = await serverFor();
    const [operator, vain] = [
      await tokenOf(page, configOf(issuer), 'op@example.com'),
      await tokenOf(page, configOf(issuer), 'vain@example.com'),
    ];

    expect(await answerTo(talk, operator, '/inspect/api/overview')).toBe('200 OK');
    expect(await answerTo(talk, vain, '/inspect/api/overview')).toBe('403 ADMIN_REQUIRED');
  });
});
