/**
 * One socket that is fed from topics. It guarantees the order of each topic, that nothing is left out silently, and that
 * memory stays bounded: frames are collected for the rest of the loop's pass and sent corked; when the peer reads too
 * slowly the connection stops being fed, remembers per topic where it stopped, and reads on from the topics' histories
 * once the peer has caught up. When a history does not reach back that far, the socket is closed with an announced code.
 *
 * The reply to a command always precedes the outcome of its operation. It knows topics and operations, not what is in them.
 */

import type { Clock } from '../clock.ts';
import { type GatewayObserver, silentGatewayObserver } from '../observer.ts';
import type { Publication, TopicHistory } from '../topic/topic.ts';
import type { Frame, Socket } from './http.ts';

/** What a publication means for one connection. */
export interface Delivery {
  readonly frames: readonly Frame[];
  /** The operation whose outcome it is. */
  readonly outcomeOf?: string;
}

/** Where a connection that fell behind reads on. */
export interface History {
  read(
    topic: string,
    position: { readonly offset: number; readonly epoch?: string; readonly limit: number },
  ): Promise<TopicHistory>;
  delivery(publication: Publication, connection: Connection): Delivery | Promise<Delivery>;
}

export interface ConnectionLimits {
  /** Bytes not yet read by the peer at which it is no longer fed. */
  readonly bufferedBytesMax: number;
  /** It is fed again at this. */
  readonly resumeBytes: number;
}

interface Cursor {
  offset: number;
  /** The newest publication that came live meanwhile. */
  missed: number;
  epoch?: string;
}

const pageMax = 32;

/** Sends what the connections collected, all in one go, when the work at hand is done. */
export class Flusher {
  readonly #clock: Clock;
  #due: Connection[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  schedule(connection: Connection): void {
    this.#due.push(connection);
    if (this.#due.length === 1) this.#clock.soon(() => this.flush());
  }

  flush(): void {
    const due = this.#due;
    this.#due = [];
    for (const connection of due) connection.flush();
  }
}

export class Connection {
  readonly #socket: Socket;
  readonly #flusher: Flusher;
  readonly #history: History;
  readonly #limits: ConnectionLimits;
  readonly #observer: GatewayObserver;
  readonly #lost: (error: unknown) => void;
  #frames: Frame[] = [];
  #bytes = 0;
  #open = true;
  /** Topics with publications that this connection has yet to be given, while it is behind. */
  #behind: Map<string, Cursor> | undefined;
  /** Topics whose history was read further than what had come live: that is not given twice. */
  readonly #ahead = new Map<string, number>();
  #catchingUp = false;
  /** Operations whose reply is still to come; `early` is that reply when it can be told before it is known. */
  readonly #pending = new Map<string, { readonly early: string | undefined; replies: number }>();
  #heldFor: string | undefined;

  constructor(options: {
    readonly socket: Socket;
    readonly flusher: Flusher;
    readonly history: History;
    readonly limits: ConnectionLimits;
    readonly observer?: GatewayObserver;
    /** What comes next can no longer be told: close it. */
    readonly lost: (error: unknown) => void;
  }) {
    this.#socket = options.socket;
    this.#flusher = options.flusher;
    this.#history = options.history;
    this.#limits = options.limits;
    this.#observer = options.observer ?? silentGatewayObserver;
    this.#lost = options.lost;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Whether it is waiting for its peer, or for a reply, and being fed from history. */
  get behind(): boolean {
    return this.#behind !== undefined;
  }

  /** Bytes on their way to the peer. */
  get unread(): number {
    return this.#open ? this.#bytes + this.#socket.buffered() : 0;
  }

  /** A frame that belongs to no topic, such as a reply. It is sent also to a connection that is behind. */
  send(frame: Frame): void {
    if (!this.#open) return;
    if (this.#frames.length === 0) this.#flusher.schedule(this);
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  /** A live publication. */
  feed(publication: Publication, delivery: Delivery): void {
    if (!this.#open) return;
    const { topic, offset } = publication;
    if (this.#ahead.size > 0 && this.#isAhead(topic, offset)) return;
    if (this.#behind === undefined && this.#admit(delivery.outcomeOf)) {
      this.#give(delivery.frames);
      return;
    }
    this.#behind ??= new Map();
    const cursor = this.#behind.get(topic);
    if (cursor !== undefined) cursor.missed = offset;
    else this.#behind.set(topic, { offset: offset - 1, missed: offset });
  }

  /** Also gives what a topic's history holds after `offset`, before anything newer of it. */
  feedFrom(topic: string, offset: number): void {
    if (!this.#open || this.#behind?.has(topic) === true) return;
    this.#behind ??= new Map();
    this.#behind.set(topic, { offset, missed: offset });
    void this.#catchUp();
  }

  /**
   * From here on the connection is given what follows `offset` of a topic; `more`: some of that is in the topic's history
   * already. With an epoch the connection is lost when the topic's is another one by then.
   */
  start(topic: string, offset: number, more: boolean, epoch: string): void {
    if (!this.#open) return;
    this.#ahead.set(topic, offset);
    if (!more) return;
    this.#behind ??= new Map();
    this.#behind.set(topic, { offset, missed: offset, epoch });
    void this.#catchUp();
  }

  /** The topic is no longer given. */
  stop(topic: string): void {
    this.#ahead.delete(topic);
    this.#behind?.delete(topic);
  }

  /**
   * A command's reply is on its way. `early` is that reply when an outcome alone proves it (the id is fresh); without it
   * an outcome waits for the reply.
   */
  expectReply(operationId: string, early: string | undefined): void {
    const pending = this.#pending.get(operationId);
    if (pending === undefined) this.#pending.set(operationId, { early, replies: 1 });
    else pending.replies += 1;
  }

  /** Sends the reply, unless it has gone before the operation's outcome already. */
  reply(operationId: string, frame: string): void {
    const pending = this.#pending.get(operationId);
    if (pending === undefined) return;
    this.send(frame);
    pending.replies -= 1;
    if (pending.replies > 0) return;
    this.#pending.delete(operationId);
    if (this.#heldFor !== operationId) return;
    this.#heldFor = undefined;
    void this.#catchUp();
  }

  /** The peer has read on. */
  drained(): void {
    if (this.#socket.buffered() <= this.#limits.resumeBytes) void this.#catchUp();
  }

  flush(): void {
    if (!this.#open || this.#frames.length === 0) return;
    const frames = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    this.#observer.frames(frames.length);
    if (frames.length === 1) this.#socket.send(frames[0] as Frame);
    else {
      this.#socket.cork(() => {
        for (const frame of frames) this.#socket.send(frame);
      });
    }
    // Not by send()'s return code: inside a cork it answers before anything was written.
    if (this.#socket.buffered() > this.#limits.bufferedBytesMax) this.#fallBehind();
    if (this.#behind !== undefined) this.drained();
  }

  /** Announces the close in a frame of its own, if there is one (a close code is lost behind a full buffer), then closes. */
  close(code: number, reason: string, announcement?: string): void {
    if (!this.#open) return;
    if (announcement !== undefined) this.send(announcement);
    this.flush();
    this.#socket.end(code, reason);
  }

  /** The socket has closed. */
  closed(): void {
    this.#open = false;
    this.#frames = [];
    this.#pending.clear();
    this.#behind = undefined;
  }

  #give(frames: readonly Frame[]): void {
    for (const frame of frames) this.send(frame);
    if (this.#bytes > this.#limits.bufferedBytesMax) this.#fallBehind();
  }

  #fallBehind(): void {
    if (this.#behind !== undefined) return;
    this.#behind = new Map();
    this.#observer.fellBehind();
  }

  #isAhead(topic: string, offset: number): boolean {
    const given = this.#ahead.get(topic);
    if (given === undefined) return false;
    if (offset <= given) return true;
    this.#ahead.delete(topic);
    return false;
  }

  /** Whether a delivery may go now; sends the reply that must precede it, when it can. */
  #admit(operationId: string | undefined): boolean {
    const pending = operationId === undefined ? undefined : this.#pending.get(operationId);
    if (operationId === undefined || pending === undefined) return true;
    if (pending.early === undefined) {
      this.#heldFor = operationId;
      return false;
    }
    this.#pending.delete(operationId);
    this.send(pending.early);
    return true;
  }

  async #catchUp(): Promise<void> {
    if (this.#catchingUp || this.#behind === undefined) return;
    this.#catchingUp = true;
    try {
      while (this.#behind !== undefined && this.#mayBeFed()) {
        const [next] = this.#behind as Map<string, Cursor>;
        if (next === undefined) this.#behind = undefined;
        else await this.#readOn(next[0], next[1]);
      }
    } catch (error) {
      if (this.#open) this.#lost(error);
    } finally {
      this.#catchingUp = false;
    }
  }

  #mayBeFed(): boolean {
    return this.#open && this.#heldFor === undefined && this.unread <= this.#limits.bufferedBytesMax;
  }

  #isReading(topic: string, cursor: Cursor): boolean {
    return this.#open && this.#behind?.get(topic) === cursor;
  }

  async #readOn(topic: string, cursor: Cursor): Promise<void> {
    const { offset, epoch, missed } = cursor;
    const position = { offset, limit: pageMax, ...(epoch === undefined ? {} : { epoch }) };
    const page = await this.#history.read(topic, position);
    if (!this.#isReading(topic, cursor)) return;
    if (!page.recovered) {
      this.#lost(undefined);
      this.closed();
      return;
    }
    cursor.epoch = page.epoch;
    for (const publication of page.publications) {
      const delivery = await this.#history.delivery(publication, this);
      // It may have been stopped, and started again from elsewhere.
      if (!this.#isReading(topic, cursor)) return;
      if (!this.#mayBeFed() || !this.#admit(delivery.outcomeOf)) return;
      for (const frame of delivery.frames) this.send(frame);
      this.#observer.readAgain(1);
      cursor.offset = publication.offset;
    }
    // An empty page is the end, unless something came while it was being read: that is in the next one.
    const isWhole =
      page.publications.length === 0 ? cursor.missed === missed : cursor.offset >= Math.max(page.head, cursor.missed);
    if (!isWhole) return;
    this.#behind?.delete(topic);
    if (cursor.offset > cursor.missed) this.#ahead.set(topic, cursor.offset);
  }
}
