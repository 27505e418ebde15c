/**
 * The public keys of an OpenID Connect issuer, found by its discovery document. They are asked for again every ten
 * minutes while those that are known go on serving, and at once for a key that is not among them (a rotation), though
 * not more often than every ten seconds: a flood of invented keys costs the issuer nothing. When it cannot be reached,
 * known keys are trusted for an hour; after that, and for keys that are not known, the answer is `IssuerUnavailable`
 * rather than a verdict. It takes from the network no more than a bound, follows no redirect, and knows no token's claims.
 */

import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { isAuthentic } from './loopback.ts';

const refreshMs = 10 * 60_000;
const trustMs = 60 * 60_000;
const unknownKeyMs = 10_000;
/** After a failure it is left alone for this long. */
const retryMs = 5_000;
const deadlineMs = 5_000;
const bytesMax = 256 * 1024;
const keysMax = 100;
const refusedWords = 200;

/** Nobody can say whether a token of this issuer is good. */
export class IssuerUnavailable extends Error {
  constructor(cause: unknown) {
    super('the issuer cannot be asked for its keys', { cause });
    this.name = 'IssuerUnavailable';
  }
}

export interface IssuerKeysOptions {
  /** Exactly as it calls itself. */
  readonly issuer: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Known {
  readonly find: JWTVerifyGetKey;
  /** Monotonic ms. */
  readonly at: number;
  /** Origins of the endpoints that a page talks to. */
  readonly origins: readonly string[];
}

/** Where its discovery document is: below the issuer's path, which loses a final slash. */
function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** The text of a body, no longer than the bound. */
async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by a throw cancels the body.
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > bytesMax) throw new Error(`${response.url} answers more than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function jsonAt(url: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status}`);
  }
  const value: unknown = JSON.parse(await textOf(response));
  if (typeof value !== 'object' || value === null) throw new Error(`${url} answers no JSON object`);
  return value as Readonly<Record<string, unknown>>;
}

export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #known: Known | undefined;
  #asking: Promise<Known> | undefined;
  #failed: { readonly at: number; readonly cause: unknown } | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** Origins that a page talks to when it signs in there; as long as nothing is known, the issuer's own. */
  get origins(): readonly string[] {
    return this.#known?.origins ?? [new URL(this.#options.issuer).origin];
  }

  /** The key that a token's header names. Rejects with `IssuerUnavailable`, or with an error of jose when there is none. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.#keys();
    try {
      return await known.find(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || this.#ageOf(known) < unknownKeyMs) throw error;
    }
    const renewed = await this.#ask();
    return renewed.find(header, token);
  };

  /** Asks for the keys before the first token needs them. Never rejects: a failure is logged, and tried again when one does. */
  async prepare(): Promise<void> {
    await this.#ask().catch(() => undefined);
  }

  #ageOf(known: Known): number {
    return this.#options.clock.monotonic() - known.at;
  }

  #keys(): Known | Promise<Known> {
    const known = this.#known;
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#ageOf(known);
    if (known === undefined || age >= trustMs) return this.#ask();
    if (age >= refreshMs) this.#ask().catch(() => undefined);
    return known;
  }

  /** Asks once for all who want to know, and not at all right after a failure. */
  #ask(): Promise<Known> {
    const { clock, log, issuer } = this.#options;
    const failed = this.#failed;
    if (failed !== undefined && clock.monotonic() - failed.at < retryMs) {
      return Promise.reject(new IssuerUnavailable(failed.cause));
    }
    this.#asking ??= this.#fetch()
      .then(
        (known) => {
          if (this.#failed !== undefined) log.info({ issuer }, 'the issuer of tokens answers again');
          this.#failed = undefined;
          this.#known = known;
          return known;
        },
        (cause: unknown) => {
          this.#failed = { at: clock.monotonic(), cause };
          log.warn(
            { issuer, reason: messageOf(cause), err: cause },
            'the issuer of tokens cannot be asked for its keys',
          );
          throw new IssuerUnavailable(cause);
        },
      )
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #fetch(): Promise<Known> {
    const { issuer, clock } = this.#options;
    const controller = new AbortController();
    const cancel = clock.after(deadlineMs, () => controller.abort(new Error(`no answer within ${deadlineMs} ms`)));
    try {
      const document = await jsonAt(discoveryUrl(issuer), controller.signal);
      if (document.issuer !== issuer) {
        const called = JSON.stringify(document.issuer ?? null).slice(0, refusedWords);
        throw new Error(`it calls itself ${called}: OIDC_ISSUER must be exactly that`);
      }
      const { jwks_uri: keysUrl } = document;
      if (typeof keysUrl !== 'string' || !isAuthentic(keysUrl))
        throw new Error('it names no https address of its keys');
      const set = await jsonAt(keysUrl, controller.signal);
      if (!Array.isArray(set.keys) || set.keys.length > keysMax) {
        throw new Error(`${keysUrl} answers no key set of at most ${keysMax} keys`);
      }
      const endpoints = [issuer, document.token_endpoint, document.revocation_endpoint];
      const origins = endpoints
        .filter((url): url is string => typeof url === 'string' && isAuthentic(url))
        .map((url) => new URL(url).origin);
      return {
        find: createLocalJWKSet(set as unknown as JSONWebKeySet),
        at: clock.monotonic(),
        origins: [...new Set(origins)],
      };
    } finally {
      cancel();
    }
  }
}
