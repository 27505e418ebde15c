/**
 * The gateway's view of HTTP and sockets: plain requests, responses and a socket, free of any library. A request is a
 * copy (it may be kept over an `await`); a response is data that the transport writes in one piece. Streaming is
 * deliberately not part of it.
 */

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark; '' when there is none. */
  readonly query: string;
  /** Names in lower case; repeated ones joined with ', '. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes for what is not text, or is encoded already. */
  readonly body?: string | Uint8Array;
  /** Where a read stands in the feeds of what it shows: whoever reads on from there misses nothing. */
  readonly feed?: readonly FeedPosition[];
}

/** A position in a channel. */
export interface FeedPosition {
  readonly channel: string;
  readonly epoch: string;
  readonly offset: number;
}

export type Frame = string | Uint8Array;

/** One open socket. Every method may be called after it has closed; it then does nothing. */
export interface Socket {
  /** `sent`: on its way; `buffered`: kept until the peer reads; `lost`: the socket is closed. Frames are never dropped on an open socket. */
  send(frame: Frame, isBinary?: boolean): 'sent' | 'buffered' | 'lost';
  /** Runs `sends` so that their frames leave in as few packets as possible. */
  cork(sends: () => void): void;
  /** Bytes the peer has not read. */
  buffered(): number;
  /** Sends what is buffered, then a close frame. The `closed` handler runs before this returns. */
  end(code: number, reason: string): void;
  /** Drops the connection at once. */
  terminate(): void;
}

export interface SocketHandlers {
  open(socket: Socket): void;
  /** A text frame. */
  message(text: string): void;
  /** A binary frame, which is gone when this returns; the plain protocol has none. */
  binary(frame: Uint8Array): void;
  /** The peer has read some of what was buffered. */
  drain(): void;
  closed(code: number): void;
}

/** What becomes of an upgrade request. `protocol` is the one subprotocol to confirm. */
export type Admission =
  | { readonly kind: 'accept'; readonly handlers: SocketHandlers; readonly protocol?: string }
  | { readonly kind: 'refuse'; readonly response: HttpResponse };

export function json(status: number, value: unknown, headers?: Readonly<Record<string, string>>): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(value),
  };
}
