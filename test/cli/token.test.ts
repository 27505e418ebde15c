import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { userIdOf } from '../../actors/api-identity.ts';
import { initDevSecret } from '../../actors/cli/store.ts';
import { verifyToken } from '../../src/gateway/tokens.ts';
import { type Journal, openJournal } from '../../src/index.ts';
import { troupe } from './command-line.ts';
import { storeKinds, type TestStore } from './stores.ts';

const AUTH_SECRET = 'a secret of more than thirty-two bytes';
const email = 'alice@example.com';

async function emailIn(token: string | undefined, secret: string): Promise<string | undefined> {
  const verified = await verifyToken(secret, token ?? '', Date.now());
  return verified.ok ? verified.claims.email : undefined;
}

describe('troupe token with AUTH_SECRET', () => {
  test('the token is its last line on stdout', async () => {
    const { code, out, err } = await troupe(['token', email], { AUTH_SECRET });

    expect(code).toBe(0);
    expect(await emailIn(out.at(-1), AUTH_SECRET)).toBe(email);
    expect(err.join('\n')).toContain(`User ${userIdOf(email)}`);
  });

  test('it holds for as long as asked', async () => {
    const { out } = await troupe(['token', email, '--ttl', '90m', '--json'], { AUTH_SECRET });

    const { token, expiresAt, userId } = JSON.parse(out[0]!) as { token: string; expiresAt: number; userId: string };
    expect(userId).toBe('c160f8cc-69a4-30bf-ab03-62752353d060');
    expect(await verifyToken(AUTH_SECRET, token, (expiresAt - 1) * 1000)).toMatchObject({ ok: true });
    expect(await verifyToken(AUTH_SECRET, token, (expiresAt + 1) * 1000)).toMatchObject({ ok: false });
    expect(Math.abs(expiresAt - Date.now() / 1000 - 5_400)).toBeLessThan(60);
  });

  test('an operator is one only when asked', async () => {
    const operator = await troupe(['token', '--admin', email], { AUTH_SECRET });
    const person = await troupe(['token', email, '--json'], { AUTH_SECRET });

    expect(await verifyToken(AUTH_SECRET, operator.out.at(-1) ?? '', Date.now())).toMatchObject({
      ok: true,
      claims: { email, role: 'admin' },
    });
    expect(operator.err[0]).toContain('Operator');
    const { token } = JSON.parse(person.out[0]!) as { readonly token: string };
    const verified = await verifyToken(AUTH_SECRET, token, Date.now());
    expect(verified.ok && verified.claims.role).toBeUndefined();
  });

  test('by default it holds for at least a day', async () => {
    const { out } = await troupe(['token', email, '--json'], { AUTH_SECRET });

    expect((JSON.parse(out[0]!) as { expiresAt: number }).expiresAt).toBeGreaterThan(Date.now() / 1000 + 86_400);
  });
});

describe.each(storeKinds)('troupe token in development mode on $kind', ({ kind, make }) => {
  let store: TestStore;
  let journal: Journal | undefined;
  let JOURNAL: string;
  beforeEach(async () => {
    store = await make();
    JOURNAL = store.url;
    journal = undefined;
  });
  afterEach(async () => {
    await journal?.close();
    await store.remove();
  });

  test('works before the first start', async () => {
    const { code, out } = await troupe(['token', email], { JOURNAL });

    journal = await openJournal(JOURNAL);
    expect(code).toBe(0);
    expect(await emailIn(out.at(-1), await initDevSecret(journal))).toBe(email);
  });

  test('works beside a running server', async () => {
    journal = await openJournal(JOURNAL);
    const secret = await initDevSecret(journal);

    const { code, out } = await troupe(['token', email], { JOURNAL });

    expect(code).toBe(0);
    expect(await emailIn(out.at(-1), secret)).toBe(email);
  });

  test('an operator is signed with it, too', async () => {
    const { out } = await troupe(['token', '--admin', email], { JOURNAL });

    journal = await openJournal(JOURNAL);
    const verified = await verifyToken(await initDevSecret(journal), out.at(-1) ?? '', Date.now());
    expect(verified).toMatchObject({ ok: true, claims: { email, role: 'admin' } });
  });

  test('waits for the secret of a starting server', async () => {
    journal = await openJournal(JOURNAL);

    const typed = troupe(['token', email], { JOURNAL });
    await new Promise((resolve) => setImmediate(resolve));
    const secret = await initDevSecret(journal);

    expect(await emailIn((await typed).out.at(-1), secret)).toBe(email);
  });

  test('many at once agree on one secret', async () => {
    const typed = await Promise.all([1, 2, 3].map(() => troupe(['token', email], { JOURNAL })));

    journal = await openJournal(JOURNAL);
    const secret = await initDevSecret(journal);
    expect(await Promise.all(typed.map(({ out }) => emailIn(out.at(-1), secret)))).toEqual([email, email, email]);
  });

  // A Redis store takes a secret at any time, so that only the server can tell that it does not use it.
  if (kind === 'lmdb') {
    test('a server with its own secret is named', async () => {
      journal = await openJournal(JOURNAL);

      const { code, out, err } = await troupe(['token', email], { JOURNAL });

      expect({ code, out }).toEqual({ code: 1, out: [] });
      expect(err).toEqual([
        `The server that uses ${JOURNAL} runs with an AUTH_SECRET; set the same one for this command.`,
      ]);
    });
  }
});
