import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../src/gateway/authentication.ts';
import { signToken } from '../../src/gateway/tokens.ts';
import { email, hourSeconds, invalid, issuerStage, secret } from './issuer-stage.ts';
import { clientId, signingKey } from './stand-in-issuer.ts';

const stage = issuerStage();

/** A token put together by hand: header and payload as they are, signed with a shared secret, or not at all. */
function handMade(header: object, payload: object, key?: string | Buffer): string {
  const encoded = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = key === undefined ? '' : createHmac('sha256', key).update(encoded).digest('base64url');
  return `${encoded}.${signature}`;
}

function payloadNow(): object {
  const iat = Math.floor(stage.now() / 1000);
  return { iss: stage.standIn.url, aud: clientId, sub: '1', iat, exp: iat + hourSeconds, email, email_verified: true };
}

describe('a token of the issuer', () => {
  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('signed with %s is good', async (alg) => {
    const key = await signingKey('other', alg);
    stage.standIn.keys = [key.jwk];

    const verified = await stage.verifier().verify(await stage.standIn.token(key, stage.now()));

    expect(verified).toMatchObject({ ok: true, claims: { email } });
  });

  test('ends when it says, give or take half a minute', async () => {
    const token = await stage.token();
    const verifier = stage.verifier();

    const before = await verifier.verify(token);
    await stage.clock.advance((hourSeconds + 29) * 1000);
    const late = await verifier.verify(token);
    await stage.clock.advance(2_000);
    const over = await verifier.verify(token);

    expect(before.ok && before.claims.expiresAt).toBe(Math.floor(stage.now() / 1000) - 31 + 30);
    expect(late.ok).toBe(true);
    expect(over).toEqual({ ok: false, code: 'TOKEN_EXPIRED' });
  });

  test('does not hold before it says', async () => {
    const soon = Math.floor(stage.now() / 1000) + 60;

    expect(await stage.verifier().verify(await stage.token({ nbf: soon }))).toEqual(invalid);
  });

  test.each(['exp', 'iat', 'sub', 'iss', 'aud', 'email'])('without %s is refused', async (claim) => {
    expect(await stage.verifier().verify(await stage.token({ [claim]: undefined }))).toEqual(invalid);
  });

  test.each([[false], [undefined], ['false'], [1]])('with the email verified: %j is refused', async (verified) => {
    const token = await stage.token({ email_verified: verified });

    expect(await stage.verifier().verify(token)).toEqual({ ok: false, code: 'EMAIL_NOT_VERIFIED' });
  });

  test('may say in words that the email is verified', async () => {
    expect((await stage.verifier().verify(await stage.token({ email_verified: 'true' }))).ok).toBe(true);
  });
});

describe('a token that pretends', () => {
  test('to need no signature is refused, unasked', async () => {
    const token = handMade({ alg: 'none', typ: 'JWT' }, payloadNow());

    expect(await stage.verifier().verify(token)).toEqual(invalid);
    expect(stage.standIn.asked).toEqual([]);
  });

  test('that the public key is a secret is refused', async () => {
    const verifier = stage.verifier();
    const authenticator = createAuthenticator({ secret, issuer: verifier, clock: stage.clock });
    const pem = await exportSPKI((await importJWK({ ...stage.rsa.jwk, ext: true }, 'RS256')) as never);
    const secrets = [pem, pem.trim(), JSON.stringify(stage.rsa.jwk), Buffer.from(String(stage.rsa.jwk.n), 'base64url')];
    const forged = secrets.map((key) => handMade({ alg: 'HS256', typ: 'JWT', kid: stage.rsa.kid }, payloadNow(), key));

    for (const token of forged) {
      expect(await verifier.verify(token)).toEqual(invalid);
      await expect(async () => authenticator.verify(token)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    }
  });

  test('that the secret is a key of the issuer is refused', async () => {
    const token = handMade({ alg: 'RS256', kid: stage.rsa.kid }, payloadNow(), secret);

    expect(await stage.verifier().verify(token)).toEqual(invalid);
  });

  test('to be of another issuer is refused', async () => {
    const token = await stage.token({ iss: 'https://accounts.example.com' });

    expect(await stage.verifier().verify(token)).toEqual(invalid);
  });

  test('to be for another audience is refused', async () => {
    expect(await stage.verifier().verify(await stage.token({ aud: 'another' }))).toEqual(invalid);
    expect(await stage.verifier({ audience: 'api' }).verify(await stage.token())).toEqual(invalid);
  });

  test('to be made for this client is refused', async () => {
    const shared = { aud: [clientId, 'another'] };

    expect(await stage.verifier().verify(await stage.token(shared))).toEqual(invalid);
    expect(await stage.verifier().verify(await stage.token({ ...shared, azp: 'another' }))).toEqual(invalid);
    expect(await stage.verifier().verify(await stage.token({ azp: 'another' }))).toEqual(invalid);
    expect((await stage.verifier().verify(await stage.token({ ...shared, azp: clientId }))).ok).toBe(true);
  });

  test('to be one for signing in is refused', async () => {
    const token = await stage.token({}, { typ: 'logout+jwt' });

    expect(await stage.verifier().verify(token)).toEqual(invalid);
  });

  test('to be signed by the issuer is refused', async () => {
    const foreign = await stage.standIn.token({ ...stage.other, kid: stage.rsa.kid }, stage.now());
    const carrying = await stage.standIn.token(stage.other, stage.now(), {}, {
      kid: stage.rsa.kid,
      jwk: stage.other.jwk,
    } as never);
    const [head, , signature] = (await stage.token()).split('.');
    const payload = Buffer.from(JSON.stringify({ ...payloadNow(), email: 'op@example.com' })).toString('base64url');

    for (const token of [foreign, carrying, `${head}.${payload}.${signature}`, `${head}..${signature}`, 'a.b.c', '']) {
      expect(await stage.verifier().verify(token)).toEqual(invalid);
    }
  });

  test('to understand what nobody does is refused', async () => {
    const token = await stage.token({}, { crit: ['exp'], exp: 'x' } as never).catch(() => undefined);
    const made = handMade({ alg: 'RS256', kid: stage.rsa.kid, crit: ['b64'], b64: false }, payloadNow(), secret);

    expect(token).toBeUndefined();
    expect(await stage.verifier().verify(made)).toEqual(invalid);
  });
});

describe('the operators among the people of an issuer', () => {
  const operators = [
    { email: 'op@example.com' },
    { claim: 'roles', value: 'troupe-admin' },
    { claim: 'realm_access.roles', value: 'admin' },
    { claim: 'https://example.com/team', value: 'operators' },
  ];

  test.each([
    [{ email: 'op@example.com' }],
    [{ roles: ['user', 'troupe-admin'] }],
    [{ roles: 'troupe-admin' }],
    [{ realm_access: { roles: ['admin'] } }],
    [{ 'https://example.com/team': 'operators' }],
  ])('%j is one', async (claims) => {
    const verified = await stage.verifier({ operators }).verify(await stage.token(claims));

    expect(verified).toMatchObject({ ok: true, claims: { role: 'admin' } });
  });

  test.each([
    [{}],
    [{ role: 'admin' }],
    [{ email: 'OP@example.com' }],
    [{ roles: ['troupe-admins'] }],
    [{ roles: 'user troupe-admin' }],
    [{ realm_access: { roles: [['admin']] } }],
    [{ realm_access: 'admin' }],
  ])('%j is a person', async (claims) => {
    const verified = await stage.verifier({ operators }).verify(await stage.token(claims));

    expect(verified.ok).toBe(true);
    expect(verified.ok && verified.claims.role).toBeUndefined();
  });

  test('an email that is not verified makes none', async () => {
    const token = await stage.token({ email: 'op@example.com', email_verified: false });

    expect(await stage.verifier({ operators }).verify(token)).toEqual({ ok: false, code: 'EMAIL_NOT_VERIFIED' });
  });
});

describe('a server with a secret and an issuer', () => {
  test('takes the tokens of both', async () => {
    const authenticator = createAuthenticator({ secret, issuer: stage.verifier(), clock: stage.clock });

    expect(await authenticator.verify(await signToken(secret, 'bob@example.com', stage.now()))).toMatchObject({
      email: 'bob@example.com',
    });
    expect(await authenticator.verify(await stage.token())).toMatchObject({ email });
  });

  test('without a secret takes no token of its own', async () => {
    const authenticator = createAuthenticator({ secret: undefined, issuer: stage.verifier(), clock: stage.clock });
    const tokens = [await signToken(secret, email, stage.now()), handMade({ alg: 'HS256' }, payloadNow(), 'undefined')];

    for (const token of tokens) {
      await expect(async () => authenticator.verify(token)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    }
  });

  test('remembers a token no longer than it holds', async () => {
    const authenticator = createAuthenticator({ secret, issuer: stage.verifier(), clock: stage.clock });
    const iat = Math.floor(stage.now() / 1000);
    const token = await stage.token({ exp: iat + 60 });
    const claims = await authenticator.verify(token);

    expect(authenticator.verify(token)).toBe(claims);
    await stage.clock.advance(91_000);
    expect(() => authenticator.verify(token)).toThrow('TOKEN_EXPIRED');
  });
});
