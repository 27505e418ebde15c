/**
 * The chat server with the limits of compacting.ts, started with the settings of `troupe start` that its tests use.
 */

import { pino } from 'pino';
import { z } from 'zod';
import { initDevSecret } from '../../actors/cli/store.ts';
import { startChat } from '../../actors/server.ts';
import { withArchive } from '../../src/archive/open.ts';
import { openJournal } from '../../src/index.ts';
import { compactingLimits } from './compacting.ts';

const settings = z.object({
  JOURNAL: z.string(),
  ARCHIVE: z.string(),
  NODE_ID: z.string(),
  SHARDS: z.coerce.number(),
  LEASE_MS: z.coerce.number(),
  HOST: z.string(),
  PORT: z.coerce.number(),
});

async function main(): Promise<void> {
  const config = settings.parse(process.env);
  const opened = await openJournal(config.JOURNAL, { shards: config.SHARDS, deadlineMs: config.LEASE_MS * 0.4 });
  const journal = await withArchive(opened, config.ARCHIVE);
  const server = await startChat({
    journal,
    host: config.HOST,
    port: config.PORT,
    authSecret: await initDevSecret(journal),
    devMode: true,
    leaseMs: config.LEASE_MS,
    node: config.NODE_ID,
    runtimeLimits: compactingLimits,
    logger: pino({ level: 'debug' }, pino.destination({ dest: 2, sync: true })),
  });
  process.stdout.write(`Troupe listens on http://127.0.0.1:${server.port}\n`);
  process.once('SIGTERM', async () => {
    await server.stop();
    process.exit(0);
  });
}

await main();
