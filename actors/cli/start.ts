/** `troupe start`: runs the chat server until it is told to stop. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Command } from 'commander';
import { pino } from 'pino';
import { createMetrics, isLoopback, type Journal, messageOf, signToken, systemClock } from '../../src/index.ts';
import { type Config, readConfig, settings } from '../config.ts';
import { oidcOf } from '../config-oidc.ts';
import type { ChatServer } from '../server.ts';
import { examples, flagsOf, withSettings } from './options.ts';
import { providePages } from './pages.ts';
import { initDevSecret, openForWriting, patienceMs } from './store.ts';
import { Failure, type Terminal } from './terminal.ts';

/** A start that takes longer than this says so. */
const patientlyMs = 1_500;
const hourMs = 3_600_000;
const exampleEmail = 'alice@example.com';

interface Started {
  readonly server: ChatServer;
  readonly journal: Journal;
  /** Undefined: only an issuer's tokens are accepted. */
  readonly secret: string | undefined;
  readonly node: string;
  /** Whether there are web pages. */
  readonly hasPages: boolean;
}

/** The host's name and a random part: who restarts is another node to the others, and no two of them share a name. */
function freshNodeId(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 50);
  return `${host || 'node'}-${randomBytes(4).toString('hex')}`;
}

/** Opens the store and the port; both are waited for, since an earlier server may still be finishing. */
async function open(config: Config, pages: string | undefined): Promise<Started> {
  const { host, port, allowedOrigins, leaseMs, role, weight, metrics, nodeId: node = freshNodeId() } = config;
  // Loaded here, so that the other commands start without it.
  const { startChat } = await import('../server.ts');
  // Logs go to stderr, so that stdout stays what a person reads.
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  // A connection that does not answer must be found out, and replaced, before leases that cannot be renewed meanwhile are
  // over: a renewal that is asked for at a third of the lease and late at this has a fifth of the lease for another try.
  const deadlineMs = Math.min(5_000, leaseMs * 0.4);
  const warn = (message: string, params: object): void => logger.warn(params, message);
  const journal = await openForWriting(config, { warn, deadlineMs });
  const oidc = oidcOf(config);
  const devMode = config.authSecret === undefined && oidc === undefined;
  let secret: string | undefined;
  try {
    secret = devMode ? await initDevSecret(journal) : config.authSecret;
  } catch (error) {
    await journal.close();
    throw error;
  }
  const runtimeLimits = { retentionMs: config.retentionHours * hourMs };
  const identity = { authSecret: secret, devMode, oidc };
  const options = { journal, host, port, ...identity, allowedOrigins, leaseMs, runtimeLimits, logger };
  const isMeasured = metrics === 'loopback' ? isLoopback(host) : metrics !== 'off';
  const measured = {
    ...(isMeasured ? { metrics: createMetrics({ process: true }) } : {}),
    ...(typeof metrics === 'number' ? { metricsPort: metrics } : {}),
    ...(pages === undefined ? {} : { pages }),
  };
  // From here on the journal is the server's to close.
  const server = await startChat({ ...options, ...measured, node, role, weight, listenMs: patienceMs });
  return { server, journal, secret, node, hasPages: pages !== undefined && role !== 'worker' };
}

function addressOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What a person reads when the server is up: where, on what, and what to type next. */
async function greeting(
  config: Config,
  { server, journal, secret, node, hasPages }: Started,
): Promise<readonly string[]> {
  const at = addressOf(config.host, server.port);
  const facts: string[] = [`Troupe listens on ${at}`, `Journal: ${journal.description}; ${journal.shards} shards`];
  if (journal.cluster !== undefined) {
    facts.push(`Node: ${node}, role ${config.role}, weight ${config.weight}; "troupe cluster" shows all of them`);
  }
  if (hasPages) facts.push(`Open ${at} in a browser to chat`);
  if (server.metricsPort !== undefined) facts.push(`Metrics: ${addressOf(config.host, server.metricsPort)}/metrics`);
  if (config.oidcIssuer !== undefined)
    facts.push(`Sign-in: tokens of ${config.oidcIssuer}, client ${config.oidcClientId}`);
  if (config.authSecret !== undefined) {
    facts.push('Tokens: HS256 with AUTH_SECRET; "troupe token <email>" with the same AUTH_SECRET makes one.');
  }
  if (secret === undefined || config.authSecret !== undefined) return facts;
  const token = await signToken(secret, exampleEmail, systemClock.now());
  const command = JSON.stringify({ type: 'REGULAR_USER', username: 'alice', primaryLanguage: 'ENGLISH' });
  return [
    ...facts,
    'Development mode: without AUTH_SECRET and OIDC_ISSUER, anybody on this machine can make a token for anybody.',
    '',
    `Next, in another terminal, become ${exampleEmail} (npm run token -- <email> makes more tokens):`,
    '',
    `  TOKEN=${token}`,
    `  curl ${at}/v1/users/currentUser -H "Authorization: Bearer $TOKEN" -H 'Prefer: wait=5' --json '${command}'`,
    '',
  ];
}

/** Resolves when the process is asked to stop. Asked again, it ends at once. */
function stopAsked(terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(1);
      asked = true;
      terminal.out(`${signal}: finishing what is under way; once more stops at once.`);
      resolve();
    };
    process.on('SIGTERM', ask);
    process.on('SIGINT', ask);
  });
}

async function start(options: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<void> {
  const config = readConfig(terminal.environment, flagsOf(options));
  // Before anything is opened: a signal that comes meanwhile must not leave leases behind.
  const asked = stopAsked(terminal);
  const pages = config.role === 'worker' ? undefined : providePages(terminal);
  const delayed = systemClock.after(patientlyMs, () => {
    terminal.err('Still starting: waiting for the store or the port, which another server may be leaving.');
  });
  const started = await open(config, pages).finally(delayed);
  for (const line of await greeting(config, started)) terminal.out(line);
  await asked;
  try {
    await started.server.stop();
  } catch (error) {
    throw new Failure(`The server did not stop in order: ${messageOf(error)}`);
  }
  terminal.out('Stopped.');
  // Whatever still holds the loop (a library's handle) has nothing left to do.
  process.exit(0);
}

export function startCommand(terminal: Terminal): Command {
  const command = new Command('start')
    .description('run the chat server')
    .action((options: Readonly<Record<string, unknown>>) => start(options, terminal));
  examples(command, [
    'troupe start',
    'troupe start --port 9000 --journal lmdb:/var/lib/troupe',
    'AUTH_SECRET=$(openssl rand -hex 32) HOST=0.0.0.0 JOURNAL=redis://127.0.0.1:6379 DURABILITY=always troupe start',
  ]);
  command.addHelpText('after', `\nEnvironment only:\n  ${settings.authSecret.name}  ${settings.authSecret.about}`);
  const keys = Object.keys(settings) as (keyof Config)[];
  return withSettings(command, keys);
}
