/** A gateway with the smallest application that has everything: a command, a query, an open route and a socket. */

import * as z from 'zod';
import { defineCommand, defineQuery, type Prepared, type Started } from '../../src/gateway/command.ts';
import type { Connection } from '../../src/gateway/connection.ts';
import { defaultGatewayLimits, type Gateway, type GatewayOptions, openGateway } from '../../src/gateway/gateway.ts';
import { json } from '../../src/gateway/http.ts';
import { type Params, type ProblemCatalog, Refusal } from '../../src/gateway/problem.ts';
import { signToken } from '../../src/gateway/tokens.ts';
import { systemIds } from '../../src/ids.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';

export const secret = 'a secret of at least thirty-two bytes';

const catalog: ProblemCatalog = {
  languages: ['en', 'uk', 'it'],
  status: (code) => (code === 'RUDE' ? 409 : undefined),
  retryable: () => false,
  text: (code, params: Params | undefined, language) => ({
    title: `${language} ${code}`,
    detail: `${language} ${JSON.stringify(params ?? {})}`,
  }),
};

export interface Greeter {
  readonly clock: SimulatedClock;
  readonly gateway: Gateway;
  readonly base: string;
  readonly connections: Connection[];
  readonly logged: { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string }[];
  /** Commands that have begun to start and wait for `settle`. */
  readonly starting: Prepared[];
  settle(started: Started | Error): void;
  token(email?: string, seconds?: number): Promise<string>;
  stop(): void;
}

export interface GreeterOptions extends Partial<Pick<GatewayOptions, 'allowedOrigins' | 'ready' | 'port'>> {
  readonly limits?: Partial<GatewayOptions['limits']>;
  /** What a signed-in socket waits for. Default: nothing. */
  readonly socketReady?: Promise<void>;
  /** Commands wait for `settle`. Default: they start at once. */
  readonly waits?: boolean;
}

export async function greeter(options: GreeterOptions = {}): Promise<Greeter> {
  const clock = new SimulatedClock();
  const connections: Connection[] = [];
  const logged: Greeter['logged'] = [];
  const starting: Prepared[] = [];
  let settle: (started: Started | Error) => void = () => undefined;
  const log = (level: string) => (fields: object, message: string) =>
    logged.push({ level, fields: fields as Record<string, unknown>, message });
  const start = (prepared: Prepared): Promise<Started> => {
    if (options.waits !== true) return Promise.resolve({ repeated: false });
    starting.push(prepared);
    return new Promise((resolve, reject) => {
      settle = (started) => (started instanceof Error ? reject(started) : resolve(started));
    });
  };
  const greet = defineCommand({
    command: 'GREET',
    method: 'POST',
    path: '/v1/people/{personId}/greetings',
    params: z.object({ personId: z.uuid() }),
    body: z.object({ words: z.string().min(1).max(100) }),
    prepare({ words }, { idempotencyKey }) {
      if (words === 'boo') throw new Refusal('RUDE', { params: { words } });
      if (words === 'crash') throw new Error('a secret of the server');
      const prepared: Prepared = { operationId: idempotencyKey ?? systemIds.mint(), start: () => start(prepared) };
      return prepared;
    },
  });
  const people = defineQuery({
    path: '/v1/people',
    params: z.object({}),
    query: z.object({ limit: z.enum(['1', '2']).optional() }),
    answer: async ({ claims, query }) => json(200, { email: claims.email, limit: query.limit }),
  });
  const gateway = await openGateway({
    host: '127.0.0.1',
    port: options.port ?? 0,
    authSecret: secret,
    allowedOrigins: options.allowedOrigins ?? [],
    limits: { ...defaultGatewayLimits, ...options.limits },
    clock,
    ids: systemIds,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    catalog,
    languageOf: ({ email }) => (email === 'olena@example.com' ? 'uk' : undefined),
    commands: [greet],
    queries: [people],
    openRoutes: [],
    operations: {
      location: (id) => `/v1/greetings/${id}`,
      async startAndWait(prepared, _, waitMs) {
        await prepared.start();
        return waitMs >= 2_000 ? { operationId: prepared.operationId, greeted: true } : undefined;
      },
    },
    sockets: (commands) => [
      {
        path: '/ws/{name}',
        history: { read: () => Promise.reject(new Error('no history')), delivery: () => ({ frames: [] }) },
        admit({ name }) {
          if (name === 'nobody') throw new Refusal('RUDE');
        },
        open({ connection, claims, params, language, close }) {
          if (claims.email !== `${params.name}@example.com`) throw new Refusal('NOT_OWN_USER');
          connections.push(connection);
          const caller = { connection, claims, language: () => language, close, inFlight: 0 };
          return {
            ready: options.socketReady ?? Promise.resolve(),
            message: (text) => commands.receive(caller, text),
            closed: () => undefined,
          };
        },
      },
    ],
    ready: options.ready ?? (() => true),
  });
  return {
    clock,
    gateway,
    base: `http://127.0.0.1:${gateway.port}`,
    connections,
    logged,
    starting,
    settle: (started) => settle(started),
    token: (email = 'ann@example.com', seconds = 3_600) => signToken(secret, email, clock.now(), seconds),
    stop: () => gateway.close(),
  };
}
