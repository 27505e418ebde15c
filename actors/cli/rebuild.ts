/** `troupe rebuild`: writes views, and on request snapshots, anew from the journal. */

import { Command } from 'commander';
import {
  type AcquireOutcome,
  type Journal,
  type Owner,
  type Projection,
  rebuildShard,
  register,
  sleep,
  systemClock,
  systemIds,
} from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { definitions, projections } from './application.ts';
import { examples, flagsOf, withSettings } from './options.ts';
import { openForWriting } from './store.ts';
import { count, Failure, type Terminal, UsageError } from './terminal.ts';

interface RebuildOptions {
  readonly snapshots?: boolean;
}

const leaseMs = 30_000;
const retryMs = 200;
/** A lease that ends later than it did is renewed; less is how exactly it was measured. */
const renewedMs = 250;

/** The projections that write the named views; all of them when none is named. */
function projectionsOf(views: readonly string[]): readonly Projection[] {
  const known = projections.flatMap((projection) => projection.views);
  const unknown = views.find((view) => !known.includes(view));
  if (unknown !== undefined) {
    throw new UsageError(`There is no view "${unknown}"; there are ${known.join(', ')}.`);
  }
  return projections.filter(
    (projection) => views.length === 0 || projection.views.some((view) => views.includes(view)),
  );
}

type Acquired = Extract<AcquireOutcome, { kind: 'acquired' }>;

/** Waits for the lease of a server that has just died. A living one is known by renewing its own. */
async function acquire(journal: Journal, shard: number, owner: Owner): Promise<Acquired> {
  let lastExpiry = Number.POSITIVE_INFINITY;
  for (;;) {
    const outcome = await journal.acquire(shard, owner, leaseMs);
    if (outcome.kind === 'acquired') return outcome;
    const expiry = systemClock.monotonic() + outcome.expiresInMs;
    if (expiry > lastExpiry + renewedMs) {
      throw new Failure(`Shard ${shard} is in use by node ${outcome.by}; stop the server before rebuilding.`);
    }
    lastExpiry = Math.min(lastExpiry, expiry);
    await sleep(systemClock, Math.min(retryMs, outcome.expiresInMs + 1));
  }
}

async function rebuildAll(
  journal: Journal,
  chosen: readonly Projection[],
  snapshots: boolean,
  terminal: Terminal,
): Promise<void> {
  const hosts = register(definitions);
  const owner: Owner = { node: `rebuild-${systemIds.nonce()}`, nonce: systemIds.nonce() };
  let rows = 0;
  let written = 0;
  let entries = 0;
  for (let shard = 0; shard < journal.shards; shard++) {
    const { lease, head } = await acquire(journal, shard, owner);
    const rebuilt = await rebuildShard({
      journal,
      lease,
      head,
      hosts,
      projections: chosen,
      snapshots,
      afterPage: async (page) => {
        entries += page;
        terminal.progress(`rebuilding: shard ${shard + 1} of ${journal.shards}, ${count(entries, 'entry', 'entries')}`);
        await journal.renew(lease, leaseMs);
      },
    });
    await journal.release(lease);
    rows += rebuilt.rows;
    written += rebuilt.snapshots;
    for (const problem of rebuilt.problems) terminal.err(`${problem}; its rows stand as of its last good event.`);
  }
  const parts = [
    chosen.length > 0 ? `${chosen.flatMap((projection) => projection.views).join(', ')} (${count(rows, 'row')})` : '',
    snapshots ? count(written, 'snapshot') : '',
  ];
  terminal.out(
    `Rebuilt ${parts.filter((part) => part !== '').join(' and ')} from ${count(entries, 'entry', 'entries')}.`,
  );
}

async function rebuild(views: readonly string[], options: RebuildOptions, terminal: Terminal): Promise<void> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  // "rebuild --snapshots" alone means the snapshots alone.
  const chosen = options.snapshots === true && views.length === 0 ? [] : projectionsOf(views);
  terminal.progress('waiting for the store, which a server may still have');
  const journal = await openForWriting(config);
  try {
    await rebuildAll(journal, chosen, options.snapshots === true, terminal);
  } finally {
    await journal.close();
  }
}

export function rebuildCommand(terminal: Terminal): Command {
  const command = new Command('rebuild')
    .description('write views anew from the journal; the server must be stopped')
    .argument('[view...]', 'views to rebuild, together with those of the same projection; all when none is named')
    .option('--snapshots', 'write a snapshot of every actor too; alone, the snapshots only')
    .action((views: string[], options: RebuildOptions) => rebuild(views, options, terminal));
  examples(command, ['troupe rebuild', 'troupe rebuild rooms', 'troupe rebuild --snapshots']);
  return withSettings(command, ['journal', 'shards', 'archive']);
}
