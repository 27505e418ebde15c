/**
 * `npm run bench -- inspect`: what inspection costs a turn while nobody watches, and while somebody does. Systems on
 * memory journals take turns under the same load in one process, many times for a moment each. Neighbours on the machine make
 * CPU time longer and never shorter, so the quickest tenth is what is compared. `--against` compares with the runtime of another
 * checkout, such as one from before there was inspection, and with nothing else: code that is used in one way only is quicker.
 */

import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import type { Terminal } from '../actors/cli/terminal.ts';
import { type ActorSystem, addressOf, Inspection, openSystem, silentWitness, type Witness } from '../src/index.ts';
import { openMemoryJournal } from '../src/journal/memory.ts';
import { counter, idOf } from './counter.ts';
import { forEach, measure, ownCpu, quantile, warmUp } from './load.ts';
import { rate, table } from './report.ts';
import { wholeNumber } from './scale-command.ts';

interface Subject {
  readonly name: string;
  readonly system: ActorSystem;
}

interface Options {
  readonly rounds: number;
  readonly ms: number;
  readonly counters: number;
  readonly inFlight: number;
  readonly against?: string;
}

/** What of this tree another checkout has as well. */
interface Runtime {
  readonly openSystem: typeof openSystem;
  readonly openMemoryJournal: typeof openMemoryJournal;
}

const quickest = 0.1;
const looks = 20_000_000;
const nobody = { actors: [], types: [], operations: [] };

async function subjectOf(name: string, witness?: Witness, runtime: Runtime = { openSystem, openMemoryJournal }) {
  const journal = runtime.openMemoryJournal({ shards: 64 });
  const system = await runtime.openSystem({
    journal,
    actors: [counter],
    ...(witness === undefined ? {} : { witness }),
  });
  return { name, system };
}

async function runtimeIn(folder: string): Promise<Runtime> {
  const from = (path: string) => import(pathToFileURL(join(resolve(folder), path)).href);
  const [index, memory] = await Promise.all([from('src/index.ts'), from('src/journal/memory.ts')]);
  return { ...index, ...memory } as Runtime;
}

async function subjectsOf({ against }: Options): Promise<readonly Subject[]> {
  const [unwatched, elsewhere, everything] = [new Inspection(), new Inspection(), new Inspection()];
  if (against !== undefined) {
    const other = await subjectOf('another checkout', undefined, await runtimeIn(against));
    return [other, await subjectOf('nobody watches', unwatched)];
  }
  const subjects = [
    await subjectOf('without inspection'),
    await subjectOf('nobody watches', unwatched),
    await subjectOf('somebody watches another actor', elsewhere),
    await subjectOf('somebody watches everything', everything),
  ];
  const peer = { unread: 0, send: () => undefined };
  elsewhere.watch({ ...nobody, actors: [addressOf('counter', idOf('nobody'))] }, peer);
  everything.watch(nobody, peer);
  return subjects;
}

/** CPU time per command of each subject, round after round; who goes first changes, since the first one is at a disadvantage. */
async function run(subjects: readonly Subject[], options: Options, doing: (line: string) => void) {
  const { rounds, ms, counters, inFlight } = options;
  const operations = subjects.map(({ system }) => {
    const refs = Array.from({ length: counters }, (_, i) => system.actor(counter, idOf(`counter-${i}`)));
    return async (i: number): Promise<unknown> => refs[i % refs.length]?.ask({ type: 'ADD', by: 1 });
  });
  for (const operation of operations) {
    await forEach(counters, 64, operation);
    await warmUp(1, operation);
  }
  const micros = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    doing(`round ${round + 1} of ${rounds}`);
    for (let n = 0; n < subjects.length; n++) {
      const at = (n + round) % subjects.length;
      const load = { inFlight, seconds: ms / 1000, cpu: { all: ownCpu } };
      const { cpuMicros } = await measure({ ...load, operation: operations[at]! });
      micros[at]!.push(cpuMicros.all ?? 0);
    }
  }
  return micros;
}

/** Nanoseconds of what a turn does per envelope while nobody watches; witnesses of two kinds, as in a process with both. */
function lookNanos(): number {
  const hosts: readonly { readonly witness: Witness }[] = [silentWitness, new Inspection()].map((witness) => ({
    witness,
  }));
  let watched = 0;
  const look = (): number => {
    const startedAt = performance.now();
    for (let i = 0; i < looks; i++) if (hosts[i & 1]!.witness.isWatched) watched++;
    return ((performance.now() - startedAt) * 1e6) / looks;
  };
  const quick = Math.min(...Array.from({ length: 10 }, look));
  return watched === 0 ? quick : Number.NaN;
}

function partOf(values: readonly number[], part: number): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    part,
  );
}

async function bench(options: Options, terminal: Terminal): Promise<void> {
  const subjects = await subjectsOf(options);
  try {
    const micros = await run(subjects, options, terminal.progress);
    const beside = partOf(micros[0]!, quickest);
    const rows = subjects.map(({ name }, at) => {
      const quick = partOf(micros[at]!, quickest);
      const more = `${((quick / beside - 1) * 100).toFixed(1)} %`;
      return [name, rate(1e6 / quick), quick.toFixed(2), more, partOf(micros[at]!, 0.5).toFixed(2)];
    });
    terminal.out(table(['', 'commands per second of CPU', 'µs each', 'beside the first', 'µs, median'], rows));
    const nanos = lookNanos();
    const part = ((nanos / 1000 / beside) * 100).toPrecision(2);
    terminal.out(`\nThe look at whether anybody watches: ${nanos.toFixed(2)} ns per envelope, ${part} % of a command.`);
  } finally {
    for (const { system } of subjects) await system.stop();
  }
}

export function inspectCommand(terminal: Terminal): Command {
  return new Command('inspect')
    .description('what inspection costs a turn, watched and not')
    .option('--rounds <n>', 'measurements of each', wholeNumber, 200)
    .option('--ms <n>', 'length of each', wholeNumber, 50)
    .option('--counters <n>', 'actors', wholeNumber, 1_000)
    .option('--in-flight <n>', 'commands at once', wholeNumber, 256)
    .option('--against <folder>', 'another checkout, measured beside this one')
    .action((options: Options) => bench(options, terminal));
}
