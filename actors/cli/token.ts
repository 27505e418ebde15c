/** `troupe token`: signs a bearer token, an operator's with `--admin`, with AUTH_SECRET or with the store's development secret. */

import { Command } from 'commander';
import { signToken, systemClock, withoutPassword } from '../../src/index.ts';
import { readStoreConfig, settings } from '../config.ts';
import { userIdOf } from './application.ts';
import { durationArgument, examples, flagsOf, withJson, withSettings } from './options.ts';
import { findDevSecret } from './store.ts';
import { Failure, type Terminal, UsageError } from './terminal.ts';

interface TokenOptions {
  readonly ttl: number;
  readonly admin?: boolean;
  readonly json?: boolean;
}

/** A running server that is in development mode has its secret within this. */
const secretWaitMs = 3_000;

async function token(email: string, options: TokenOptions, terminal: Terminal): Promise<void> {
  if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > 320) {
    throw new UsageError(`"${email}" is not an email address; one looks like alice@example.com.`);
  }
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  const store = withoutPassword(config.journal);
  const issuer = terminal.environment[settings.oidcIssuer.name] ?? '';
  if (config.authSecret === undefined && issuer !== '') {
    throw new UsageError(
      `With OIDC_ISSUER and without AUTH_SECRET a server takes tokens of ${issuer} alone: sign in there, or set AUTH_SECRET here and for the server.`,
    );
  }
  const secret = config.authSecret ?? (await findDevSecret(config, secretWaitMs));
  if (secret === undefined) {
    const message = `The server that uses ${store} runs with an AUTH_SECRET; set the same one for this command.`;
    throw new Failure(message);
  }
  const now = systemClock.now();
  const role = options.admin === true ? 'admin' : undefined;
  const signed = await signToken(secret, email, now, options.ttl, role);
  const expiresAt = Math.floor(now / 1000) + options.ttl;
  const userId = userIdOf(email);
  if (options.json === true) return terminal.out(JSON.stringify({ token: signed, userId, email, role, expiresAt }));
  const signer = config.authSecret === undefined ? `the development secret of ${store}` : 'AUTH_SECRET';
  const who = role === undefined ? 'User' : 'Operator (sees what everybody wrote), user';
  terminal.err(`${who} ${userId}, until ${new Date(expiresAt * 1000).toISOString()}, signed with ${signer}.`);
  terminal.err('Use it as "Authorization: Bearer <token>", or as ?access_token=<token> of a WebSocket.');
  terminal.out(signed);
}

export function tokenCommand(terminal: Terminal): Command {
  const command = new Command('token')
    .description('print a bearer token for an email; before the first start, or beside a running server')
    .argument('<email>', 'whose token it is')
    .option('--admin', "an operator's token: it opens the inspector, where everybody's state is")
    .option('--ttl <duration>', 'how long it holds: 90m, 24h, 30d', durationArgument, 30 * 86_400)
    .action((email: string, options: TokenOptions) => token(email, options, terminal));
  command.options.find(({ long }) => long === '--ttl')?.default(30 * 86_400, '30d');
  examples(command, [
    'troupe token alice@example.com',
    'troupe token --admin op@example.com',
    'TOKEN=$(npm run --silent token -- alice@example.com)',
    'AUTH_SECRET=… troupe token alice@example.com --ttl 24h',
  ]);
  return withJson(withSettings(command, ['journal', 'shards']));
}
