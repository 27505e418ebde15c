/**
 * An issuer whose every answer is the test's: its document, its keys, its failures. It signs tokens good and bad, which a
 * real one would not. What a real one does is tested with `provider.ts`.
 */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export const clientId = 'troupe-pages';

export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signingKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export class StandInIssuer {
  readonly #server: Server;
  readonly url: string;
  /** Requests by path. */
  readonly asked: string[] = [];
  keys: JWK[] = [];
  /** What its document says instead. */
  document: Readonly<Record<string, unknown>> = {};
  /** Takes a request over; false: answer it as usual. */
  interrupt: (path: string, response: ServerResponse) => boolean = () => false;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', ({ url = '' }, response) => {
      this.asked.push(url);
      if (this.interrupt(url, response)) return;
      const body = url.endsWith('/jwks')
        ? { keys: this.keys }
        : { issuer: this.url, jwks_uri: `${this.url}/jwks`, ...this.document };
      response.setHeader('content-type', 'application/json');
      // No connection outlives its answer: a fake issuer that is gone must be gone.
      response.setHeader('connection', 'close');
      response.end(JSON.stringify(body));
    });
  }

  static async open(...keys: readonly SigningKey[]): Promise<StandInIssuer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = new StandInIssuer(server);
    issuer.keys = keys.map(({ jwk }) => jwk);
    return issuer;
  }

  /** How often its keys were asked for. */
  get asks(): number {
    return this.asked.filter((path) => path.endsWith('/jwks')).length;
  }

  /** A token of this issuer, good for an hour from `nowMs` on, unless its claims or its header say otherwise. */
  token(
    key: SigningKey,
    nowMs: number,
    claims: JWTPayload = {},
    header: Readonly<Record<string, string | undefined>> = {},
  ): Promise<string> {
    const iat = Math.floor(nowMs / 1000);
    const whole = {
      ...{ iss: this.url, aud: clientId, sub: '1', iat, exp: iat + 3_600 },
      ...{ email: 'alice@example.com', email_verified: true },
      ...claims,
    };
    // Without those that a test takes away.
    const payload = JSON.parse(JSON.stringify(whole)) as JWTPayload;
    return new SignJWT(payload)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header } as { readonly alg: string })
      .sign(key.privateKey);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
