/**
 * The calls of one slot, in their order, whatever node has the slot at the moment. Calls go out as they come until one is
 * sent back (MOVED, ASK, TRYAGAIN, CLUSTERDOWN: the server ran nothing). Then the lane holds: nothing more goes out until
 * everything under way has come back; what was sent back goes out again in the order in which it was made, the first call
 * alone, and the others once that one has an answer.
 *
 * So of two commits in flight the second does not overtake the first. Where a later call may have run all the same (the
 * slot's state changed between the two, or the first came back late from a server that is not in charge any more), the
 * first is not sent again but refused: nothing that changes something runs after a later call that does, and no message
 * is said after a later one.
 *
 * A call that is sent back is tried again until its deadline, at most `repeatsMax` times.
 */

import type { Clock } from '../../clock.ts';
import { NotSent, type Reply } from './connection.ts';
import type { ChannelMessage } from './publisher.ts';

export interface LaneCall {
  readonly slot: number;
  /** An encoded command, or a message. */
  readonly what: Buffer | ChannelMessage;
  readonly isReplicated: boolean;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  /** Position among the lane's calls. */
  readonly n: number;
  /** The node that this one call was sent to by an ASK. */
  askedOf: string | undefined;
  /** The node that it was sent to last. */
  sentTo: string;
  /** Times that it was sent back. A message that was is to go out as a command of its own. */
  repeats: number;
}

export type NewCall = Pick<LaneCall, 'what' | 'isReplicated' | 'deadline' | 'resolve' | 'reject'>;

/** Sends a call; 'again' when it did not run and the lane may try again, at once or a little later. */
export interface Route {
  readonly send: (call: LaneCall) => Promise<Reply>;
  readonly verdict: (call: LaneCall, error: Error) => 'final' | 'at once' | 'later';
}

/** Times that one call is sent again. */
const repeatsMax = 100;
/** Repeats without a pause: a map that was merely old needs one or two. */
const promptMax = 3;
const pauseMs = 10;
const pauseMsMax = 250;
/** Calls that one slot keeps back; one more is refused at once. */
const heldMax = 10_000;

const reading =
  /^\*\d+\r\n\$\d+\r\n(FCALL_RO|XRANGE|LRANGE|HGET|HMGET|HGETALL|HSCAN|ZRANGEBYLEX|ZREVRANGEBYLEX|PING)\r\n/;

/** Whether a call certainly changes nothing; those may overtake others. */
function onlyReads({ what }: LaneCall): boolean {
  return what instanceof Uint8Array && reading.test(what.toString('latin1', 0, 48));
}

function isMessage({ what }: LaneCall): boolean {
  return !(what instanceof Uint8Array);
}

export class Lane {
  readonly #slot: number;
  readonly #route: Route;
  readonly #clock: Clock;
  #made = 0;
  #inFlight = 0;
  #isHeld = false;
  /** The call that is out alone. */
  #probe: LaneCall | undefined;
  #isPrompt = true;
  /** The last call that may have changed something, and the last message that was said. */
  #ran = -1;
  #said = -1;
  /** Sent back, or made while the lane holds. */
  #held: LaneCall[] = [];
  /** What the last call was sent back with. */
  #why = '';

  constructor(slot: number, route: Route, clock: Clock) {
    this.#slot = slot;
    this.#route = route;
    this.#clock = clock;
  }

  send({ what, isReplicated, deadline, resolve, reject }: NewCall): void {
    const call: LaneCall = {
      slot: this.#slot,
      what,
      isReplicated,
      deadline,
      resolve,
      reject,
      n: this.#made++,
      askedOf: undefined,
      sentTo: '',
      repeats: 0,
    };
    if (!this.#isHeld) return this.#dispatch(call);
    if (this.#held.length >= heldMax) call.reject(new NotSent(`${heldMax} calls wait already: ${this.#why}.`));
    else this.#held.push(call);
  }

  #dispatch(call: LaneCall): void {
    this.#inFlight += 1;
    this.#route.send(call).then(
      (reply) => {
        this.#ranOf(call);
        call.resolve(reply);
        this.#cameBack();
      },
      (error: Error) => {
        this.#failed(call, error);
        this.#cameBack();
      },
    );
  }

  #failed(call: LaneCall, error: Error): void {
    const verdict = this.#route.verdict(call, error);
    if (verdict === 'final') {
      if (!(error instanceof NotSent)) this.#ranOf(call);
      call.reject(error);
      return;
    }
    call.repeats += 1;
    this.#why = error.message;
    this.#isPrompt = verdict === 'at once' && call.repeats <= promptMax;
    if (call.repeats > repeatsMax) call.reject(new NotSent(`It was sent back ${repeatsMax} times: ${this.#why}.`));
    else this.#held.push(call);
    this.#isHeld = true;
  }

  #ranOf(call: LaneCall): void {
    if (isMessage(call)) this.#said = Math.max(this.#said, call.n);
    else if (call.n > this.#ran && !onlyReads(call)) this.#ran = call.n;
  }

  /** Whether what it would do must have come first. A message changes nothing, and may have left before calls made earlier. */
  #isOvertaken(call: LaneCall): boolean {
    return isMessage(call) ? call.n < this.#said : call.n < this.#ran && !onlyReads(call);
  }

  #cameBack(): void {
    this.#inFlight -= 1;
    if (!this.#isHeld || this.#inFlight > 0) return;
    const probe = this.#probe;
    this.#probe = undefined;
    this.#held.sort((a, b) => a.n - b.n);
    // Who was sent on by an ASK says nothing of the next one: that one asks for itself, alone.
    if (probe !== undefined && !this.#held.includes(probe)) return this.#goOn(probe.askedOf === undefined);
    if (this.#isPrompt) return this.#goOn(false);
    const pause = Math.min(pauseMs * 2 ** Math.min(this.#held[0]?.repeats ?? 0, 10), pauseMsMax);
    const earliest = this.#held.reduce((least, { deadline }) => Math.min(least, deadline), Number.POSITIVE_INFINITY);
    const left = Math.max(1, earliest - this.#clock.monotonic());
    // Perhaps nothing else is left to wait for: a process that has just started knows no server yet.
    this.#clock.after(Math.min(pause, left), () => this.#goOn(false), { keepAlive: true });
  }

  #goOn(isFree: boolean): void {
    const now = this.#clock.monotonic();
    const [held, why] = [this.#held, this.#why];
    this.#held = [];
    for (const call of held) {
      if (this.#isOvertaken(call)) call.reject(new NotSent(`A later call has overtaken it: ${why}.`));
      else if (call.deadline > now) this.#held.push(call);
      else call.reject(new NotSent(`It was not taken in time: ${why}.`));
    }
    if (this.#held.length === 0 || isFree) {
      const calls = this.#held;
      this.#held = [];
      this.#isHeld = false;
      for (const call of calls) this.#dispatch(call);
      return;
    }
    this.#probe = this.#held.shift() as LaneCall;
    this.#dispatch(this.#probe);
  }
}
