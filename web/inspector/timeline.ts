/**
 * One's position in an actor's history. Version 0 is before its first event. A position either stands, or follows the
 * newest version: then it walks there step by step, so that an operation of a few milliseconds can be watched, and jumps
 * when it is far behind.
 */

export interface Timeline {
  readonly shown: number;
  readonly newest: number;
  readonly isFollowing: boolean;
  /** Walks on by itself, to the newest version. */
  readonly isPlaying: boolean;
}

/** Following, it is never further behind than this. */
export const behindMax = 12;

export function timelineAt(newest: number, seq: number | undefined): Timeline {
  const isFollowing = seq === undefined;
  return { shown: isFollowing ? newest : within(seq, newest), newest, isFollowing, isPlaying: false };
}

function within(version: number, newest: number): number {
  return Math.max(0, Math.min(version, newest));
}

/** The actor has moved on. */
export function grown(timeline: Timeline, newest: number): Timeline {
  if (newest <= timeline.newest) return timeline;
  const shown = timeline.isFollowing ? Math.max(timeline.shown, newest - behindMax) : timeline.shown;
  return { ...timeline, newest, shown };
}

/** One goes somewhere, and stays there. */
export function moved(timeline: Timeline, version: number): Timeline {
  return { ...timeline, shown: within(version, timeline.newest), isFollowing: false, isPlaying: false };
}

export function following(timeline: Timeline): Timeline {
  return { ...timeline, shown: timeline.newest, isFollowing: true, isPlaying: false };
}

/** Plays from where it is; from the beginning when it is at the end. */
export function playing(timeline: Timeline): Timeline {
  const shown = timeline.shown >= timeline.newest ? 0 : timeline.shown;
  return { ...timeline, shown, isFollowing: false, isPlaying: timeline.newest > 0 };
}

export function stopped(timeline: Timeline): Timeline {
  return { ...timeline, isPlaying: false };
}

/** Whether it has a next step to walk to by itself. */
export function isWalking({ shown, newest, isFollowing, isPlaying }: Timeline): boolean {
  return (isFollowing || isPlaying) && shown < newest;
}

/** One step on by itself. */
export function walked(timeline: Timeline): Timeline {
  if (!isWalking(timeline)) return timeline;
  const shown = timeline.shown + 1;
  return { ...timeline, shown, isPlaying: timeline.isPlaying && shown < timeline.newest };
}
