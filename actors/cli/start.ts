/** `troupe start`: runs the chat server until it is told to stop. */

import { createServer } from 'node:net';
import { Command } from 'commander';
import { pino } from 'pino';
import { type Journal, messageOf, signToken, sleep, systemClock } from '../../src/index.ts';
import { type Config, readConfig, settings } from '../config.ts';
import { examples, flagsOf, withSettings } from './options.ts';
import { initDevSecret, openForWriting, patienceMs } from './store.ts';
import { Failure, type Terminal } from './terminal.ts';

/** The part of a running server that a process needs. */
interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

const retryMs = 100;
const exampleEmail = 'alice@example.com';

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Waits for a server that is just stopping: after `npm start` was ended by its process group, it may still be draining. */
async function portIsFree({ host, port }: Config, terminal: Terminal): Promise<void> {
  const deadline = systemClock.monotonic() + patienceMs;
  for (let said = false; !(await canListen(host, port)); said = true) {
    if (systemClock.monotonic() >= deadline) {
      throw new Failure(`Port ${port} of ${host} is taken by another program; choose one with PORT or --port.`);
    }
    if (!said) terminal.err(`Port ${port} is taken; waiting for it.`);
    await sleep(systemClock, retryMs);
  }
}

async function run(config: Config, journal: Journal): Promise<{ readonly server: Running; readonly secret: string }> {
  try {
    const { startChat } = await import('../server.ts');
    const devMode = config.authSecret === undefined;
    const secret = config.authSecret ?? (await initDevSecret(journal));
    const { host, port, allowedOrigins, leaseMs } = config;
    // Logs go to stderr, so that stdout stays what a person reads.
    const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
    const server = await startChat({
      journal,
      host,
      port,
      authSecret: secret,
      devMode,
      allowedOrigins,
      leaseMs,
      logger,
    });
    return { server, secret };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

function addressOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function greet(
  config: Config,
  journal: Journal,
  port: number,
  secret: string,
  terminal: Terminal,
): Promise<void> {
  const at = addressOf(config.host, port);
  terminal.out(`Troupe listens on ${at}`);
  terminal.out(`Journal: ${journal.description} (${journal.kind}, ${journal.shards} shards)`);
  if (config.authSecret !== undefined) {
    terminal.out('Tokens: HS256 with AUTH_SECRET; "troupe token <email>" with the same AUTH_SECRET makes one.');
    return;
  }
  const command = JSON.stringify({ type: 'REGULAR_USER', username: 'alice', primaryLanguage: 'ENGLISH' });
  terminal.out('Development mode: without AUTH_SECRET, anybody on this machine can make a token for anybody.');
  terminal.out('');
  terminal.out(`Next, in another terminal, become ${exampleEmail} (npm run token -- <email> makes more tokens):`);
  terminal.out('');
  terminal.out(`  TOKEN=${await signToken(secret, exampleEmail, systemClock.now())}`);
  terminal.out(
    `  curl ${at}/v1/users/currentUser -H "Authorization: Bearer $TOKEN" -H 'Prefer: wait=5' --json '${command}'`,
  );
  terminal.out('');
}

/** Resolves when the process was asked to stop and everything under way is committed. A second request does not wait. */
function stopped(server: Running, terminal: Terminal): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(1);
      stopping = true;
      terminal.out(`${signal}: finishing what is under way; once more stops at once.`);
      server.stop().then(resolve, reject);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

async function start(options: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<void> {
  const config = readConfig(terminal.environment, flagsOf(options));
  await portIsFree(config, terminal);
  const journal = await openForWriting(config);
  const { server, secret } = await run(config, journal);
  await greet(config, journal, server.port, secret, terminal);
  try {
    await stopped(server, terminal);
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
