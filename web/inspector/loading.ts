/** Answers of the server as state of a component; what is shown stays until the next answer is there. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiFailure } from './inspect-api.ts';

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly failure: ApiFailure | undefined;
  /** Asks again; while a question is under way, once after it. */
  readonly reload: () => void;
}

export function failureOf(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  return new ApiFailure(0, 'UNEXPECTED', error instanceof Error ? error.message : String(error));
}

/** Calls `work` again and again as it is asked to, never twice at once, and forgets all but the last question meanwhile. */
export function oneAtATime(work: () => Promise<void>): () => void {
  let isBusy = false;
  let isAsked = false;
  const run = async (): Promise<void> => {
    isBusy = true;
    do {
      isAsked = false;
      await work();
    } while (isAsked);
    isBusy = false;
  };
  return () => {
    if (isBusy) isAsked = true;
    else void run();
  };
}

/** What changes without an event (who owns a shard, which nodes are there) is asked for this often. */
const refreshMs = 5_000;

/** Loads again when the connection is there (again), and every few seconds while somebody looks and `mayChange`. */
export function useRefresh(reload: () => void, isLive: boolean, mayChange = true): void {
  useEffect(() => {
    if (isLive) reload();
  }, [isLive, reload]);
  useEffect(() => {
    if (!mayChange) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), refreshMs);
    return () => clearInterval(timer);
  }, [mayChange, reload]);
}

/** Loads when it is mounted and whenever `key` changes. */
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; failure?: ApiFailure }>({ key });
  const latest = useRef({ key, load });
  latest.current = { key, load };
  const ask = useRef<(() => void) | undefined>(undefined);
  ask.current ??= oneAtATime(async () => {
    const { key: asked, load: question } = latest.current;
    const answer = await question().then(
      (data) => ({ key: asked, data }),
      (error: unknown) => ({ key: asked, failure: failureOf(error) }),
    );
    if (latest.current.key !== asked) return;
    // After a hiccup what was there is still better than nothing.
    setState((before) => (before.key === asked && 'failure' in answer ? { ...before, ...answer } : answer));
  });
  useEffect(() => ask.current?.(), [key]);
  const reload = useCallback(() => ask.current?.(), []);
  const isCurrent = state.key === key;
  return { data: isCurrent ? state.data : undefined, failure: isCurrent ? state.failure : undefined, reload };
}
