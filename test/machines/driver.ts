/** Folds events through a machine's pure transition and gives what it emitted: no runtime, no clock, nothing live. */

import {
  type AnyStateMachine,
  type EmittedFrom,
  type EventFromLogic,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';

interface Executable {
  readonly type: string;
  readonly params: unknown;
}

export interface Timer {
  readonly id: string;
  readonly delayMs: number;
}

export class Driven<TMachine extends AnyStateMachine> {
  readonly machine: TMachine;
  snapshot: SnapshotFrom<TMachine>;
  /** Armed and not cancelled. */
  timers: readonly Timer[] = [];

  constructor(machine: TMachine, id: string) {
    this.machine = machine;
    // `input` is typed per machine; all of the chat's machines take their id.
    const begin = initialTransition as (machine: TMachine, input: { id: string }) => [SnapshotFrom<TMachine>, unknown];
    this.snapshot = begin(machine, { id })[0];
  }

  send(...events: readonly EventFromLogic<TMachine>[]): EmittedFrom<TMachine>[] {
    const emitted: EmittedFrom<TMachine>[] = [];
    for (const event of events) {
      const [next, actions] = transition(this.machine, this.snapshot, event);
      this.snapshot = next;
      for (const action of actions as readonly Executable[]) {
        if (action.type === 'xstate.emit') emitted.push((action.params as { event: EmittedFrom<TMachine> }).event);
        else this.#timer(action);
      }
    }
    return emitted;
  }

  #timer({ type, params }: Executable): void {
    const { id, sendId, delay } = params as { id?: string; sendId?: string; delay?: number };
    this.timers = this.timers.filter((timer) => timer.id !== (id ?? sendId));
    if (type === 'xstate.raise' && id !== undefined && delay !== undefined) {
      this.timers = [...this.timers, { id, delayMs: delay }];
    }
  }
}

/** Builds the saga events a machine of ours takes, with the payload its type asks for. */
export function saying<TEvent extends { readonly type: string; readonly payload: unknown }>() {
  return <TType extends TEvent['type']>(
    type: TType,
    operationId: string,
    responsibleUserId: string,
    payload: Extract<TEvent, { readonly type: TType }>['payload'],
  ): Extract<TEvent, { readonly type: TType }> =>
    ({ type, operationId, responsibleService: 'SAGA_SERVICE', responsibleUserId, payload }) as unknown as Extract<
      TEvent,
      { readonly type: TType }
    >;
}

/** Types of what was emitted. */
export function typesOf(emitted: readonly { readonly type: string }[]): string[] {
  return emitted.map(({ type }) => type);
}

/** `CODE` of each rejection among what was emitted, with its operation. */
export function rejections(emitted: readonly object[]): string[] {
  return emitted.flatMap((event) => {
    const { operationId, payload } = event as { operationId?: string; payload?: { error?: { code: string } } };
    return payload?.error === undefined ? [] : [`${operationId} ${payload.error.code}`];
  });
}
