/** `npm run bench -- scale`: what a saga costs at 1, 2, 4 and 8 node processes, on one Redis and on a Redis Cluster. */

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Terminal } from '../actors/cli/terminal.ts';
import { loadAverage, type MachineFacts, machineFacts, paceMs } from './machine.ts';
import { ms } from './report.ts';
import { measureScale, type RedisKind, redisKinds, type ScaleMeasured, type ScaleTask } from './scale.ts';
import { scaleTables } from './scale-report.ts';

interface Options extends Omit<ScaleTask, 'redis' | 'inFlight'> {
  readonly redis: readonly RedisKind[];
  readonly inFlight: number;
  readonly inFlightEach: number;
  readonly nodeFlags: string;
  readonly cpuProf?: string;
  readonly json?: boolean;
}

/** Until the piece of work that tells the pace is compiled. */
const paceWarmUps = 8;

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1e9) throw new InvalidArgumentError('It must be 1 or more.');
  return value;
}

function numbers(text: string): readonly number[] {
  return text.split(',').map(wholeNumber);
}

function kinds(text: string): readonly RedisKind[] {
  if (text === 'both') return redisKinds;
  const found = redisKinds.find((kind) => kind === text);
  if (found === undefined) throw new InvalidArgumentError('It must be one, cluster or both.');
  return [found];
}

function machineLines({ cores, cpu, memoryGiB, kernel, node, nodeFlags, redis, ...facts }: MachineFacts): string {
  const { loadBefore, loadAfter, pace } = facts;
  return [
    `Machine: ${cores} cores of ${cpu}, ${memoryGiB} GiB; ${kernel}; Node ${node} with ${nodeFlags}; ${redis}, appendfsync everysec.`,
    `Load average before ${loadBefore}, after ${loadAfter}. A fixed piece of work took ${ms(pace.median)} ms of CPU (best ${ms(pace.best)}, worst ${ms(pace.worst)}).`,
  ].join('\n');
}

async function run({ redis, inFlight, inFlightEach, ...options }: Options, terminal: Terminal): Promise<void> {
  const nodeFlags = options.nodeFlags.split(' ').filter((flag) => flag !== '');
  const profile = options.cpuProf === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.cpuProf)}`];
  const loadBefore = loadAverage();
  for (let i = 0; i < paceWarmUps; i++) paceMs();
  const paces = [paceMs()];
  const measured: ScaleMeasured[] = [];
  let said = '';
  for (const kind of redis) {
    const task: ScaleTask = {
      ...options,
      redis: kind,
      inFlight: { total: inFlight, each: inFlightEach },
      minutes: options.minutes / redis.length,
    };
    const say = (doing: string): void => {
      terminal.progress(`${kind}: ${doing}`);
      if (!process.stderr.isTTY && doing !== said) terminal.err(`${kind}: ${doing}`);
      said = doing;
    };
    measured.push(await measureScale(task, { nodeFlags: [...nodeFlags, ...profile] }, say));
    paces.push(paceMs());
  }
  const machine = await machineFacts({ folder: tmpdir(), loadBefore, nodeFlags, paces });
  const [rows, idle] = [measured.flatMap((one) => one.rows), measured.flatMap((one) => one.idle)];
  terminal.out(
    options.json === true
      ? JSON.stringify({ machine, rows, idle })
      : `${scaleTables(rows, idle, machine.cores)}\n\n${machineLines(machine)}\n`,
  );
}

export function scaleCommand(terminal: Terminal): Command {
  return new Command('scale')
    .description('CPU per saga of 1, 2, 4 and 8 node processes on one Redis, and on a Redis Cluster')
    .option(
      '--nodes <counts>',
      'node processes; the first number is what the others are compared with',
      numbers,
      [1, 2, 4, 8],
    )
    .option('--redis <kind>', 'one, cluster or both', kinds, redisKinds)
    .option('--in-flight <n>', 'sagas at once, however many nodes there are', wholeNumber, 32)
    .option('--in-flight-each <n>', 'and the same per node', wholeNumber, 128)
    .option('--sagas <n>', 'sagas of one measurement', wholeNumber, 2_000)
    .option(
      '--warm-sagas <n>',
      'sagas that every node sees before: V8 goes on compiling for thousands',
      wholeNumber,
      10_000,
    )
    .option('--rounds <n>', 'every round measures a size and the first one once', wholeNumber, 12)
    .option('--users <n>', 'users, each with a socket and a room', wholeNumber, 200)
    .option('--minutes <n>', 'no round begins that would end after this', wholeNumber, 25)
    .option('--log-level <level>', 'of the nodes', 'info')
    .option('--node-flags <flags>', 'flags of the nodes; those of npm start', '--max-semi-space-size=64')
    .option('--cpu-prof <folder>', 'write CPU profiles of the nodes there')
    .option('--json', 'print JSON')
    .action((options: Options) => run(options, terminal));
}
