/**
 * What a machine must be to live as a persisted actor, checked once when a system is opened. A journal outlives the
 * process, so every id that reaches it must be stable: literal delays, implicit invoke ids and spawned ids are not, and
 * a side effect inside a transition would happen again at every replay. Each refusal says how to write it instead.
 */

import type { AnyStateMachine } from 'xstate';
import { TroupeError } from '../errors.ts';
import { isActorType } from './address.ts';
import type { ActorDefinition } from './definition.ts';
import { HostedMachine } from './logic.ts';

type StateNode = AnyStateMachine['root'];
type Action = StateNode['entry'][number];

const allowedBuiltins = new Set([
  'xstate.assign',
  'xstate.emit',
  'xstate.raise',
  'xstate.cancel',
  'xstate.log',
  'xstate.enqueueActions',
]);

function actionName(action: Action): string {
  if (typeof action === 'string') return action;
  if (typeof action === 'function') return (action as { type?: string }).type ?? (action.name || 'an inline function');
  return action.type;
}

function actionProblem(machine: AnyStateMachine, action: Action): string | undefined {
  const named = typeof action === 'function' ? undefined : actionName(action);
  const resolved = named === undefined ? action : (machine.implementations.actions as Record<string, unknown>)[named];
  if (resolved === undefined) return `the action "${named}" has no implementation; give it in setup({ actions })`;
  if (typeof resolved !== 'function' || !('resolve' in resolved)) {
    return `the action "${actionName(action)}" is a plain function, a side effect that would run again at replay; emit an event and let the definition's effects act`;
  }
  const builtin = (resolved as unknown as { type: string }).type;
  if (!allowedBuiltins.has(builtin)) {
    return `the action "${builtin}" starts or addresses another actor from inside the machine; emit an event and let the definition's effects tell that actor`;
  }
  const delay = (resolved as unknown as { delay?: unknown }).delay;
  if (builtin === 'xstate.raise' && typeof delay === 'string' && !(delay in machine.implementations.delays)) {
    return `the delay "${delay}" has no implementation, so that it would not wait at all; give it in setup({ delays })`;
  }
  return undefined;
}

function* nodeProblems(machine: AnyStateMachine, node: StateNode): Generator<string | undefined> {
  for (const delay of Object.keys(node.config.after ?? {})) {
    if (!Number.isNaN(Number(delay))) {
      yield `"after: { ${delay}: … }" puts the number into the journal's event type, so that changing it loses running timers; name the delay in setup({ delays: { timeout: ${delay} } })`;
    }
  }
  if (node.invoke.length > 0) {
    yield 'it invokes an actor, whose state the journal would not hold; emit an event, do the work in an effect or another actor, and tell the result';
  }
  const transitions = [...node.transitions.values()].flat().concat(node.always ?? []);
  const actions = [
    ...node.entry,
    ...node.exit,
    ...transitions.flatMap((transition) => transition.actions),
    ...(node.initial?.actions ?? []),
  ];
  for (const action of actions) yield actionProblem(machine, action);
  for (const transition of transitions) {
    const guard = transition.guard as string | { type?: string } | undefined;
    const name = typeof guard === 'string' ? guard : typeof guard === 'object' ? guard.type : undefined;
    if (name !== undefined && !(name in machine.implementations.guards)) {
      yield `the guard "${name}" has no implementation; give it in setup({ guards })`;
    }
  }
}

function* machineProblems(machine: AnyStateMachine): Generator<string> {
  const waiting: StateNode[] = [machine.root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const problem of nodeProblems(machine, node))
      if (problem !== undefined) yield `in state "${node.id}" ${problem}`;
    waiting.push(...(Object.values(node.states) as StateNode[]));
  }
}

/** Hosts the machine of each definition, by actor type. Throws `MACHINE_REFUSED` with every reason at once. */
export function register(definitions: readonly ActorDefinition[]): ReadonlyMap<string, HostedMachine> {
  const hosted = new Map<string, HostedMachine>();
  for (const definition of definitions) {
    const problems = [...new Set(machineProblems(definition.machine))];
    if (!isActorType(definition.type))
      problems.push('its type is not a letter followed by letters, digits, "_" or "-"');
    if (hosted.has(definition.type)) problems.push('another definition has the same type');
    if (problems.length > 0) {
      throw new TroupeError(
        'MACHINE_REFUSED',
        `The machine of "${definition.type}" cannot be persisted: ${problems.join('; ')}.`,
        {
          type: definition.type,
          problems,
        },
      );
    }
    hosted.set(definition.type, new HostedMachine(definition));
  }
  return hosted;
}
