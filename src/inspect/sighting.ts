/**
 * A step as an inspector is told of it: plain texts, without anything personal, made by the node that ran it and shown by
 * the nodes that somebody watches at. The frames are the wire events of @statelyai/inspect 0.7: an actor's address is its
 * session, and what they do not know is in `_troupe`.
 */

import type { AnyMachineSnapshot } from 'xstate';
import type { Address } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import type { WitnessedStep } from '../witness.ts';
import type { FrameNote } from './answers.ts';
import { definitionText } from './machine-definition.ts';
import { redactionOf } from './personal.ts';

export interface Sighting {
  /** Unique. */
  readonly id: string;
  readonly actor: Address;
  readonly operation: string | undefined;
  readonly from: string | undefined;
  /** Wall-clock ms since 1970. */
  readonly at: number;
  /** Whether the journal has it: then there is a new state to be shown. */
  readonly isAccepted: boolean;
  /** The event, the state after it, and what else is known: JSON. */
  readonly event: string;
  readonly state: string;
  readonly note: string;
}

/** A step that watchers are offered; its texts are made when the first one takes it. */
export interface Seen {
  readonly actor: Address;
  readonly operation: string | undefined;
  sighting(): Sighting;
}

/** The version of @statelyai/inspect whose events these are. */
const wireVersion = '0.7.2';
/** A longer state, or event, is shown without what is in it. */
const charactersMax = 256 * 1024;

/** A state as the wire has it, without what is personal. */
export function stateText(hosted: HostedMachine, state: AnyMachineSnapshot): string {
  const { status, value, context, output } = state;
  try {
    const text = JSON.stringify(redactionOf(hosted.definition)({ status, value, context, output }));
    if (text.length <= charactersMax) return text;
    return JSON.stringify({ status, value, context: { tooLarge: `${text.length} characters` } });
  } catch {
    // A context that is no plain data: nothing of it can be shown.
    return JSON.stringify({ status, value, context: { unreadable: true } });
  }
}

function eventText({ hosted, event }: WitnessedStep): string {
  try {
    const text = JSON.stringify(redactionOf(hosted.definition)(event));
    if (text.length <= charactersMax) return text;
  } catch {
    // Its type still says what it was.
  }
  return JSON.stringify({ type: event.type });
}

function noteOf({ end, code, state, version, shard, operation, emitted }: WitnessedStep, node: string): FrameNote {
  const where = { version, shard, node, ...(operation === undefined ? {} : { operation }) };
  if (end === 'accepted') return { ...where, emitted };
  const { value } = state;
  if (end === 'answered') return { ...where, answered: true, state: value, emitted };
  return { ...where, refused: true, state: value, ...(code === undefined ? {} : { code }) };
}

export function sightingOf(step: WitnessedStep, node: string, id: string): Sighting {
  const { actor, operation, from, at, end, hosted, state } = step;
  const texts = {
    event: eventText(step),
    state: stateText(hosted, state),
    note: JSON.stringify(noteOf(step, node)),
  };
  return { id, actor, operation, from, at, isAccepted: end === 'accepted', ...texts };
}

function envelopeOf(type: string, actor: string, id: string, at: number): string {
  const session = JSON.stringify(actor);
  const rest = `"id":${JSON.stringify(id)},"createdAt":"${at}","_version":"${wireVersion}"`;
  return `{"type":"${type}","sessionId":${session},"rootId":${session},${rest}`;
}

export function eventFrame({ actor, id, at, from, event, note }: Sighting): string {
  const source = from === undefined ? '' : `"sourceId":${JSON.stringify(from)},`;
  return `${envelopeOf('@xstate.event', actor, id, at)},${source}"event":${event},"_troupe":${note}}`;
}

export function snapshotFrame({ actor, id, at, event, state, note }: Sighting): string {
  return `${envelopeOf('@xstate.snapshot', actor, `${id}.s`, at)},"event":${event},"snapshot":${state},"_troupe":${note}}`;
}

/** An actor that is shown from here on. `state`: the text of its state. */
export function actorFrame(actor: Address, hosted: HostedMachine | undefined, state: string, at: number): string {
  const definition = hosted === undefined ? '' : `,"definition":${JSON.stringify(definitionText(hosted))}`;
  return `${envelopeOf('@xstate.actor', actor, `${actor}.a`, at)},"name":${JSON.stringify(actor)}${definition},"snapshot":${state}}`;
}

/** That something was not shown, as an event of a session that is no actor. */
export function skippedFrame(skipped: Readonly<Record<string, number>>, id: string, at: number): string {
  const event = JSON.stringify({ type: 'troupe.skipped', ...skipped });
  return `${envelopeOf('@xstate.event', 'troupe', id, at)},"event":${event}}`;
}
