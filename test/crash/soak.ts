/** `npm run soak`: the crash test for as long as one likes. Exits with 1 when anything was lost, done twice or left open. */

import { parseArgs } from 'node:util';
import type { StoreKind } from '../e2e/stores.ts';
import { type Report, runStorm } from './storm.ts';

const usage = `npm run soak -- [--journal lmdb|redis|both] [--kills N] [--store-kills N] [--minutes N] [--clients N] [--seed N]
It stops after so many kills (default 200) or minutes (default: no limit), whatever comes first.
`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function isFine({ violations, deaf, verifications, exitCode, completed, errors, operations }: Report): boolean {
  const verified = verifications.every(({ code }) => code === 0);
  const ended = completed + errors === operations;
  return violations.length === 0 && deaf.length === 0 && verified && ended && exitCode === 0;
}

function tell(report: Report): void {
  say(report.summary);
  for (const sentence of [...report.violations, ...report.deaf]) say(`✗ ${sentence}`);
  for (const { code, output } of report.verifications) say(`troupe verify: exit code ${code}, ${output.trim()}`);
}

const { values } = parseArgs({
  options: {
    journal: { type: 'string', default: 'both' },
    kills: { type: 'string', default: '200' },
    'store-kills': { type: 'string', default: '40' },
    minutes: { type: 'string' },
    clients: { type: 'string', default: '8' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    help: { type: 'boolean', default: false },
  },
});
const journals: readonly StoreKind[] = ['lmdb', 'redis'];
const chosen = journals.filter((kind) => values.journal === 'both' || values.journal === kind);
if (values.help || chosen.length === 0) {
  process.stdout.write(usage);
  process.exit(values.help ? 0 : 2);
}
for (const kind of chosen) {
  const seed = Number(values.seed);
  say(`${kind}: SEED=${seed}`);
  const report = await runStorm({
    kind,
    seed,
    kills: Number(values.kills),
    storeKills: kind === 'redis' ? Number(values['store-kills']) : 0,
    clients: Number(values.clients),
    ...(values.minutes === undefined ? {} : { seconds: Number(values.minutes) * 60 }),
    say,
  });
  tell(report);
  if (!isFine(report)) process.exitCode = 1;
}
