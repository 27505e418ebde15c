/** `troupe verify`: compares everything derived in a store with the fold of its journal. */

import { Command } from 'commander';
import { type Findings, verifyJournal } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { definitions, projections } from './application.ts';
import { examples, flagsOf, withJson, withSettings } from './options.ts';
import { reading } from './store.ts';
import { count, Failure, type Terminal } from './terminal.ts';

interface VerifyOptions {
  readonly json?: boolean;
}

function summary(findings: Findings): string {
  return [
    count(findings.shards, 'shard'),
    count(findings.entries, 'entry', 'entries'),
    count(findings.actors, 'actor'),
    count(findings.snapshots, 'snapshot'),
    count(findings.rows, 'row'),
    count(findings.timers, 'timer'),
    count(findings.topics, 'topic'),
    count(findings.deadLetters, 'dead letter'),
    ...(findings.segments > 0 ? [count(findings.segments, 'segment')] : []),
  ].join(', ');
}

function toJson({ publications: _, notes, ...counted }: Findings): string {
  return JSON.stringify({ ok: counted.differenceCount === 0, ...counted, notes: Object.fromEntries(notes) });
}

async function verify(options: VerifyOptions, terminal: Terminal): Promise<void> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  const findings = await reading(config, (journal) =>
    verifyJournal({
      journal,
      definitions,
      projections,
      onProgress: ({ shards, entries }) =>
        terminal.progress(`verifying: ${shards} of ${journal.shards} shards, ${count(entries, 'entry', 'entries')}`),
    }),
  );
  const { differences, differenceCount } = findings;
  if (options.json === true) terminal.out(toJson(findings));
  else {
    for (const { shard, subject, reason } of differences) terminal.out(`shard ${shard}: ${subject} ${reason}`);
    for (const { shard, from, to, seq, at } of findings.losses) {
      const when = new Date(at).toISOString();
      terminal.out(`shard ${shard}: lost its answered commits ${from} to ${to}, after entry ${seq} (found at ${when})`);
    }
    for (const [sentence, times] of findings.notes) terminal.out(`note: ${sentence} (${times})`);
    const verdict = differenceCount === 0 ? 'everything agrees with the journal' : count(differenceCount, 'difference');
    const ranges = count(findings.losses.length, 'range');
    const losses = findings.losses.length === 0 ? '' : `; ${ranges} of answered commits lost`;
    terminal.out(`${summary(findings)}: ${verdict}${losses}.`);
  }
  if (differenceCount === 0) return;
  throw new Failure(`The store differs from its journal in ${count(differenceCount, 'place')}.`);
}

export function verifyCommand(terminal: Terminal): Command {
  const command = new Command('verify')
    .description(
      'check that snapshots, views, indices, timers, outboxes, topics and the archive agree with the journal',
    )
    .action((options: VerifyOptions) => verify(options, terminal));
  examples(command, [
    'troupe verify',
    'troupe verify --journal redis://127.0.0.1:6379',
    'troupe verify --json | jq .ok',
  ]);
  return withJson(withSettings(command, ['journal', 'shards', 'archive']));
}
