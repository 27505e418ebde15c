/** What the suites on the stand-in issuer share: keys made once, and for each test an issuer, a clock and a verifier. */

import type { JWTPayload } from 'jose';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { createIssuer, type Issuer, type IssuerOptions } from '../../src/gateway/issuer.ts';
import { silentLog } from '../../src/log.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';
import { clientId, type SigningKey, StandInIssuer, signingKey } from './stand-in-issuer.ts';

export const secret = 'a secret of at least thirty-two bytes';
export const email = 'alice@example.com';
export const hourSeconds = 3_600;
export const invalid = { ok: false, code: 'TOKEN_INVALID' };

export interface IssuerStage {
  /** The issuer's keys. */
  readonly rsa: SigningKey;
  readonly ec: SigningKey;
  /** Nobody's. */
  readonly other: SigningKey;
  readonly standIn: StandInIssuer;
  readonly clock: SimulatedClock;
  /** Why the issuer could not be asked, as it was logged. */
  readonly warnings: readonly string[];
  now(): number;
  /** A token signed with `rsa`, good unless its claims or its header say otherwise. */
  token(claims?: JWTPayload, header?: Readonly<Record<string, string>>): Promise<string>;
  verifier(options?: Partial<IssuerOptions>): Issuer;
}

/** To be called once in a suite. */
export function issuerStage(): IssuerStage {
  let keys: Pick<IssuerStage, 'rsa' | 'ec' | 'other'>;
  let standIn: StandInIssuer;
  let clock: SimulatedClock;
  let warnings: string[];
  beforeAll(async () => {
    const [rsa, ec, other] = await Promise.all([signingKey('one'), signingKey('two', 'ES256'), signingKey('three')]);
    keys = { rsa, ec, other };
  });
  beforeEach(async () => {
    standIn = await StandInIssuer.open(keys.rsa, keys.ec);
    clock = new SimulatedClock();
    warnings = [];
  });
  afterEach(() => standIn.close());
  const warn = (params: object): void => {
    warnings.push(String((params as { readonly reason?: string }).reason));
  };
  return {
    get rsa() {
      return keys.rsa;
    },
    get ec() {
      return keys.ec;
    },
    get other() {
      return keys.other;
    },
    get standIn() {
      return standIn;
    },
    get clock() {
      return clock;
    },
    get warnings() {
      return warnings;
    },
    now: () => clock.now(),
    token: (claims, header) => standIn.token(keys.rsa, clock.now(), claims, header),
    verifier: (options = {}) =>
      createIssuer({
        ...{ issuer: standIn.url, clientId, audience: clientId, operators: [], clock },
        ...{ log: { ...silentLog, warn }, ...options },
      }),
  };
}
