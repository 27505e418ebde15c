/**
 * The sequence diagram of an operation, as numbers: one lane an actor in the order they came in, one arrow a journaled
 * step, with the time since the first. The drawing grows with the number of steps up to a limit, which it names.
 */

import type { OperationStep } from '../../src/inspect/answers.ts';
import { codeOf } from './event-code.ts';

export const arrowsMax = 200;

export interface Lane {
  /** An actor's address; `client` for whoever sent the command. */
  readonly address: string;
  readonly type: string;
  /** The beginning of the id. */
  readonly shortId: string;
  readonly shard?: number | undefined;
  readonly x: number;
}

export interface Arrow {
  readonly address: string;
  readonly version: number;
  readonly label: string;
  /** Why it says no. */
  readonly code?: string | undefined;
  readonly fromX: number;
  readonly toX: number;
  readonly y: number;
  /** It comes from the actor itself: a timer, or an event it raised. */
  readonly isOwn: boolean;
  /** Milliseconds since the operation's first step. */
  readonly sinceMs: number;
  /** Milliseconds since the step above. */
  readonly gapMs: number;
  readonly tone: 'plain' | 'good' | 'bad';
}

export interface SequenceOptions {
  readonly laneWidth?: number | undefined;
  /** Left out of labels: the operation's name, where there is no room for it. */
  readonly prefix?: string | undefined;
  readonly limit?: number | undefined;
}

export interface Sequence {
  readonly laneWidth: number;
  readonly lanes: readonly Lane[];
  readonly arrows: readonly Arrow[];
  readonly width: number;
  readonly height: number;
  readonly tookMs: number;
  /** Steps that are not drawn. */
  readonly left: number;
}

export const measures = { laneWidth: 210, margin: 70, head: 70, row: 44, foot: 26 } as const;
const client = 'client';

/** Whether an event says no, or that all is done, as events of sagas are called. */
export function toneOf(type: string): Arrow['tone'] {
  if (/_(REJECTED|ERROR|TIMEOUT)$/.test(type)) return 'bad';
  return /_COMPLETED$/.test(type) ? 'good' : 'plain';
}

/** A step without a sender is the command itself when it is the first, and a timer later. */
function senderOf(step: OperationStep, index: number): string {
  return step.from ?? (index === 0 ? client : step.address);
}

function lanesOf(steps: readonly OperationStep[], laneWidth: number): readonly Lane[] {
  const shards = new Map<string, number>(steps.map(({ address, shard }) => [address, shard]));
  const addresses = new Set(steps.flatMap((step, i) => [senderOf(step, i), step.address]));
  return [...addresses].map((address, i) => {
    const [type = address, id = ''] = address.split('/');
    const x = measures.margin + laneWidth * (i + 0.5);
    return { address, type, shortId: id.slice(0, 8), shard: shards.get(address), x };
  });
}

export function sequenceOf(
  all: readonly OperationStep[],
  { laneWidth = measures.laneWidth, prefix = '', limit = arrowsMax }: SequenceOptions = {},
): Sequence {
  const steps = all.slice(0, limit);
  const lanes = lanesOf(steps, laneWidth);
  const xOf = new Map(lanes.map(({ address, x }) => [address, x]));
  const first = steps[0]?.at ?? 0;
  const arrows = steps.map((step, i): Arrow => {
    const from = senderOf(step, i);
    return {
      address: step.address,
      version: step.version,
      label: step.event.type.startsWith(prefix) ? step.event.type.slice(prefix.length) : step.event.type,
      code: toneOf(step.event.type) === 'bad' ? codeOf(step.event) : undefined,
      fromX: xOf.get(from) ?? 0,
      toX: xOf.get(step.address) ?? 0,
      y: measures.head + measures.row * (i + 0.75),
      isOwn: from === step.address,
      // Shards may run on nodes whose clocks differ a little.
      sinceMs: Math.max(0, step.at - first),
      gapMs: Math.max(0, step.at - (steps[i - 1]?.at ?? first)),
      tone: toneOf(step.event.type),
    };
  });
  return {
    laneWidth,
    lanes,
    arrows,
    width: measures.margin + laneWidth * lanes.length + 12,
    height: measures.head + measures.row * arrows.length + measures.foot,
    tookMs: Math.max(0, ...arrows.map(({ sinceMs }) => sinceMs)),
    left: all.length - steps.length,
  };
}

/** A label that fits between two lanes: the operation's own name is in the title already. */
export function shortLabel(label: string, max = 26): string {
  return label.length <= max ? label : `${label.slice(0, max - 1)}…`;
}
