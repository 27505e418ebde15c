/**
 * `npm run bench -- capacity`: the table of deploy/CAPACITY.md from its inputs, each of which is an option; and
 * `npm run bench -- sockets`, which measures those that no other workload does.
 */

import { Command, InvalidArgumentError } from 'commander';
import type { Terminal } from '../actors/cli/terminal.ts';
import { type CapacityInputs, capacityOf, type Need } from './capacity.ts';
import { measureIdleSockets } from './idle-sockets.ts';
import { rate, table } from './report.ts';
import { wholeNumber } from './scale-command.ts';

interface Input {
  readonly flag: string;
  readonly about: string;
  readonly value: number;
}

/** Measured ones say with what; the others are assumptions. */
const inputs: Readonly<Record<keyof CapacityInputs, Input>> = {
  users: { flag: '--users', about: 'connected at the same time', value: 1e6 },
  messages: { flag: '--messages', about: 'messages kept', value: 1e9 },
  perUserDay: { flag: '--per-user-day', about: 'messages that a user sends in a day', value: 40 },
  peak: { flag: '--peak', about: 'the busiest second beside the mean of the day', value: 5 },
  nodeMicros: { flag: '--node-micros', about: 'CPU of all nodes per message (bench -- scale, 8 nodes)', value: 990 },
  redisMicros: { flag: '--redis-micros', about: 'CPU of Redis per message (bench -- scale, 8 nodes)', value: 250 },
  socketBytes: { flag: '--socket-bytes', about: 'memory of a node per silent user (bench -- sockets)', value: 36_800 },
  subscriptionBytes: { flag: '--subscription-bytes', about: 'memory of Redis for the same', value: 530 },
  idleMs: { flag: '--idle-ms', about: 'ms of CPU per second for 1,000 silent users (bench -- sockets)', value: 0.8 },
  messageBytes: { flag: '--message-bytes', about: 'of Redis, settled (bench -- bytes)', value: 1_470 },
  freshBytes: { flag: '--fresh-bytes', about: 'of Redis, as written (bench -- bytes)', value: 3_790 },
  freshDays: { flag: '--fresh-days', about: 'days until a message has settled (RETENTION_HOURS ÷ 24)', value: 1 },
  archiveBytes: { flag: '--archive-bytes', about: 'of the archive per message (bench -- bytes)', value: 211 },
  nodeGiB: { flag: '--node-gib', about: 'memory of a node for sockets', value: 4 },
  primaryGiB: { flag: '--primary-gib', about: 'data in a primary, of twice as much memory', value: 48 },
  socketsPerNode: { flag: '--sockets-per-node', about: 'the limit of the gateway (socketsMax)', value: 100_000 },
  load: { flag: '--load', about: 'of the one core of a node or a primary, at the peak', value: 0.5 },
};
const names = Object.keys(inputs) as readonly (keyof CapacityInputs)[];

function number(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1e15) || text === '') throw new InvalidArgumentError('It must be a number, 0 or more.');
  return value;
}

/** Three digits say enough. */
function shown(value: number): string {
  if (value >= 100) return rate(value);
  return Number(value.toPrecision(3)).toString();
}

function needs(needed: readonly Need[]): string {
  const most = Math.max(...needed.map(({ count }) => count));
  return table(
    ['by', 'count', ''],
    needed.map(({ what, count }) => [what, rate(Math.ceil(count)), count === most ? 'decides' : '']),
  );
}

/** Inputs, lines and needs as a page shows them. */
export function capacityText(given: CapacityInputs): string {
  const { lines, nodes, primaries } = capacityOf(given);
  return [
    table(
      ['input', 'value', 'what'],
      names.map((name) => [name, shown(given[name]), inputs[name].about]),
    ),
    table(
      ['needed', 'amount', 'formula'],
      lines.map(({ what, formula, value, unit }) => [what, `${shown(value)} ${unit}`, formula]),
    ),
    `Nodes\n\n${needs(nodes)}`,
    `Primaries of Redis (each with a replica: twice as many servers)\n\n${needs(primaries)}`,
  ].join('\n\n');
}

export function capacityCommand(terminal: Terminal): Command {
  const command = new Command('capacity')
    .description('what so many users and messages need, by the formulas of deploy/CAPACITY.md')
    .action((options: CapacityInputs) => terminal.out(capacityText(options)));
  for (const name of names) {
    const { flag, about, value } = inputs[name];
    // Options keep the case that commander makes of their flag.
    const option = command.createOption(`${flag} <n>`, about).argParser(number).default(value);
    option.attributeName = () => name;
    command.addOption(option);
  }
  return command;
}

export function socketsCommand(terminal: Terminal): Command {
  return new Command('sockets')
    .description('memory and CPU of users who are online and silent, at a node that only serves clients')
    .option('--sockets <n>', 'users, each with a socket and two rooms', wholeNumber, 5_000)
    .option('--node-flags <flags>', 'flags of the nodes; those of npm start', '--max-semi-space-size=64')
    .action(async (options: { readonly sockets: number; readonly nodeFlags: string }) => {
      const nodeFlags = options.nodeFlags.split(' ').filter((flag) => flag !== '');
      const measured = await measureIdleSockets(options.sockets, { nodeFlags }, terminal.progress);
      const { sockets, bytesPerSocket, redisBytesPerSocket, gatewayMs, redisMs } = measured;
      terminal.out(
        table(
          ['silent users', 'bytes of a node each', 'bytes of Redis each', 'ms of CPU per second: node', 'Redis'],
          [[rate(sockets), rate(bytesPerSocket), rate(redisBytesPerSocket), gatewayMs.toFixed(1), redisMs.toFixed(1)]],
        ),
      );
    });
}
