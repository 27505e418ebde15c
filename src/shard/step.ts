/**
 * One step of one cell, worked out before anything is changed: the machine's next state, the effects its definition
 * makes of what it emitted, and what the journal and the views will hold of it. Everything that may throw for an
 * envelope throws here, so that a failed step leaves no trace.
 */

import { parseAddress } from '../actor/address.ts';
import type { EffectContext } from '../actor/definition.ts';
import type { Effect } from '../actor/effect.ts';
import type { AnyEvent, Envelope } from '../actor/envelope.ts';
import type { MachineStep } from '../actor/logic.ts';
import { TroupeError } from '../errors.ts';
import { encode } from '../journal/codec.ts';
import type { Limits } from '../limits.ts';
import type { Row } from '../projection/projection.ts';
import type { Projections } from '../projection/projections.ts';
import { topicShard } from '../topic/topic.ts';
import type { Cell } from './cell.ts';

export interface CellStep {
  readonly step: MachineStep;
  readonly effects: readonly Effect[];
  readonly isJournaled: boolean;
  /** What the projections write; empty when it is not journaled. */
  readonly rows: readonly Row[];
  /** The encoded event; empty when it is not journaled. */
  readonly payload: Uint8Array;
}

export interface StepHost {
  readonly shards: number;
  readonly limits: Limits;
  readonly projections: Projections;
}

const noEffects: readonly Effect[] = [];
const noRows: readonly Row[] = [];
const noPayload = new Uint8Array();

/**
 * What `envelope` does to `cell` at wall-clock time `at`; `encoded` is its event, if that is known. Throws what the machine or
 * an effect rule throws.
 */
export function stepOf(host: StepHost, cell: Cell, envelope: Envelope, at: number, encoded?: Uint8Array): CellStep {
  const step = transition(cell, envelope.event);
  const effects = step.emitted.length === 0 ? noEffects : effectsOf(host, cell, step, envelope);
  const changes = step.changed || step.timers.length > 0;
  // A step that only answers is a question, and an absent actor that changes nothing stays absent: whoever asks for
  // unknown ids must not fill the store.
  const isJournaled = changes || (cell.version > 0 && effects.some((effect) => effect.kind !== 'reply'));
  if (!isJournaled) return { step, effects, isJournaled, rows: noRows, payload: noPayload };
  const payload = encoded ?? encode(envelope.event);
  const { eventBytesMax, tailEventsMax } = host.limits;
  if (cell.isTooLarge && cell.tail.length >= tailEventsMax) {
    const message = `${cell.address} has outgrown the largest snapshot, and ${tailEventsMax} events since its last one; it takes no more.`;
    throw new TroupeError('LIMIT_EXCEEDED', message);
  }
  if (payload.length > eventBytesMax) {
    const message = `${envelope.event.type} has ${payload.length} bytes; an event may have ${eventBytesMax}.`;
    throw new TroupeError('LIMIT_EXCEEDED', message);
  }
  const rows = host.projections.rows({
    self: cell.address,
    id: cell.id,
    version: cell.version + 1,
    event: envelope.event,
    emitted: step.emitted.map((event) => event.type),
    state: step.state,
    operation: envelope.operation,
    at,
  });
  return { step, effects, isJournaled, rows, payload };
}

/** The machine's step, with what entering its initial state caused if this is what brings the actor to life. */
function transition(cell: Cell, event: AnyEvent): MachineStep {
  const step = cell.hosted.step(cell.state, event);
  const birth = cell.version === 0 ? cell.birth : undefined;
  if (birth === undefined || (!step.changed && step.timers.length === 0)) return step;
  return { ...step, emitted: [...birth.emitted, ...step.emitted], timers: [...birth.timers, ...step.timers] };
}

function effectsOf(host: StepHost, cell: Cell, step: MachineStep, envelope: Envelope): Effect[] {
  const rules = cell.hosted.definition.effects;
  const context: EffectContext = {
    self: cell.address,
    id: cell.id,
    from: envelope.from,
    operation: envelope.operation,
  };
  const effects: Effect[] = [];
  for (const emitted of step.emitted) {
    const caused = rules[emitted.type]?.(emitted as never, context);
    if (caused === undefined) continue;
    for (const effect of Array.isArray(caused) ? (caused as readonly Effect[]) : [caused as Effect]) {
      check(effect, host.shards);
      effects.push(effect);
    }
  }
  return effects;
}

/** Throws for an effect that could not be carried out. */
function check(effect: Effect, shards: number): void {
  if (effect.kind === 'tell') parseAddress(effect.to);
  if (effect.kind === 'publish') topicShard(effect.topic, shards);
}
