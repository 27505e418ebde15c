/** Signing in by OpenID Connect in Chromium: both pages, a real server and a real issuer. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { barriers } from '../barriers.ts';
import { isAt } from '../browser.ts';
import { sees, write } from '../chat/people.ts';
import { held, OidcStage } from './stage.ts';

const waitMs = 30_000;
const hourMs = 3_600_000;

let stage: OidcStage;
beforeAll(async () => {
  stage = await OidcStage.open();
}, 120_000);
afterAll(() => stage?.close());
afterEach(() => stage.reset());

async function chats(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
}

/** A room of somebody new with somebody else who is new, and what the first one signs in as. */
async function roomOf(name: string): Promise<{ readonly email: string; readonly path: string }> {
  const [one, other] = [await stage.register(name), await stage.register(`${name}s-friend`)];
  const roomId = await one.room(other);
  await other.message(roomId, 'I have been waiting');
  return { email: one.email, path: `/#/rooms/${roomId}` };
}

async function tokenIn(page: Page): Promise<string | undefined> {
  return (await held(page))['troupe.token'];
}

/** So that a part that is drawn anew is told from one that stayed. */
async function mark(page: Page): Promise<void> {
  await page.locator('.composer').evaluate((element) => element.setAttribute('data-mark', 'here'));
}

describe('the chat page', () => {
  test('may talk to the issuer, and to nobody else', async () => {
    const answer = await fetch(`${stage.talk.base}/`);

    expect(answer.headers.get('content-security-policy')).toContain(`; connect-src 'self' ${stage.issuer.url};`);
  });

  test('takes in somebody new, who registers', async () => {
    const { page, troubles } = await stage.open('/');

    await stage.signIn(page, 'nora@example.com');
    await page.getByRole('textbox', { name: 'Name' }).fill('Nora');
    await isAt(page, `${stage.talk.base}/`);
    await page.getByRole('button', { name: 'Begin' }).click();

    await chats(page);
    expect(Object.keys(await held(page)).filter((key) => key.includes('pending'))).toEqual([]);
    expect(troubles).toEqual([]);
  }, 120_000);

  test('leads back to where a link led', async () => {
    const { email, path } = await roomOf('Dana');
    const { page, troubles } = await stage.open(path);

    await stage.signIn(page, email);

    await sees(page, 'I have been waiting');
    await isAt(page, `${stage.talk.base}${path}`);
    await page.reload();
    await sees(page, 'I have been waiting');
    expect(troubles).toEqual([]);
  }, 120_000);

  test.each([
    ['en-US', 'Sign in with 127', 'access was not granted'],
    ['uk-UA', 'Увійти через 127', 'доступ не надано'],
    ['it-IT', 'Accedi con 127', 'non è stato concesso'],
  ])(
    'says in %s that access was denied',
    async (locale, button, sentence) => {
      const { page, troubles } = await stage.open('/#/translate', locale);
      await page.getByRole('button', { name: button }).waitFor();

      await stage.signIn(page, `shy-${locale.toLowerCase()}@example.com`, 'Deny');

      await page.getByRole('alert').filter({ hasText: sentence }).waitFor();
      await isAt(page, `${stage.talk.base}/#/translate`);
      expect(await tokenIn(page)).toBeUndefined();
      expect(await barriers(page)).toEqual([]);
      await stage.signInAgain(page);
      await page.getByRole('textbox').waitFor();
      expect(troubles).toEqual([]);
    },
    120_000,
  );

  test('can be come back to without having signed in', async () => {
    const { page, troubles } = await stage.open('/#/translate');
    await page.getByRole('button', { name: 'Sign in with' }).click();
    await page.getByLabel('Email').waitFor();

    await page.goBack();

    await page.getByRole('button', { name: 'Sign in with' }).waitFor();
    await stage.signIn(page, 'hesitant@example.com');
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    await isAt(page, `${stage.talk.base}/#/translate`);
    expect(troubles).toEqual([]);
  }, 120_000);

  test('says that the issuer does not answer', async () => {
    stage.issuer.away = (path) => path.includes('.well-known');
    const { page } = await stage.open('/');

    await page.getByRole('button', { name: /127\.0\.0\.1/ }).click();

    await page.getByRole('alert').filter({ hasText: 'The sign-in service does not answer' }).waitFor();
    stage.issuer.away = () => false;
    await stage.signIn(page, 'late@example.com');
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
  }, 120_000);

  test('says why the server does not take somebody', async () => {
    stage.issuer.accounts.set('unsure@example.com', { email_verified: false });
    const { page } = await stage.open('/');

    await stage.signIn(page, 'unsure@example.com');

    await page.getByRole('alert').filter({ hasText: 'Confirm your email address' }).waitFor();
    expect(await held(page)).not.toHaveProperty(['troupe.oidc.kept']);
  }, 120_000);

  test('an answer that nobody asked for puts nobody out', async () => {
    const { page } = await stage.open('/');
    await stage.signIn(page, 'calm@example.com');
    await page.getByRole('textbox', { name: 'Name' }).waitFor();

    await page.goto(`${stage.talk.base}/?code=forged&state=forged#/translate`);

    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    await isAt(page, `${stage.talk.base}/#/translate`);
  }, 120_000);
});

describe('a token', () => {
  test('is renewed before it ends, under one’s hands', async () => {
    const { email, path } = await roomOf('Rita');
    const { page, troubles } = await stage.open(path);
    await stage.signIn(page, email);
    await sees(page, 'I have been waiting');
    const first = await tokenIn(page);
    await page.getByRole('textbox', { name: 'Message' }).fill('half a sent');
    await mark(page);
    stage.issuer.tokenSeconds = 3 * 3_600;

    // Within its last minute; the poll gives up before it has ended.
    await page.clock.fastForward(hourMs - 55_000);

    await expect.poll(() => tokenIn(page), { timeout: waitMs }).not.toBe(first);
    expect(stage.issuer.grants.at(-1)).toBe('refresh_token');
    await page.locator('.composer[data-mark="here"]').waitFor();
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('half a sent');
    await write(page, 'half a sentence');
    await sees(page, 'half a sentence');
    expect(troubles).toEqual([]);
  }, 120_000);

  test('that the server finds expired is renewed for the connection', async () => {
    const { email, path } = await roomOf('Vera');
    const { page, troubles } = await stage.open(path);
    const sent: string[] = [];
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => sent.push(String(payload)));
    });
    await stage.signIn(page, email);
    await sees(page, 'I have been waiting');
    const first = (await tokenIn(page)) as string;
    await mark(page);
    stage.issuer.tokenSeconds = 5 * 3_600;
    stage.skewMs = 2 * hourMs;
    sent.length = 0;

    // No ping has come for too long: the client connects anew.
    await page.clock.fastForward(120_000);

    await expect.poll(() => tokenIn(page), { timeout: waitMs }).not.toBe(first);
    const second = (await tokenIn(page)) as string;
    await write(page, 'still here');
    await sees(page, 'still here');
    const connects = sent.filter((frame) => frame.includes('"token"'));
    expect(
      connects.map((frame) => (frame.includes(first) ? 'first' : frame.includes(second) ? 'second' : '?')),
    ).toEqual(['first', 'second']);
    await page.locator('.composer[data-mark="here"]').waitFor();
    expect(troubles).toEqual([]);
  }, 120_000);

  test('that cannot be renewed for the moment is waited for', async () => {
    const { email, path } = await roomOf('Wanda');
    const { page, troubles } = await stage.open(path);
    await stage.signIn(page, email);
    await sees(page, 'I have been waiting');
    await mark(page);
    stage.issuer.away = () => true;
    stage.issuer.tokenSeconds = 5 * 3_600;
    stage.skewMs = 2 * hourMs;

    await page.clock.fastForward(120_000);
    await page.locator('.banner').waitFor();
    await write(page, 'on its way');
    stage.issuer.away = () => false;

    await sees(page, 'on its way');
    await page.locator('.composer[data-mark="here"]').waitFor();
    expect(troubles).toEqual([]);
  }, 120_000);

  test('that ended while the page was closed is renewed when it opens', async () => {
    const { email, path } = await roomOf('Olha');
    const { page, troubles } = await stage.open(path);
    await stage.signIn(page, email);
    await sees(page, 'I have been waiting');
    stage.issuer.tokenSeconds = 5 * 3_600;
    stage.issuer.away = (where) => where === '/token';
    // The tab was asleep.
    await page.goto('about:blank');
    await page.clock.fastForward(2 * hourMs);

    await page.goto(`${stage.talk.base}${path}`);
    await page.getByRole('alert').filter({ hasText: 'The sign-in service does not answer' }).waitFor();
    stage.issuer.away = () => false;
    await page.reload();

    await sees(page, 'I have been waiting');
    expect(stage.issuer.grants.at(-1)).toBe('refresh_token');
    expect(troubles).toEqual([]);
  }, 120_000);

  test('that cannot be renewed costs no draft', async () => {
    stage.issuer.isRenewable = false;
    const { email, path } = await roomOf('Ines');
    const { page, troubles } = await stage.open(path);
    await stage.signIn(page, email);
    await sees(page, 'I have been waiting');
    await page.getByRole('textbox', { name: 'Message' }).fill('a long letter');
    stage.issuer.tokenSeconds = 3 * 3_600;

    await page.clock.fastForward(hourMs);
    await page.getByRole('alert').filter({ hasText: 'Your access has expired' }).waitFor();
    await stage.signInAgain(page);

    await sees(page, 'I have been waiting');
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('a long letter');
    expect(troubles).toEqual([]);
  }, 120_000);
});

test('whoever signs out is out here and at the issuer', async () => {
  const { email, path } = await roomOf('Gita');
  const { page, troubles } = await stage.open(path);
  await stage.signIn(page, email);
  await page.getByRole('textbox', { name: 'Message' }).fill('a secret');

  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Yes, leave' }).click();

  await page.getByRole('button', { name: 'Sign in with' }).waitFor();
  await isAt(page, `${stage.talk.base}/`);
  expect(Object.keys(await held(page)).filter((key) => /token|oidc|drafts/.test(key))).toEqual([]);
  expect(stage.issuer.asked).toContain('POST /token/revocation');
  await page.getByRole('button', { name: 'Sign in with' }).click();
  await page.getByLabel('Email').waitFor();
  expect(troubles).toEqual([]);
}, 120_000);

describe('the inspector', () => {
  test('lets in whom the server takes as an operator', async () => {
    stage.issuer.accounts.set('op@example.com', { email_verified: true, roles: ['user', 'troupe-admin'] });
    const { path } = await roomOf('Petra');
    const roomId = path.split('/').at(-1);
    const { page, troubles } = await stage.open(`/inspector?actor=room/${roomId}`);

    await stage.signIn(page, 'op@example.com');

    await page.locator('[data-state-id="room.open"].is-active').waitFor();
    await page.locator('.connection.is-live').waitFor();
    expect(new URL(page.url()).search).toContain(`?actor=room/${roomId}`);
    expect(troubles).toEqual([]);
  }, 120_000);

  test('goes on with a renewed token, also over its socket', async () => {
    stage.issuer.accounts.set('op@example.com', { email_verified: true, roles: ['troupe-admin'] });
    const { page, troubles } = await stage.open('/inspector');
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    // To the server a token has a few seconds left, half a minute for clocks that differ included.
    stage.skewMs = hourMs + 30_000 - 6_000;
    await stage.signIn(page, 'op@example.com');
    await expect.poll(() => sockets.length, { timeout: waitMs }).toBeGreaterThan(0);
    const first = (await tokenIn(page)) as string;
    stage.issuer.tokenSeconds = 5 * 3_600;

    await expect.poll(() => tokenIn(page), { timeout: waitMs }).not.toBe(first);
    const second = (await tokenIn(page)) as string;
    await expect.poll(() => sockets.some((url) => url.includes(second)), { timeout: waitMs }).toBe(true);
    await page.locator('.connection.is-live').waitFor();
    await page.getByText('all owned').waitFor();
    stage.skewMs = 0;
    const someone = await stage.register('Signe');
    await someone.room(await stage.register('Truls'));

    await page.locator('.lines').getByText('ROOM_CREATE_START').first().waitFor();
    expect(troubles).toEqual([]);
  }, 120_000);

  test('tells others that they are no operators', async () => {
    // What an issuer calls a role means nothing unless the server was told so.
    stage.issuer.accounts.set('vain@example.com', { email_verified: true, roles: ['admin'] });
    const { page, troubles } = await stage.open('/inspector');
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));

    await stage.signIn(page, 'vain@example.com');

    await page.getByText('vain@example.com is not an operator. Sign in as one.').waitFor();
    expect([await page.getByText('all owned').count(), sockets]).toEqual([0, []]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Yes, leave' }).click();
    await page.getByRole('button', { name: 'Sign in with' }).waitFor();
    await isAt(page, `${stage.talk.base}/inspector`);
    expect(troubles).toEqual([]);
  }, 120_000);
});
