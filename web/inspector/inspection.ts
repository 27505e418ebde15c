/**
 * What /inspect/ws says, in one store: whether it is connected, the log of events, and the newest state of the actors
 * that moved. Everything in it is bounded; it is fed in batches, so that a busy system costs a few renderings a second.
 */

import { createStore } from '@xstate/store';
import type { AnyEvent, FrameNote, StateValue } from '../../src/inspect/answers.ts';
import { cleared, type EventLog, emptyLog, type LogLine, paused, resumed, withLines } from './event-log.ts';

/** `lost` is tried again; `refused` is not. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused';

export interface LiveState {
  readonly value: StateValue;
  readonly status: string;
  readonly version?: number | undefined;
}

export interface Inspection {
  readonly connection: Connection;
  readonly log: EventLog;
  /** The actors that moved last, the newest last. */
  readonly live: ReadonlyMap<string, LiveState>;
  /** Frames that came faster than they could be shown. */
  readonly skipped: number;
}

export const liveMax = 300;

/** A wire event of @statelyai/inspect; `_troupe` is what the runtime knows beyond its vocabulary. */
export interface Frame {
  readonly type: string;
  readonly sessionId: string;
  readonly createdAt?: string | undefined;
  readonly sourceId?: string | undefined;
  readonly event?: (AnyEvent & Readonly<Record<string, unknown>>) | undefined;
  readonly snapshot?: { readonly value?: StateValue; readonly status?: string } | undefined;
  readonly _troupe?: Partial<FrameNote> | undefined;
}

/** The session that says what the runtime did not show. */
const skippedSession = 'troupe';

function skippedIn({ sessionId, event = { type: '' } }: Frame): number {
  if (sessionId !== skippedSession) return 0;
  return Object.values(event).reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
}

/** A frame's text as a frame; undefined for what is none. */
export function frameOf(text: string): Frame | undefined {
  try {
    const frame = JSON.parse(text) as unknown;
    const isFrame = typeof frame === 'object' && frame !== null && 'sessionId' in frame && 'type' in frame;
    return isFrame ? (frame as Frame) : undefined;
  } catch {
    return undefined;
  }
}

type Line = Omit<LogLine, 'number'>;

function lineOf({ sessionId: address, createdAt, sourceId: from, event, _troupe: note }: Frame): Line {
  return {
    at: Number(createdAt ?? 0),
    address,
    event: event ?? { type: '?' },
    from,
    operation: note?.operation,
    version: note?.version,
    ...(note?.state === undefined ? {} : { value: note.state }),
    ...(note?.refused === true ? { isRefused: true } : {}),
  };
}

/** The lines of a batch. A snapshot follows its event and says what became of it. */
function linesOf(frames: readonly Frame[]): readonly Line[] {
  const lines: Line[] = [];
  const open = new Map<string, number>();
  for (const frame of frames) {
    if (frame.type === '@xstate.event') {
      if (frame.sessionId === skippedSession) continue;
      if (frame._troupe?.state === undefined) open.set(frame.sessionId, lines.length);
      lines.push(lineOf(frame));
    } else if (frame.type === '@xstate.snapshot') {
      const at = open.get(frame.sessionId);
      const line = at === undefined ? undefined : lines[at];
      if (at === undefined || line === undefined) continue;
      const version = frame._troupe?.version ?? line.version;
      lines[at] = { ...line, value: frame.snapshot?.value, version };
      open.delete(frame.sessionId);
    }
  }
  return lines;
}

function liveWith(live: Inspection['live'], frames: readonly Frame[]): Inspection['live'] {
  const next = new Map(live);
  for (const { type, sessionId, snapshot, _troupe } of frames) {
    if (type !== '@xstate.snapshot' || snapshot?.value === undefined) continue;
    next.delete(sessionId);
    next.set(sessionId, { value: snapshot.value, status: snapshot.status ?? 'active', version: _troupe?.version });
  }
  for (const address of next.keys()) {
    if (next.size <= liveMax) break;
    next.delete(address);
  }
  return next;
}

export function createInspection() {
  const context: Inspection = { connection: 'connecting', log: emptyLog, live: new Map(), skipped: 0 };
  return createStore({
    context,
    on: {
      connection: (state, { is }: { is: Connection }) => ({ ...state, connection: is }),
      frames: (state, { frames, skipped = 0 }: { frames: readonly Frame[]; skipped?: number }) => ({
        ...state,
        log: withLines(state.log, linesOf(frames)),
        live: liveWith(state.live, frames),
        skipped: frames.reduce((sum, frame) => sum + skippedIn(frame), state.skipped + skipped),
      }),
      pause: (state) => ({ ...state, log: paused(state.log) }),
      resume: (state) => ({ ...state, log: resumed(state.log) }),
      clear: (state) => ({ ...state, log: cleared(state.log) }),
    },
  });
}

export type InspectionStore = ReturnType<typeof createInspection>;
