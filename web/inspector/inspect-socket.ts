/**
 * The socket to /inspect/ws: frames go to the store in batches, at most `batchMax` of them; what comes faster is counted
 * and left out. A lost connection is tried again, later each time, unless the server said that it is final; one that ended
 * with its token is made again at once, if there is a fresher one.
 */

import { currentAccess } from '../shared/access.ts';
import { type Frame, frameOf, type InspectionStore } from './inspection.ts';

const batchMs = 120;
const batchMax = 1_000;
const retryMsMin = 500;
const retryMsMax = 15_000;

/** The server's close code for a token that has ended. */
const expiredCode = 4_001;

/** What is watched: nothing named means everything. */
export interface Watched {
  readonly actor?: string | undefined;
  readonly operation?: string | undefined;
}

/** Close codes after which the same token gets nowhere. */
function isFinal(code: number): boolean {
  return code === 1008 || (code >= 4_500 && code < 5_000);
}

function addressOf(token: string, watched: Watched): string {
  const url = new URL('/inspect/ws', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  for (const [name, value] of Object.entries(watched)) if (value !== undefined) url.searchParams.set(name, value);
  url.searchParams.set('access_token', token);
  return url.href;
}

/** Watches until the returned function is called. */
export function watch(watched: Watched, store: InspectionStore): () => void {
  let socket: WebSocket;
  let token = '';
  let isOver = false;
  let attempts = 0;
  let batch: Frame[] = [];
  let skipped = 0;
  let flushing: ReturnType<typeof setTimeout> | undefined;
  let retrying: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    flushing = undefined;
    const frames = batch;
    batch = [];
    store.trigger.frames({ frames, skipped });
    skipped = 0;
  };
  const take = (text: string): void => {
    const frame = frameOf(text);
    if (frame === undefined) return;
    if (batch.length < batchMax) batch.push(frame);
    else skipped += 1;
    flushing ??= setTimeout(flush, batchMs);
  };
  const connect = (): void => {
    token = currentAccess()?.token ?? '';
    socket = new WebSocket(addressOf(token, watched));
    socket.onopen = () => {
      attempts = 0;
      store.trigger.connection({ is: 'live' });
    };
    socket.onmessage = ({ data }) => take(String(data));
    socket.onclose = ({ code }) => {
      if (isOver) return;
      if (code === expiredCode && currentAccess()?.token !== token) return connect();
      if (isFinal(code)) return store.trigger.connection({ is: 'refused' });
      store.trigger.connection({ is: 'lost' });
      attempts += 1;
      const pause = Math.min(retryMsMax, retryMsMin * 2 ** (attempts - 1));
      // Spread, so that a restarted server is not met by all pages at once.
      retrying = setTimeout(connect, pause * (0.5 + Math.random() / 2));
    };
  };
  const again = (): void => {
    if (isOver || socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(retrying);
    connect();
  };

  store.trigger.connection({ is: 'connecting' });
  connect();
  addEventListener('online', again);
  return () => {
    isOver = true;
    removeEventListener('online', again);
    clearTimeout(flushing);
    clearTimeout(retrying);
    socket.close();
  };
}
