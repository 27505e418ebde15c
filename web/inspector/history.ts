/**
 * The history of one actor in a component: where one is in it, the step there and the one before, and the page of steps
 * around. It follows what is live, and reads what it does not have.
 */

import { useSelector } from '@xstate/store-preact';
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { Actor, HistoryPage, HistoryStep, InitialState } from '../../src/inspect/answers.ts';
import { useDesk } from './desk.ts';
import type { ApiFailure } from './inspect-api.ts';
import { failureOf, oneAtATime, useLoaded, useRefresh } from './loading.ts';
import type { ActorPlace } from './place.ts';
import { pageSize, StepPages } from './step-pages.ts';
import { following, grown, isWalking, moved, playing, stopped, type Timeline, timelineAt, walked } from './timeline.ts';

export interface History {
  /** As it is; undefined before it is read, and where nothing has happened to it. */
  readonly actor: Actor | undefined;
  readonly isAbsent: boolean;
  readonly failure: ApiFailure | undefined;
  /** Why the version that is shown cannot be seen. */
  readonly notice: string | undefined;
  readonly timeline: Timeline;
  readonly step: HistoryStep | undefined;
  /** As it was before that step; before any, as it began. */
  readonly before: InitialState | undefined;
  /** The page of steps around the one that is shown. */
  readonly around: readonly HistoryStep[];
  /** All steps that have been read. */
  readonly read: readonly HistoryStep[];
  readonly move: (command: Move) => void;
}

export type Move =
  | { readonly kind: 'to'; readonly version: number }
  | { readonly kind: 'play' | 'stop' | 'follow' | 'walk' }
  | { readonly kind: 'grow'; readonly newest: number }
  | { readonly kind: 'open'; readonly newest: number; readonly seq: number | undefined };

function afterMove(timeline: Timeline, move: Move): Timeline {
  switch (move.kind) {
    case 'to':
      return moved(timeline, move.version);
    case 'play':
      return playing(timeline);
    case 'stop':
      return stopped(timeline);
    case 'follow':
      return following(timeline);
    case 'walk':
      return walked(timeline);
    case 'grow':
      return grown(timeline, move.newest);
    case 'open':
      return timelineAt(move.newest, move.seq);
  }
}

/** A step that is walked to by itself is seen for so long. */
const paceMs = 550;
/** Steps that could not be read are asked for again after this. */
const retryMs = 2_000;

/** Why some versions cannot be seen: those before `first`, those after `last`. */
interface Lack {
  readonly first: number;
  readonly last: number;
  readonly reason: string;
}

function lackIn({ begins, problem, steps }: HistoryPage, after: number): Lack | undefined {
  const reason = problem ?? begins?.reason;
  if (reason === undefined) return undefined;
  const last = problem === undefined ? Number.POSITIVE_INFINITY : (steps.at(-1)?.version ?? after);
  return { first: begins?.version ?? 0, last, reason };
}

interface Steps {
  readonly pages: StepPages;
  /** Rises with each answer. */
  readonly readings: number;
  /** The version that the last answer was for, whether it is in it or not. */
  readonly answered: number | undefined;
  readonly lack: Lack | undefined;
  /** Of the last question. */
  readonly failure: ApiFailure | undefined;
}

const unasked = { readings: 0, answered: undefined, lack: undefined, failure: undefined };

/**
 * The steps of an actor, read page by page as `missing` asks for one that is not there. One question at a time, however
 * fast the slider is moved: what is missing when it is answered is asked for next.
 */
function useSteps(address: string, missing: (pages: StepPages) => number | undefined): Steps {
  const { api, inspection } = useDesk();
  const isLost = useSelector(inspection, ({ context }) => context.connection === 'lost');
  const pages = useRef({ address, steps: new StepPages() });
  if (pages.current.address !== address) pages.current = { address, steps: new StepPages() };
  const [state, setState] = useState<Omit<Steps, 'pages'>>(unasked);
  const [retries, setRetries] = useState(0);
  const wanted = missing(pages.current.steps);
  const latest = useRef(missing);
  latest.current = missing;

  const ask = useRef<() => void>();
  ask.current ??= oneAtATime(async () => {
    const kept = pages.current;
    const at = latest.current(kept.steps);
    if (at === undefined) return;
    const after = StepPages.after(at);
    try {
      const { page, characters } = await api.steps(kept.address, after, pageSize);
      kept.steps.add(after, page, characters);
      const found = lackIn(page, after);
      setState(({ readings, lack }) => ({
        readings: readings + 1,
        answered: at,
        lack: found ?? lack,
        failure: undefined,
      }));
    } catch (error) {
      setState((before) => ({ ...before, failure: failureOf(error) }));
    }
  });
  // A version that was read and is not there would not be there the next time either, so it is asked for once.
  useEffect(() => {
    // A page that could not be read is read when the server is there again.
    if (wanted !== undefined && !isLost) ask.current?.();
  }, [wanted, isLost, retries]);
  const { failure } = state;
  useEffect(() => {
    if (failure === undefined || !failure.isPassing) return;
    const timer = setTimeout(() => setRetries((count) => count + 1), retryMs);
    return () => clearTimeout(timer);
  }, [failure]);
  return { ...state, pages: pages.current.steps };
}

export function useHistory(place: ActorPlace): History {
  const { actor: address, seq } = place;
  const { api, inspection } = useDesk();
  const { data: actor, failure, reload } = useLoaded(address, () => api.actor(address));
  const [timeline, move] = useReducer(afterMove, timelineAt(0, seq));
  const opened = useRef<ActorPlace>();

  // Whatever is live of this actor is a reason to look at its journal, which alone says what happened. So is time: its
  // shard may have gone to another node, and a message between nodes may be lost.
  const live = useSelector(inspection, ({ context }) => context.live.get(address));
  const connection = useSelector(inspection, ({ context }) => context.connection);
  useEffect(() => {
    if (live !== undefined) reload();
  }, [live, reload]);
  useRefresh(reload, connection === 'live');

  const version = actor?.version ?? 0;
  const isAbsent = failure?.status === 404;
  const isKnown = actor !== undefined || isAbsent;
  useEffect(() => {
    if (!isKnown) return;
    // Absent at first, it is followed from its first event on.
    if (opened.current === place) move({ kind: 'grow', newest: version });
    else move({ kind: 'open', newest: version, seq });
    // A link to what has just happened may be ahead of what is known.
    if (seq === undefined || seq <= version) opened.current = place;
  }, [place, version, isKnown, seq]);

  const { shown, newest } = timeline;
  // A page is read again when it ends before the version that is wanted, and the first one even where nothing happened:
  // it says how the actor begins.
  const {
    pages,
    readings,
    answered,
    lack,
    failure: unread,
  } = useSteps(address, (steps) => {
    if (!isKnown) return undefined;
    const isThere = (at: number): boolean => (at === 0 ? steps.before(1) : steps.at(at)) !== undefined;
    const isLastPage = StepPages.after(newest) === StepPages.after(shown);
    return [shown, ...(isLastPage ? [newest] : [])].find((at) => !isThere(at));
  });

  // A step that is being read is not walked past: it would not have been seen. One that is not there is.
  const isLacking = lack !== undefined && (shown < lack.first || shown > lack.last);
  const isThere = shown === 0 || pages.at(shown) !== undefined;
  const isAwaited = !isThere && !isLacking && answered !== shown && unread === undefined;
  useEffect(() => {
    if (isAwaited || !isWalking(timeline)) return;
    const timer = setTimeout(() => move({ kind: 'walk' }), paceMs);
    return () => clearTimeout(timer);
  }, [timeline, isAwaited]);

  return useMemo(() => {
    const from = StepPages.after(shown);
    const all = pages.all();
    return {
      actor,
      isAbsent,
      failure: (isAbsent ? undefined : failure) ?? unread,
      notice: isLacking ? lack.reason : undefined,
      timeline,
      step: shown === 0 ? undefined : pages.at(shown),
      before: pages.before(Math.max(1, shown)),
      around: all.filter((one) => one.version > from && one.version <= from + pageSize),
      read: all,
      move,
    };
  }, [actor, isAbsent, failure, unread, timeline, shown, isLacking, lack, pages, readings]);
}
