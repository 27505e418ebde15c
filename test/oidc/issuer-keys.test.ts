import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../src/gateway/authentication.ts';
import { signToken } from '../../src/gateway/tokens.ts';
import { poll } from '../e2e/deadline.ts';
import { email, hourSeconds, invalid, issuerStage, secret } from './issuer-stage.ts';
import { StandInIssuer } from './stand-in-issuer.ts';

const stage = issuerStage();

describe('the keys of an issuer', () => {
  test('are asked for once by many at once', async () => {
    const token = await stage.token();
    const verifier = stage.verifier();

    const verified = await Promise.all([1, 2, 3, 4].map(() => verifier.verify(token)));

    expect(verified.every(({ ok }) => ok)).toBe(true);
    expect(stage.standIn.asks).toBe(1);
  });

  test('are asked for again when one is new', async () => {
    const verifier = stage.verifier();
    await verifier.verify(await stage.token());
    stage.standIn.keys = [stage.rsa.jwk, stage.other.jwk];
    await stage.clock.advance(11_000);

    const verified = await verifier.verify(await stage.standIn.token(stage.other, stage.now()));

    expect(verified.ok).toBe(true);
    expect(stage.standIn.asks).toBe(2);
  });

  test('are not asked for by each invented one', async () => {
    const verifier = stage.verifier();
    await verifier.verify(await stage.token());

    for (let i = 0; i < 20; i++) {
      const token = await stage.standIn.token({ ...stage.other, kid: `invented-${i}` }, stage.now());
      expect(await verifier.verify(token)).toEqual(invalid);
    }

    expect(stage.standIn.asks).toBe(1);
  });

  test('that were withdrawn sign no more', async () => {
    const verifier = stage.verifier();
    const authenticator = createAuthenticator({ secret, issuer: verifier, clock: stage.clock });
    const token = await stage.token();
    await authenticator.verify(token);
    stage.standIn.keys = [stage.ec.jwk];
    await stage.clock.advance(10 * 60_000);

    // The first look finds the keys old, and goes on with them while it asks.
    await poll(async () => {
      const code = await Promise.resolve(authenticator.verify(token)).then(
        () => undefined,
        (error: { readonly code: string }) => error.code,
      );
      await stage.clock.advance(10 * 60_000);
      return code === 'TOKEN_INVALID' ? true : undefined;
    }, 'a token of a withdrawn key is good');
  });

  test('serve for an hour while it does not answer', async () => {
    const verifier = stage.verifier();
    await verifier.verify(await stage.token());
    await stage.standIn.close();

    await stage.clock.advance(59 * 60_000);
    const served = await verifier.verify(await stage.token());
    const invented = await verifier.verify(await stage.standIn.token(stage.other, stage.now()));
    await stage.clock.advance(60_000);
    const later = await verifier.verify(await stage.token());

    expect(served.ok).toBe(true);
    expect([invented, later]).toEqual([
      { ok: false, code: 'ISSUER_UNAVAILABLE' },
      { ok: false, code: 'ISSUER_UNAVAILABLE' },
    ]);
  });
});

describe('an issuer that does not answer', () => {
  test('is no verdict on its tokens', async () => {
    const token = await stage.token();
    await stage.standIn.close();
    const verifier = stage.verifier();

    expect(await verifier.verify(token)).toEqual({ ok: false, code: 'ISSUER_UNAVAILABLE' });
    expect(stage.warnings).toHaveLength(1);
  });

  test('is left alone for some seconds', async () => {
    const token = await stage.token();
    stage.standIn.interrupt = (_, response) => {
      response.statusCode = 500;
      response.end();
      return true;
    };
    const verifier = stage.verifier();

    for (let i = 0; i < 10; i++) await verifier.verify(token);
    expect(stage.standIn.asked).toHaveLength(1);

    stage.standIn.interrupt = () => false;
    await stage.clock.advance(5_000);
    expect((await verifier.verify(token)).ok).toBe(true);
  });

  test('leaves tokens of the server itself alone', async () => {
    const foreign = await stage.token();
    const own = await signToken(secret, email, stage.now(), hourSeconds, 'admin');
    await stage.standIn.close();
    const authenticator = createAuthenticator({ secret, issuer: stage.verifier(), clock: stage.clock });

    await expect(async () => authenticator.verify(foreign)).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
    expect(await authenticator.verify(own)).toMatchObject({ email, role: 'admin' });
  });

  test('is given up after five seconds', async () => {
    const token = await stage.token();
    stage.standIn.interrupt = () => true;
    const asked = stage.verifier().verify(token);
    await poll(async () => (stage.standIn.asked.length > 0 ? true : undefined), 'nobody asks');

    await stage.clock.advance(5_000);

    expect(await asked).toEqual({ ok: false, code: 'ISSUER_UNAVAILABLE' });
    expect(stage.warnings).toEqual(['no answer within 5000 ms']);
  });
});

describe('an answer of an issuer', () => {
  const cases: readonly (readonly [string, (standIn: StandInIssuer) => void, RegExp])[] = [
    [
      'in another name',
      (one) => (one.document = { issuer: 'https://other.example.com' }),
      /calls itself "https:\/\/other/,
    ],
    [
      'with keys over plain http',
      (one) => (one.document = { jwks_uri: 'http://keys.example.com/' }),
      /no https address/,
    ],
    ['with no address of its keys', (one) => (one.document = { jwks_uri: 7 }), /no https address/],
    ['without keys', (one) => (one.keys = 'none' as never), /no key set/],
    ['with too many keys', (one) => (one.keys = Array.from({ length: 101 }, () => stage.rsa.jwk)), /at most 100 keys/],
    ['that is too long', (one) => (one.document = { padding: 'x'.repeat(300_000) }), /more than 262144 bytes/],
  ];

  test.each(cases)('%s is not believed', async (_, prepare, reason) => {
    prepare(stage.standIn);

    expect(await stage.verifier().verify(await stage.token())).toEqual({ ok: false, code: 'ISSUER_UNAVAILABLE' });
    expect(stage.warnings).toEqual([expect.stringMatching(reason)]);
  });

  test('from elsewhere is not followed', async () => {
    const elsewhere = await StandInIssuer.open(stage.rsa);
    stage.standIn.interrupt = (path, response) => {
      response.writeHead(302, { location: `${elsewhere.url}${path}` });
      response.end();
      return true;
    };

    const verified = await stage.verifier().verify(await stage.token());
    await elsewhere.close();

    expect(verified).toEqual({ ok: false, code: 'ISSUER_UNAVAILABLE' });
    expect(elsewhere.asked).toEqual([]);
  });
});

describe('the origins of an issuer', () => {
  test('are those that a page talks to when it signs in', async () => {
    stage.standIn.document = {
      authorization_endpoint: 'https://forms.example.com/authorize',
      token_endpoint: 'https://tokens.example.com/token',
      revocation_endpoint: 'https://tokens.example.com/revoke',
      userinfo_endpoint: 'https://people.example.com/me',
      end_session_endpoint: 'https://forms.example.com/leave',
    };
    const verifier = stage.verifier();

    const before = verifier.origins();
    await verifier.prepare();

    expect(before).toEqual([stage.standIn.url]);
    expect(verifier.origins()).toEqual([stage.standIn.url, 'https://tokens.example.com']);
  });

  test('are never over plain http', async () => {
    stage.standIn.document = { token_endpoint: 'http://tokens.example.com/token', revocation_endpoint: 7 };
    const verifier = stage.verifier();

    await verifier.prepare();

    expect(verifier.origins()).toEqual([stage.standIn.url]);
  });
});
