/**
 * A network of machines on plain data: one first-in-first-out channel per pair of actors, and somebody else decides
 * which channel delivers next, which saga's time is up, and which answer arrives once more. No runtime takes part.
 */

import type { AnyStateMachine } from 'xstate';
import { messageMachine } from '../../machines/message.ts';
import { roomMachine } from '../../machines/room.ts';
import { sagaMachine } from '../../machines/saga.ts';
import { sagaDefinitions } from '../../machines/sagas/catalogue.ts';
import { userMachine } from '../../machines/user.ts';
import { sagaNames } from '../../machines/vocabulary.ts';
import { Driven } from './driver.ts';
import { type Operation, startOf } from './operations.ts';

const machines: Readonly<Record<string, AnyStateMachine>> = {
  user: userMachine,
  room: roomMachine,
  message: messageMachine,
  ...Object.fromEntries(sagaNames.map((name) => [name, sagaMachine(sagaDefinitions[name])])),
};

/** Any event of the chat, as it travels. */
export interface Said {
  readonly type: string;
  readonly operationId: string;
  readonly responsibleUserId?: string;
  readonly payload?: unknown;
  readonly told?: readonly { readonly key: string; readonly id: string; readonly payload: unknown }[];
  readonly error?: { readonly code: string };
}

interface Channel {
  readonly from: string;
  readonly to: string;
  readonly queue: Said[];
}

export interface Hosted {
  readonly address: string;
  readonly driven: Driven<AnyStateMachine>;
  /** Everything it was sent, in order. */
  readonly events: Said[];
}

/** Machines must not touch what they are given; a frozen event throws if one does. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

export class Network {
  readonly actors = new Map<string, Hosted>();
  readonly operations = new Map<string, Operation>();
  /** How each saga ended: `COMPLETED` or a code; more than one entry would be two ends. */
  readonly outcomes = new Map<string, string[]>();
  /** Operations in the order their sagas completed. */
  readonly completed: Operation[] = [];
  /** Per business actor, operations in the order it was told that they completed. */
  readonly settled = new Map<string, Operation[]>();
  /** Answers delivered to sagas, to be delivered once more. */
  readonly #answers: { readonly to: string; readonly said: Said }[] = [];
  readonly #channels = new Map<string, Channel>();

  start(operation: Operation): void {
    this.operations.set(operation.id, operation);
    this.#post('outside', `${operation.saga}/${operation.id}`, startOf(operation));
  }

  /** Delivers the first envelope of one of the channels that have any; false when all are empty. */
  deliver(choice: number): boolean {
    const channel = this.#busy(choice);
    const said = channel?.queue.shift();
    if (channel === undefined || said === undefined) return false;
    if (/_(APPROVED|REJECTED)$/.test(said.type) && said.type.startsWith(channel.to.split('/')[0] ?? '')) {
      this.#answers.push({ to: channel.to, said });
    }
    this.#run(channel.to, said);
    return true;
  }

  /** Takes a request from a channel and answers it with a rejection, as a participant that holds nothing would. */
  refuse(choice: number): boolean {
    const channel = this.#busy(choice, (said) => said.type.endsWith('_INITIATED'));
    const said = channel?.queue.shift();
    if (channel === undefined || said === undefined) return false;
    const key = channel.to.split('/')[0] ?? '';
    this.#post(channel.to, channel.from, {
      ...said,
      type: said.type.replace('_INITIATED', '_REJECTED'),
      responsibleService: `${key.toUpperCase()}_SERVICE`,
      payload: { error: { code: `REFUSED_BY_${key}`, params: {} } },
    } as Said);
    return true;
  }

  /** Time is up for one of the sagas that wait. */
  expire(choice: number): boolean {
    const waiting = [...this.actors.values()].filter(({ driven }) => driven.timers.length > 0);
    const one = waiting[choice % Math.max(1, waiting.length)];
    if (one === undefined) return false;
    one.driven.timers = [];
    this.#run(one.address, { type: 'OPERATION_TIMEOUT', operationId: '' });
    return true;
  }

  /** An answer arrives at its saga once more. */
  repeat(choice: number): boolean {
    const answer = this.#answers[choice % Math.max(1, this.#answers.length)];
    if (answer === undefined) return false;
    this.#run(answer.to, answer.said);
    return true;
  }

  /** Delivers everything in the order it was sent per channel; then time is up for whoever still waits. */
  drain(): void {
    do {
      while (this.deliver(0));
    } while (this.expire(0));
  }

  #busy(choice: number, wanted: (said: Said) => boolean = () => true): Channel | undefined {
    const busy = [...this.#channels.values()].filter(({ queue: [first] }) => first !== undefined && wanted(first));
    return busy[choice % Math.max(1, busy.length)];
  }

  #post(from: string, to: string, said: Said): void {
    const key = `${from} ${to}`;
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      channel = { from, to, queue: [] };
      this.#channels.set(key, channel);
    }
    channel.queue.push(frozen(structuredClone(said)));
  }

  #run(address: string, said: Said): void {
    let hosted = this.actors.get(address);
    const [type = '', id = ''] = address.split('/');
    if (hosted === undefined) {
      hosted = { address, driven: new Driven(machines[type] as AnyStateMachine, id), events: [] };
      this.actors.set(address, hosted);
    }
    hosted.events.push(said);
    const operation = this.operations.get(said.operationId);
    if (type in { user: 1, room: 1, message: 1 } && said.type.endsWith('_COMPLETED') && operation !== undefined) {
      this.settled.set(address, [...(this.settled.get(address) ?? []), operation]);
    }
    for (const emitted of hosted.driven.send(said) as Said[]) this.#route(address, emitted);
  }

  #route(address: string, emitted: Said): void {
    const { type, operationId } = emitted;
    const saga = sagaNames.find((name) => address === `${name}/${operationId}`);
    if (saga === undefined) {
      const asking = sagaNames.find((name) => type === `${name}_APPROVED` || type === `${name}_REJECTED`);
      if (asking !== undefined) this.#post(address, `${asking}/${operationId}`, emitted);
      return;
    }
    const { responsibleUserId = '' } = emitted;
    for (const { key, id, payload } of emitted.told ?? []) {
      this.#post(address, `${key}/${id}`, { type, operationId, responsibleUserId, payload });
    }
    const ended =
      type === `${saga}_COMPLETED` ? 'COMPLETED' : type === `${saga}_ERROR` ? emitted.error?.code : undefined;
    if (ended === undefined) return;
    this.outcomes.set(operationId, [...(this.outcomes.get(operationId) ?? []), ended]);
    const operation = this.operations.get(operationId);
    if (ended === 'COMPLETED' && operation !== undefined) this.completed.push(operation);
  }
}
