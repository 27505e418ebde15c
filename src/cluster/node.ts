/**
 * One node among others: it beats, looks who is there, opens the shards that placement gives it and gives the others
 * back. There is no leader and no agreement: every node computes the same placement from the same list, and where two
 * differ for a moment the lease decides.
 *
 * It guarantees that a shard is given back only after its owner has finished what it had begun, that a node which cannot
 * beat changes nothing (its leases end by themselves), and that whoever takes a shard tells everyone. A process that finds
 * another one beating under its name gives everything away: it slept for so long that it was replaced, or two were given one name.
 */

import { type Clock, sleep } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import type { Known, Owner } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import { unpacked } from '../shard/parcel.ts';
import type { Shard } from '../shard/shard.ts';
import { acknowledge } from './acknowledgements.ts';
import type { ClusterStore, ClusterView, NodeInfo, Role } from './cluster-store.ts';
import type { Desk } from './desk.ts';
import { Hearsay } from './hearsay.ts';
import { Levels, levelLookMs, levelMsMax } from './levels.ts';
import { type CommonMessage, messagesIn, type NodeMessage, type ShardMessage } from './messages.ts';
import type { News } from './news.ts';
import { placementOf } from './placement.ts';
import type { Post } from './post.ts';
import type { Questions } from './questions.ts';
import { Reach } from './reach.ts';

export interface Membership {
  readonly role: Role;
  readonly weight: number;
  /** For people: where it listens, its version. */
  readonly about: string;
}

export interface NodeOptions extends Membership {
  readonly store: ClusterStore;
  readonly owner: Owner;
  readonly shards: readonly Shard[];
  readonly post: Post;
  readonly desk: Desk;
  readonly questions: Questions;
  readonly news: News;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Log;
  readonly observer: Observer;
  /** The list of nodes was brought up to date. */
  looked?(): void;
}

/** Between looks at a list that is being changed by somebody. */
const lookMsMin = 10;
/** Channels that cannot be listened to do not keep a node from starting; they are tried on. */
const listeningMsMax = 2_000;

export class ClusterNode {
  readonly #options: NodeOptions;
  readonly #startedAt: number;
  readonly #unlisten: (() => void)[] = [];
  /** Ends listening to a shard's channel, for those that are owned or wanted. */
  readonly #listening = new Map<number, () => void>();
  /** Shards that are being given back, until they are. */
  readonly #leaving = new Map<number, Promise<void>>();
  readonly #levels: Levels;
  readonly #hearsay = new Hearsay();
  #view: ClusterView = { nodes: [], pins: new Map() };
  /** Asked for each publication. */
  #isAlone = true;
  #cancelLook: (() => void) | undefined;
  #isLooking = false;
  #isLookDue = false;
  readonly #reach: Reach;
  #isDraining = false;
  #isGone = false;
  #hasSettled = false;
  /** Another process beats under this node's id. */
  #isTaken = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { clock, log, limits, questions } = options;
    const lost = (error: TroupeError): void => questions.giveUp(error);
    this.#reach = new Reach({ node: this.id, clock, log, leaseMs: limits.leaseMs, lost });
    this.#startedAt = clock.now();
    this.#levels = new Levels({ ...options, others: () => this.#view.nodes.filter(({ id }) => id !== this.id) });
  }

  get id(): string {
    return this.#options.owner.node;
  }

  get view(): ClusterView {
    return this.#view;
  }

  /** What was heard of a shard: a store that is behind it has lost something. */
  knownOf(shard: number): Known | undefined {
    return this.#hearsay.knownOf(shard);
  }

  /** Whether nobody else is there, as far as this node knows. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** It is known to the others, owns what it is to own, and is not about to go. */
  get isReady(): boolean {
    return this.#hasSettled && !this.isDraining && !this.#isTaken && !this.isCutOff;
  }

  /** It has not reached the store for as long as a lease lives. */
  get isCutOff(): boolean {
    return this.#reach.isCutOff;
  }

  /** It gives its shards away, because it stops or was told to. */
  get isDraining(): boolean {
    return this.#isDraining || this.#view.nodes.some(({ id, isDraining }) => id === this.id && isDraining);
  }

  /**
   * Joins the others. Resolves when the shards that this node is to own are open, or when that takes longer than leases
   * live. Rejects with NODE_TAKEN when another process goes on beating under this node's id.
   */
  async join(): Promise<void> {
    try {
      await this.#enter();
    } catch (error) {
      this.#isGone = true;
      this.#cancelLook?.();
      for (const unlisten of [...this.#unlisten, ...this.#listening.values()]) unlisten();
      throw error;
    }
    const { clock, limits, log, post } = this.#options;
    post.toEveryone(['look', this.id]);
    this.#place();
    this.#lookAgain();
    const settledBy = clock.monotonic() + limits.leaseMs + levelMsMax;
    while (!this.#isSettled() && clock.monotonic() < settledBy) await sleep(clock, levelLookMs);
    this.#hasSettled ||= this.#isSettled();
    log.info({ node: this.id, nodes: this.#view.nodes.length, shards: this.#owned() }, 'node joined');
  }

  /** Until the others know of it. */
  async #enter(): Promise<void> {
    const { clock, limits, log } = this.#options;
    await this.#listen();
    const until = clock.monotonic() + 2 * limits.leaseMs;
    for (;;) {
      const isLate = clock.monotonic() >= until;
      const isIn = await this.#beat().catch((error: unknown) => {
        if (isLate) throw error;
        return false;
      });
      if (isIn) return;
      if (isLate) throw new TroupeError('NODE_TAKEN', this.#takenMessage, { node: this.id });
      log.warn({ node: this.id }, 'this node cannot join yet; it tries again');
      await sleep(clock, Math.min(500, limits.leaseMs / 3));
    }
  }

  /** Gives every shard back and says that it goes. The channels stay open for answers until `leave`. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    if (await this.#beat().catch(() => false)) this.#options.post.toEveryone(['look', this.id]);
    this.#place();
    await Promise.all(this.#leaving.values());
  }

  async leave(): Promise<void> {
    this.#isGone = true;
    this.#cancelLook?.();
    this.#reach.stop();
    const { store, owner, post, log } = this.#options;
    await store.leave(owner.node, owner.nonce).catch((error: unknown) => {
      log.warn({}, `this node could not take itself off the list, and is forgotten later: ${messageOf(error)}`);
    });
    post.toEveryone(['look', this.id]);
    post.flush();
    for (const unlisten of [...this.#unlisten, ...this.#listening.values()]) unlisten();
  }

  /** A shard of this node was taken: everyone is told where it stands, and sends it what it lacks. */
  took(shard: Shard): void {
    const { shards, post, news, questions } = this.#options;
    for (const other of shards) if (other.isHere) other.outbox.resend(shard.shard, shard.marks.get(other.shard) ?? 0);
    post.toEveryone(['took', shard.shard, [...shard.marks], this.id]);
    news.took(shard.shard);
    questions.took(shard.shard);
    this.#levels.begin(shard);
  }

  /** Looks soon, because something has changed. */
  look(): void {
    if (this.#isGone) return;
    if (this.#isLooking) {
      this.#isLookDue = true;
      return;
    }
    this.#isLooking = true;
    const { log } = this.#options;
    this.#beat()
      .then(
        (isIn) => {
          if (!isIn && !this.#isTaken) log.error({ node: this.id }, this.#takenMessage);
          this.#isTaken = !isIn;
          this.#place();
          return isIn;
        },
        (error: unknown) => {
          log.warn({}, `this node could not beat: ${messageOf(error)}`);
          return false;
        },
      )
      .then((isIn) => {
        this.#isLooking = false;
        this.#lookAgain(isIn);
      });
  }

  get #takenMessage(): string {
    return `Another process is running as node "${this.id}"; give this one a NODE_ID of its own.`;
  }

  /** When the next look is due: a third of a lease, or when somebody's time is over, which only a list that is up to date tells. */
  #lookAgain(isUpToDate = true): void {
    this.#cancelLook?.();
    if (this.#isGone) return;
    const { clock, limits } = this.#options;
    const elapsed = clock.monotonic() - this.#reach.at;
    const others = this.#view.nodes
      .filter(({ id }) => id !== this.id)
      .map(({ expiresInMs }) => expiresInMs - elapsed + 1);
    const known = isUpToDate ? others : [limits.leaseMs / 10];
    const ms = this.#isLookDue ? lookMsMin : Math.max(lookMsMin, Math.min(limits.leaseMs / 3, ...known));
    this.#isLookDue = false;
    this.#cancelLook = clock.after(ms, () => this.look());
  }

  async #beat(): Promise<boolean> {
    const { store, owner, role, weight, about, clock, limits, shards, observer, post } = this.#options;
    const askedAt = clock.monotonic();
    const open = shards.filter((shard) => shard.isOpen);
    const info: NodeInfo = {
      id: owner.node,
      nonce: owner.nonce,
      role,
      weight: role === 'gateway' ? 0 : weight,
      isDraining: this.#isDraining,
      startedAt: this.#startedAt,
      about,
      heads: Object.fromEntries(open.map((shard) => [shard.shard, shard.commits])),
      epochs: Object.fromEntries(open.map((shard) => [shard.shard, shard.lease?.epoch.number ?? 0])),
      heard: this.#hearsay.passedOn((shard) => shards[shard]?.isOpen === true),
    };
    const view = await store.beat(info, limits.leaseMs);
    if (view === false) return false;
    const known = new Set(this.#view.nodes.map(({ id }) => id));
    for (const node of view.nodes) this.#hearsay.listen(node);
    this.#view = view;
    this.#isAlone = view.nodes.every(({ id }) => id === this.id);
    this.#reach.reached(askedAt);
    // Until now nothing was published for it: it reads again what it may have missed.
    for (const { id } of view.nodes) if (!known.has(id) && id !== this.id) post.toNode(id, ['hello', this.id]);
    observer.members(view.nodes.length);
    this.#options.looked?.();
    return true;
  }

  /** Opens and gives back what the list says. */
  #place(): void {
    if (this.#isGone) return;
    for (const shard of this.#options.shards) {
      const isOurs = !this.#isDraining && !this.#isTaken && placementOf(shard.shard, this.#view) === this.id;
      if (isOurs) this.#want(shard);
      else this.#giveBack(shard);
    }
    this.#hasSettled ||= this.#isSettled();
  }

  #want(shard: Shard): void {
    if (shard.isWanted || shard.failure !== undefined || this.#leaving.has(shard.shard)) return;
    const { store, log } = this.#options;
    if (!this.#listening.has(shard.shard)) {
      const listener = {
        message: (payload: Uint8Array) => this.#heardForShard(shard, payload),
        active: () => shard.ring(),
      };
      this.#listening.set(shard.shard, store.listen({ kind: 'shard', shard: shard.shard }, listener));
    }
    shard.open().catch((error: unknown) => {
      log.error({ shard: shard.shard }, `shard ${shard.shard} stays closed: ${messageOf(error)}`);
    });
  }

  #giveBack(shard: Shard): void {
    if (!shard.isWanted || this.#leaving.has(shard.shard)) return;
    const { clock, log, observer, news } = this.#options;
    const since = clock.monotonic();
    const wasOpen = shard.isOpen;
    const left = shard
      .stop()
      .catch((error: unknown) => log.error({ shard: shard.shard }, `a shard was not given back: ${messageOf(error)}`))
      .then(() => {
        this.#listening.get(shard.shard)?.();
        this.#listening.delete(shard.shard);
        this.#leaving.delete(shard.shard);
        void news.away(shard.shard);
        if (wasOpen) observer.handedOver(shard.shard, clock.monotonic() - since);
        // It may have been wanted again meanwhile.
        if (!this.#isDraining) this.#place();
      });
    this.#leaving.set(shard.shard, left);
  }

  #isSettled(): boolean {
    const { shards } = this.#options;
    return shards.every((shard) => !shard.isWanted || shard.isOpen || shard.failure !== undefined);
  }

  #owned(): number {
    return this.#options.shards.filter((shard) => shard.isOpen).length;
  }

  /** Resolves when the node's channels are heard, or when that takes too long. */
  async #listen(): Promise<void> {
    const { store, clock } = this.#options;
    const heard = [
      { channel: { kind: 'node', node: this.id }, message: (payload: Uint8Array) => this.#heard(payload) },
      { channel: { kind: 'everyone' }, message: (payload: Uint8Array) => this.#heardByAll(payload) },
    ] as const;
    const active = heard.map(
      ({ channel, message }) =>
        new Promise<void>((resolve) => {
          const onActive = (): void => {
            resolve();
            if (this.#hasSettled) this.#heardAgain();
          };
          this.#unlisten.push(store.listen(channel, { message, active: onActive }));
        }),
    );
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(listeningMsMax, resolve, { keepAlive: true });
    });
    await Promise.race([Promise.all(active), late]);
    cancel();
  }

  /** Somebody may have come or gone unheard, or answered, or published what nobody heard. */
  #heardAgain(): void {
    this.look();
    this.#options.questions.again();
    this.#options.news.catchUp();
  }

  #heardForShard(shard: Shard, payload: Uint8Array): void {
    if (this.#options.desk.hearRing(payload, shard) || !shard.isHere) return;
    for (const message of messagesIn<ShardMessage>(payload, this.#options.log)) {
      if (message[0] === 'parcel') shard.arrive(message[1], message[2], unpacked(message[3]), message[4]);
      else if (message[0] === 'acknowledge') shard.outbox.acknowledge(message[1], message[2]);
      else if (message[0] === 'resend') shard.outbox.resend(message[1], message[2]);
      else if (message[0] === 'level') this.#levels.say(shard.shard, message[1]);
    }
  }

  #heard(payload: Uint8Array): void {
    for (const message of messagesIn<NodeMessage>(payload, this.#options.log)) this.hear(message);
  }

  /** What was said to this node, by another one or by itself. */
  hear(message: NodeMessage): void {
    if (message[0] === 'hello') this.#options.news.catchUp();
    else if (message[0] === 'acknowledged') acknowledge(this.#options.shards, message[1]);
    else if (message[0] === 'answer' || message[0] === 'refusal') this.#options.questions.answered(message);
  }

  #heardByAll(payload: Uint8Array): void {
    const { shards, post, news, questions } = this.#options;
    for (const message of messagesIn<CommonMessage>(payload, this.#options.log)) {
      if (message[0] === 'look' && message[1] !== this.id) this.look();
      else if (message[0] === 'missed') news.catchUpShard(message[1]);
      else if (message[0] === 'took' && message[3] !== this.id) {
        const [, taken, marks] = message;
        const standing = new Map(marks);
        for (const shard of shards) if (shard.isHere) shard.outbox.resend(taken, standing.get(shard.shard) ?? 0);
        post.toShard(taken, ['level', this.id]);
        questions.took(taken);
        news.catchUpShard(taken);
      }
    }
  }
}
