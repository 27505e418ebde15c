/** Connections whose tokens are an issuer's: what becomes of them when it cannot be asked, or does not vouch for an email. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type Chat, chat } from '../gateway/chat.ts';
import { clientId, StandInIssuer, signingKey } from '../oidc/stand-in-issuer.ts';
import { RawClient } from './raw.ts';

let key: Awaited<ReturnType<typeof signingKey>>;
let standIn: StandInIssuer;
let app: Chat | undefined;
let client: RawClient | undefined;

beforeEach(async () => {
  key = await signingKey('one');
  standIn = await StandInIssuer.open(key);
});

afterEach(async () => {
  client?.close();
  await app?.server.stop();
  await standIn.close();
});

async function started(): Promise<Chat> {
  app = await chat({
    oidc: { issuer: standIn.url, clientId, audience: clientId, scope: 'openid email', operators: [] },
  });
  return app;
}

function fails(): void {
  standIn.interrupt = (_, response) => {
    response.writeHead(503).end();
    return true;
  };
}

test('an email that nobody has verified is refused for good', async () => {
  const { base } = await started();
  client = await RawClient.open(base);

  const token = await standIn.token(key, systemClock.now(), { email_verified: false });
  client.say({ id: 1, connect: { token } });

  expect(await client.closed).toEqual({ code: 3500, reason: 'invalid token' });
});

test('a token that cannot be verified yet may come again', async () => {
  fails();
  const { base } = await started();
  client = await RawClient.open(base);

  client.say({ id: 1, connect: { token: await standIn.token(key, systemClock.now()) } });

  expect(await client.closed).toEqual({ code: 3004, reason: 'internal server error' });
});

test('a connection outlives a refresh that the issuer fails', async () => {
  fails();
  const { base, stranger } = await started();
  const { token } = await stranger('alice');
  client = await RawClient.connected(base, token);

  const { error } = await client.call('refresh', { token: await standIn.token(key, systemClock.now()) });

  expect(error).toEqual({ code: 100, message: 'internal server error', temporary: true });
  expect(await client.call('ping', {})).toEqual({ id: 3, ping: {} });
});
