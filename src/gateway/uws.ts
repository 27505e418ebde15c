/**
 * The transport: the one file that knows uWebSockets.js. It owns every route, so that the library's traps are dealt with
 * once: each HTTP request has its abort handler and is copied before anything can await, bodies are bounded, writes are
 * corked, sockets are upgraded at once and never touched after they closed, and the port is exclusive.
 *
 * It guarantees that `request` is answered exactly once, and that no frame given to an open socket is dropped: bounding
 * what is buffered is the connection's work (connection.ts). It does deliberately not route, authenticate or log.
 */

import { STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import { TroupeError } from '../errors.ts';
import type { Admission, Frame, HttpRequest, HttpResponse, Socket, SocketHandlers } from './http.ts';
import type { InFlight } from './in-flight.ts';

interface RawRequest {
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  getQuery(): string;
  getHeader(name: string): string;
  forEach(callback: (name: string, value: string) => void): void;
}

interface RawResponse {
  writeStatus(status: string): RawResponse;
  writeHeader(name: string, value: string): RawResponse;
  end(body?: string | Uint8Array, closeConnection?: boolean): RawResponse;
  endWithoutBody(): RawResponse;
  onAborted(handler: () => void): RawResponse;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): RawResponse;
  cork(callback: () => void): RawResponse;
  upgrade(data: UserData, key: string, protocol: string, extensions: string, context: unknown): void;
}

/** Wrapped, because the library copies own properties of user data to an object of its own and forgets the class. */
interface UserData {
  readonly wire: UwsSocket;
}

interface RawSocket {
  send(message: Frame, isBinary?: boolean): number;
  getBufferedAmount(): number;
  cork(callback: () => void): void;
  end(code: number, reason: string): void;
  close(): void;
  getUserData(): UserData;
}

interface RawApp {
  any(pattern: string, handler: (response: RawResponse, request: RawRequest) => void): RawApp;
  ws(pattern: string, behavior: Readonly<Record<string, unknown>>): RawApp;
  listen(host: string, port: number, options: number, callback: (token: object | false) => void): RawApp;
  close(): RawApp;
}

interface Library {
  App(): RawApp;
  us_listen_socket_close(token: object): void;
  us_socket_local_port(token: object): number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}

export interface TransportOptions {
  /** Counts the requests being answered. */
  readonly inFlight: InFlight;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly bodyBytesMax: number;
  readonly frameBytesMax: number;
  /** Of sockets at a path that takes others. */
  readonly frameBytesMaxAt?: Readonly<Record<string, number>>;
  /** A silent peer is pinged, and dropped after this; 8 to 960 (anything else aborts the process inside the library). */
  readonly idleSeconds: number;
  request(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  /** The answer to a body over `bodyBytesMax`. */
  tooLarge(request: HttpRequest): HttpResponse;
  /** Decides at once; whatever needs time happens on the open socket. */
  upgrade(request: HttpRequest): Admission;
}

export interface Transport {
  readonly port: number;
  /** Closes the listening socket; open connections go on, and each answer from here on closes its own. */
  stopAccepting(): void;
  /** Drops every connection. */
  close(): void;
}

/** How much of a refused body is read and thrown away, so that the client gets to read the answer instead of a reset. */
const discardedBytesMax = 4 * 1024 * 1024;
const noBody = new Uint8Array(0);

function load(): Library {
  try {
    return createRequire(import.meta.url)('uWebSockets.js') as Library;
  } catch (error) {
    throw new TroupeError(
      'CONFIG_INVALID',
      `uWebSockets.js has no binary for Node ${process.version} on ${process.platform}/${process.arch}: run "npm install" ` +
        'with Node 20, 22 or 24 on a glibc Linux (Debian, Ubuntu; not Alpine), macOS or Windows.',
      { platform: process.platform, arch: process.arch, node: process.version },
      error,
    );
  }
}

function copyRequest(raw: RawRequest): { -readonly [K in keyof HttpRequest]: HttpRequest[K] } {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  raw.forEach((name, value) => {
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  });
  return {
    method: raw.getCaseSensitiveMethod(),
    path: raw.getUrl(),
    query: raw.getQuery() ?? '',
    headers,
    body: noBody,
  };
}

class UwsSocket implements Socket {
  raw: RawSocket | undefined;
  readonly handlers: SocketHandlers;

  constructor(handlers: SocketHandlers) {
    this.handlers = handlers;
  }

  send(frame: Frame, isBinary = false): 'sent' | 'buffered' | 'lost' {
    if (this.raw === undefined) return 'lost';
    const status = this.raw.send(frame, isBinary);
    return status === 1 ? 'sent' : status === 0 ? 'buffered' : 'lost';
  }

  cork(sends: () => void): void {
    this.raw?.cork(sends);
  }

  buffered(): number {
    return this.raw?.getBufferedAmount() ?? 0;
  }

  end(code: number, reason: string): void {
    this.raw?.end(code, reason);
  }

  terminate(): void {
    this.raw?.close();
  }
}

/** One request's answer: written once, corked, and not at all when the client has gone. */
class Exchange {
  readonly #raw: RawResponse;
  readonly #headOnly: boolean;
  readonly #closing: () => boolean;
  readonly #ended: () => void;
  #open = true;

  constructor(raw: RawResponse, headOnly: boolean, closing: () => boolean, ended: () => void) {
    this.#raw = raw;
    this.#headOnly = headOnly;
    this.#closing = closing;
    this.#ended = ended;
    raw.onAborted(() => this.#end());
  }

  get open(): boolean {
    return this.#open;
  }

  write(response: HttpResponse, close = false): void {
    if (!this.#open) return;
    const closing = close || this.#closing();
    this.#raw.cork(() => {
      this.#raw.writeStatus(`${response.status} ${STATUS_CODES[response.status] ?? 'Unknown'}`);
      for (const name in response.headers) this.#raw.writeHeader(name, response.headers[name] as string);
      const isBodiless = response.status === 204 || response.status === 304;
      if (!isBodiless && !this.#headOnly) {
        this.#raw.end(response.body ?? '', closing);
        return;
      }
      // The library's own length or closing here would leave the request open, and its connection dead for the next one.
      if (!isBodiless) this.#raw.writeHeader('content-length', String(Buffer.byteLength(response.body ?? '')));
      if (closing) this.#raw.writeHeader('connection', 'close');
      this.#raw.endWithoutBody();
    });
    this.#end();
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ended();
  }
}

/** Collects a body of at most `max` bytes; calls one of the two, once. */
function readBody(
  raw: RawResponse,
  max: number,
  done: (body: Uint8Array) => void,
  over: (reset: boolean) => void,
): void {
  let chunks: Buffer[] = [];
  let size = 0;
  let settled = false;
  raw.onData((chunk, isLast) => {
    if (settled) return;
    size += chunk.byteLength;
    if (size > max) {
      chunks = [];
      if (!isLast && size <= max + discardedBytesMax) return;
      settled = true;
      over(!isLast);
      return;
    }
    // The chunk is emptied when this handler returns.
    if (chunk.byteLength > 0) chunks.push(Buffer.from(chunk.slice(0)));
    if (!isLast) return;
    settled = true;
    done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  });
}

function hasBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

function serveHttp(options: TransportOptions, state: { readonly closing: boolean }) {
  const closing = (): boolean => state.closing;
  const ended = (): void => options.inFlight.end();
  return (raw: RawResponse, rawRequest: RawRequest): void => {
    const request = copyRequest(rawRequest);
    options.inFlight.begin();
    const exchange = new Exchange(raw, request.method === 'HEAD', closing, ended);
    const answer = (): void => {
      if (!exchange.open) return;
      const response = options.request(request);
      if (response instanceof Promise) void response.then((settled) => exchange.write(settled));
      else exchange.write(response);
    };
    if (!hasBody(request.method)) {
      answer();
      return;
    }
    readBody(
      raw,
      options.bodyBytesMax,
      (body) => {
        request.body = body;
        answer();
      },
      (reset) => exchange.write(options.tooLarge(request), reset),
    );
  };
}

function socketBehavior(options: TransportOptions, frameBytesMax: number): Readonly<Record<string, unknown>> {
  return {
    maxPayloadLength: frameBytesMax,
    idleTimeout: options.idleSeconds,
    sendPingsAutomatically: true,
    // 0 is "no limit": the library would drop frames at it. The connection stops feeding a slow peer long before.
    maxBackpressure: 0,
    upgrade(raw: RawResponse, rawRequest: RawRequest, context: unknown) {
      const request = copyRequest(rawRequest);
      const admission = options.upgrade(request);
      if (admission.kind === 'refuse') {
        new Exchange(
          raw,
          false,
          () => true,
          () => undefined,
        ).write(admission.response);
        return;
      }
      const extensions = request.headers['sec-websocket-extensions'] ?? '';
      const key = request.headers['sec-websocket-key'] ?? '';
      raw.upgrade({ wire: new UwsSocket(admission.handlers) }, key, admission.protocol ?? '', extensions, context);
    },
    open(raw: RawSocket) {
      const { wire: socket } = raw.getUserData();
      socket.raw = raw;
      socket.handlers.open(socket);
    },
    message(raw: RawSocket, message: ArrayBuffer, isBinary: boolean) {
      const { handlers } = raw.getUserData().wire;
      if (isBinary) handlers.binary(new Uint8Array(message));
      else handlers.message(Buffer.from(message).toString());
    },
    drain: (raw: RawSocket) => raw.getUserData().wire.handlers.drain(),
    close(raw: RawSocket, code: number) {
      const { wire: socket } = raw.getUserData();
      socket.raw = undefined;
      socket.handlers.closed(code);
    },
  };
}

/** Listens. Rejects with `CONFIG_INVALID` when the port is taken (`params.busy`) or the binary is missing. */
export function openTransport(options: TransportOptions): Promise<Transport> {
  const library = load();
  const state = { closing: false };
  const app = library.App();
  const { frameBytesMax, frameBytesMaxAt = {} } = options;
  for (const [path, bytesMax] of Object.entries(frameBytesMaxAt)) app.ws(path, socketBehavior(options, bytesMax));
  app.ws('/*', socketBehavior(options, frameBytesMax)).any('/*', serveHttp(options, state));
  return new Promise((resolve, reject) => {
    app.listen(options.host, options.port, library.LIBUS_LISTEN_EXCLUSIVE_PORT, (token) => {
      if (token === false) {
        const where = `${options.host}:${options.port}`;
        const message = `Cannot listen on ${where}: the port is taken, or the address is not one of this machine's.`;
        reject(new TroupeError('CONFIG_INVALID', message, { host: options.host, port: options.port, busy: true }));
        return;
      }
      let listening = true;
      const stopAccepting = (): void => {
        state.closing = true;
        if (listening) library.us_listen_socket_close(token);
        listening = false;
      };
      resolve({
        port: library.us_socket_local_port(token),
        stopAccepting,
        close: () => {
          stopAccepting();
          app.close();
        },
      });
    });
  });
}
