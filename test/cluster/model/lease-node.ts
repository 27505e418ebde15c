/**
 * What one node of the lease model can do next: its own steps, those that the store takes for its calls, and its faults.
 * Each is what the code does without waiting in between.
 */

import type { Breach } from './explore.ts';
import type { Property, Rules, Scene } from './lease-rules.ts';
import {
  commitsIn,
  type Flight,
  idleNode,
  isOfInbox,
  type LeaseState,
  type Node,
  type Store,
  type StrayCall,
} from './lease-state.ts';
import { acquire, commit, deliver, isSpent, renew } from './lease-store.ts';

/** A step without the nodes that it leaves alone. */
export interface Move {
  readonly label: string;
  readonly node?: Node;
  readonly store?: Store;
  readonly minted?: number;
  readonly commands?: number;
  readonly isFault?: boolean;
  readonly breaches?: readonly Breach<Property>[];
}

export function movesOf(state: LeaseState, node: Node, scene: Scene, rules: Rules): readonly Move[] {
  return new Acts(state, node, scene, rules).moves();
}

class Acts {
  readonly #state: LeaseState;
  readonly #store: Store;
  readonly #node: Node;
  readonly #scene: Scene;
  readonly #rules: Rules;
  readonly #moves: Move[] = [];

  constructor(state: LeaseState, node: Node, scene: Scene, rules: Rules) {
    this.#state = state;
    this.#store = state.store;
    this.#node = node;
    this.#scene = scene;
    this.#rules = rules;
  }

  moves(): readonly Move[] {
    const { phase } = this.#node;
    this.#acquiring();
    if (phase === 'open' || phase === 'draining') {
      this.#renewing();
      this.#turns();
      this.#landing();
      this.#handingOver();
    }
    this.#inbox();
    this.#faults();
    return this.#moves;
  }

  #do(label: string, move: Omit<Move, 'label'>): void {
    this.#moves.push({ label, ...move });
  }

  /** The node's own deadline, counted from now. */
  get #lifetime(): number {
    return this.#scene.leaseMs - this.#scene.marginMs;
  }

  #acquiring(): void {
    const node = this.#node;
    const { acquiring } = node;
    if (acquiring === undefined) {
      if (node.phase !== 'closed' && node.phase !== 'lost') return;
      const asked = { status: 'asked', left: this.#lifetime, epoch: 0, head: '', headId: 0, inbox: 0 } as const;
      this.#do('asks for the shard', { node: { ...node, phase: 'lost', acquiring: asked } });
      if (node.phase === 'lost') this.#do('gives the shard up', { node: this.#closed(node) });
    } else if (acquiring.status === 'asked') {
      for (const { store, minted, outcome } of acquire(this.#state, node.nonce, this.#rules, this.#scene)) {
        if (outcome === 'held') {
          this.#do('is told that the shard is held', { node: resting({ ...node, acquiring: undefined }) });
          continue;
        }
        const { epoch, history: head, headId } = store;
        const acquired = { ...acquiring, status: 'acquired', epoch, head, headId } as const;
        this.#do(`is given epoch ${epoch} by the store`, { store, minted, node: { ...node, acquiring: acquired } });
      }
      if (node.phase === 'lost' && this.#scene.stops) {
        this.#do('is told to stop while it acquires', {
          node: { ...this.#closed({ ...node, acquiring: undefined }), acquiring },
        });
      }
    } else if (acquiring.status === 'acquired' && node.phase === 'lost') {
      const { inboxDone, inboxLast } = this.#store;
      const inbox = this.#rules.inboxStartsAfterDone ? inboxDone : inboxLast;
      this.#do('reads the open work of the shard', {
        node: { ...node, acquiring: { ...acquiring, status: 'read', inbox } },
      });
    } else this.#do(...this.#opening());
  }

  /** `#take` and `#settle`: the flights are judged by the head, and the shard is open. */
  #opening(): [string, Omit<Move, 'label'>] {
    const { nonce, ...node } = this.#node;
    const { epoch, left, head, headId, inbox } = node.acquiring!;
    const lifetime = this.#rules.leaseCountsFromAsk ? left : this.#lifetime;
    if (node.phase === 'closed') {
      const strays = this.#kept(node.strays, { kind: 'release', epoch, nonce });
      return ['has got what it does not want any more and releases it', { node: { ...idleNode, nonce, strays } }];
    }
    const flights = node.flights.flatMap((flight) => (flight.kind === 'commit' ? [flight.commit] : []));
    const last = flights.findIndex(
      (one) => commitsIn(one.base) + 1 === commitsIn(head) && (!this.#rules.fateComparesId || one.id === headId),
    );
    const isForeign = last < 0 && flights[0] !== undefined && commitsIn(head) > commitsIn(flights[0].base);
    const done = flights.slice(0, last + 1).flatMap(({ adds }) => [...adds]);
    const again = isForeign ? [] : flights.slice(last + 1).flatMap(({ adds }) => [...adds]);
    const opened: Node = {
      ...idleNode,
      nonce,
      strays: node.strays,
      phase: node.isDraining ? 'draining' : 'open',
      epoch,
      left: lifetime,
      history: head,
      taken: inbox,
      mailbox: [...again.filter((envelope) => !isOfInbox(envelope)), node.mailbox].join(''),
      inboxPage: this.#rules.pageBelongsToLease ? undefined : node.inboxPage,
    };
    const answers = done.length > 0 ? ` and answers ${done.join(' and ')}` : '';
    return [`opens the shard at "${head}"${answers}`, { node: opened, breaches: this.#notDurable(done) }];
  }

  #renewing(): void {
    const node = this.#node;
    const { renewing } = node;
    if (renewing === undefined) {
      if (!this.#scene.renewals || node.left === this.#lifetime) return;
      const asked = { status: 'asked', left: this.#lifetime, epoch: node.epoch } as const;
      return this.#do('asks to renew its lease', { node: { ...node, renewing: asked } });
    }
    if (renewing.status === 'asked') {
      const renewed = renew(this.#store, renewing.epoch, node.nonce, this.#rules, this.#scene);
      for (const store of renewed)
        this.#do('is renewed by the store', { store, node: { ...node, renewing: { ...renewing, status: 'yes' } } });
      // Once it is refused it always is, so a late reply differs in nothing from a late call.
      if (renewed.length === 0) this.#do('is not renewed, and starts again', { node: this.#lost(node) });
    } else {
      const left = this.#rules.leaseCountsFromAsk ? renewing.left : this.#lifetime;
      this.#do('hears that it was renewed', { node: { ...node, renewing: undefined, left } });
    }
  }

  #inbox(): void {
    const node = this.#node;
    const { inboxPage, taken, phase } = node;
    if (inboxPage === undefined) {
      const upto = this.#store.inboxLast;
      if (phase !== 'open' || upto === taken) return;
      const inboxPage = { upto, epoch: node.epoch };
      if (!this.#scene.latePages) return this.#takePage(node, inboxPage);
      return this.#do(`reads the inbox up to ${upto}`, { node: { ...node, inboxPage } });
    }
    if (phase === 'open') this.#takePage(node, inboxPage);
  }

  #takePage(node: Node, inboxPage: NonNullable<Node['inboxPage']>): void {
    const { taken } = node;
    const from = inboxPage.epoch === node.epoch ? taken : 0;
    const page = Array.from({ length: Math.max(0, inboxPage.upto - from) }, (_, i) => from + i + 1);
    const mailbox = node.mailbox + page.join('');
    const next = { ...node, inboxPage: undefined, mailbox, taken: Math.max(taken, inboxPage.upto) };
    this.#do(`takes ${page.join(' and ')} from the inbox`, { node: next });
  }

  #turns(): void {
    const { commands, minted } = this.#state;
    const node = this.#node;
    const { mailbox, flights, epoch, history, nonce } = node;
    if (node.phase === 'open' && commands < this.#scene.commands) {
      const command = 'abc'[commands]!;
      this.#do(`is given command ${command}`, {
        commands: commands + 1,
        node: { ...node, mailbox: mailbox + command },
      });
    }
    if (this.#scene.reads && node.phase === 'open' && !flights.some(({ kind }) => kind === 'read')) this.#read();
    const underWay = flights.filter(({ kind }) => kind === 'commit').length;
    if (mailbox === '' || underWay >= this.#scene.commitsInFlight) return;
    for (const size of new Set([1, mailbox.length])) {
      const adds = mailbox.slice(0, size);
      const inbox = Math.max(0, ...[...adds].filter(isOfInbox).map(Number));
      const one = { id: minted + 1, epoch, nonce, base: history, adds, inbox };
      this.#do(`runs a turn with ${[...adds].join(' and ')} and sends its commit`, {
        minted: minted + 1,
        breaches: this.#rules.answerWaitsForCommit ? [] : this.#notDurable([...adds]),
        node: {
          ...node,
          mailbox: mailbox.slice(size),
          history: `${history}${adds}.`,
          flights: [...flights, { kind: 'commit', commit: one, outcome: 'asked' }],
        },
      });
    }
  }

  /**
   * A read with nothing before it in the line is asked, run and answered in one step: had it been asked earlier or
   * answered later, it would be held to less.
   */
  #read(): void {
    const node = this.#node;
    const read = { kind: 'read', asked: commitsIn(this.#store.history), shown: node.history } as const;
    if (node.flights.length === 0 || !this.#rules.readWaitsInLine) return this.#landRead(read, node);
    this.#do('is asked to read, and runs the turn', { node: { ...node, flights: [...node.flights, read] } });
  }

  /** `#land`, and the store that gets one of the commits under way. */
  #landing(): void {
    const node = this.#node;
    for (const [index, flight] of node.flights.entries()) {
      if (flight.kind !== 'commit' || flight.outcome !== 'asked') continue;
      const { store, outcome, breaches } = commit(this.#store, flight.commit, this.#rules);
      const flights = node.flights.with(index, { ...flight, outcome });
      const label = `has its commit of ${[...flight.commit.adds].join(' and ')} ${outcome === 'done' ? 'applied' : 'refused'} by the store`;
      this.#do(label, { store, breaches, node: { ...node, flights } });
    }
    const first = node.flights[0];
    const left = { ...node, flights: node.flights.slice(1) };
    if (first?.kind === 'read') return this.#landRead(first, left);
    if (first === undefined || first.outcome === 'asked') return;
    if (first.outcome === 'done' || (first.outcome === 'unknown' && !this.#rules.unknownIsNotDone)) {
      return this.#landDone(first, left);
    }
    if (first.outcome === 'unknown' && !this.#rules.unknownIsResolved) {
      const hasCommand = [...first.commit.adds].some((envelope) => !isOfInbox(envelope));
      return this.#do('forgets its unknown commit', { node: left, breaches: hasCommand ? [unanswered] : [] });
    }
    this.#do(`starts again after a commit that was ${first.outcome}`, { node: this.#lost(node) });
  }

  #landRead({ asked, shown }: Extract<Flight, { kind: 'read' }>, left: Node): void {
    if (this.#rules.readChecksLease && left.left === 0) {
      return this.#do('finds its lease over before it answers a read', { node: this.#lost(this.#node) });
    }
    const breaches: Breach<Property>[] = [];
    if (!this.#store.history.startsWith(shown)) {
      breaches.push({ property: 'durable', message: `a read showed "${shown}" of "${this.#store.history}"` });
    }
    if (commitsIn(shown) < asked) {
      breaches.push({
        property: 'fresh',
        message: `a read showed "${shown}" when there were ${asked} commits already`,
      });
    }
    this.#do(`answers the read with "${shown}"`, { node: left, breaches });
  }

  #landDone({ commit: one }: Extract<Flight, { kind: 'commit' }>, left: Node): void {
    const mark = { kind: 'mark', epoch: one.epoch, inbox: one.inbox } as const;
    const strays = this.#rules.commitCarriesInbox || one.inbox === 0 ? left.strays : this.#kept(left.strays, mark);
    const envelopes = [...one.adds];
    this.#do(`answers ${envelopes.join(' and ')}`, {
      node: { ...left, strays },
      breaches: this.#notDurable(envelopes),
    });
  }

  #handingOver(): void {
    const node = this.#node;
    if (node.left === 0 && this.#rules.timerLetsGo) {
      this.#do('lets go: its lease may have expired', { node: this.#lost(node) });
    }
    if (node.phase === 'open') {
      return this.#do('is told to hand over', {
        node: { ...node, phase: 'draining', inboxPage: undefined, mailbox: withoutInbox(node.mailbox) },
      });
    }
    const isIdle = node.mailbox === '' && node.flights.length === 0;
    if (!isIdle && this.#rules.drainFinishesFlights) return;
    const { nonce, epoch } = node;
    const taken = node.flights.map((flight) => (flight.kind === 'commit' ? flight.commit.adds : '')).join('');
    const isSilent = [...taken].some((envelope) => !isOfInbox(envelope));
    const strays = this.#kept(this.#closed(node).strays, { kind: 'release', epoch, nonce });
    this.#do('releases the shard', { node: { ...idleNode, nonce, strays }, breaches: isSilent ? [unanswered] : [] });
  }

  #faults(): void {
    const { nonce: _, ...node } = this.#node;
    for (const [index, call] of node.strays.entries()) {
      const strays = node.strays.toSpliced(index, 1);
      for (const { store, minted } of deliver(this.#state, call, this.#rules, this.#scene)) {
        const breaches = call.kind === 'commit' ? commit(this.#store, call.commit, this.#rules).breaches : [];
        this.#do(`has a late ${call.kind} done by the store`, {
          store,
          minted,
          node: { ...this.#node, strays },
          breaches,
        });
      }
    }
    const nonce = this.#state.minted + 1;
    const isFresh = node.phase === 'closed' && node.acquiring === undefined;
    if (this.#scene.kills && !isFresh) {
      const strays = this.#closed(this.#node).strays;
      this.#do('is killed; a new process starts', {
        isFault: true,
        minted: nonce,
        node: { ...idleNode, nonce, strays },
      });
    }
    if (this.#scene.breaks) this.#break();
  }

  /** All its calls under way fail, and may still get there. */
  #break(): void {
    const node = this.#node;
    const { acquiring, renewing, inboxPage, flights } = node;
    const isAsking = flights.some((flight) => flight.kind === 'commit' && flight.outcome === 'asked');
    if (!isAsking && acquiring === undefined && renewing === undefined && inboxPage === undefined) return;
    const next: Node = {
      ...node,
      acquiring: undefined,
      renewing: undefined,
      inboxPage: undefined,
      flights: flights.map((flight) =>
        flight.kind === 'commit' && flight.outcome !== 'refused' ? { ...flight, outcome: 'unknown' } : flight,
      ),
      strays: this.#straysOf(node),
    };
    this.#do('loses its connection', { isFault: true, node: next });
  }

  /** Nobody waits for its calls under way any more; commands that wait are answered with "unknown". */
  #closed(node: Node): Node {
    return { ...idleNode, nonce: node.nonce, strays: this.#straysOf(node) };
  }

  /** `#recover`: everything that was built on uncommitted state goes, and the flights wait to be judged. */
  #lost(node: Node): Node {
    return resting({
      ...idleNode,
      nonce: node.nonce,
      phase: 'lost',
      isDraining: node.phase === 'draining',
      mailbox: withoutInbox(node.mailbox),
      flights: node.flights.flatMap((flight) => (flight.kind === 'commit' ? [{ ...flight, outcome: 'unknown' }] : [])),
      inboxPage: this.#rules.pageBelongsToLease ? undefined : node.inboxPage,
      strays: this.#straysOf(node),
    });
  }

  /** The strays of a node that waits for none of its calls any more. */
  #straysOf({ nonce, acquiring, renewing, flights, strays: before }: Node): readonly StrayCall[] {
    let strays = before;
    if (acquiring?.status === 'asked') strays = this.#kept(strays, { kind: 'acquire', nonce });
    if (renewing?.status === 'asked') strays = this.#kept(strays, { kind: 'renew', epoch: renewing.epoch, nonce });
    for (const flight of flights) {
      if (flight.kind === 'commit' && flight.outcome === 'asked')
        strays = this.#kept(strays, { kind: 'commit', commit: flight.commit });
    }
    return strays;
  }

  /** The newest calls of each kind, as many as the scene has late ones. */
  #kept(strays: readonly StrayCall[], call: StrayCall): readonly StrayCall[] {
    const all = isSpent(call, this.#store, this.#rules) ? strays : [...strays, call];
    const alike = all.filter(({ kind }) => kind === call.kind);
    const max = call.kind === 'mark' ? 1 : this.#scene.late[call.kind];
    return alike.length > max ? all.filter((stray) => stray !== alike[0]) : all;
  }

  #notDurable(envelopes: readonly string[]): readonly Breach<Property>[] {
    const early = envelopes.filter((envelope) => !this.#store.history.includes(envelope));
    if (early.length === 0) return [];
    return [
      { property: 'durable', message: `${early.join(' and ')} was answered, but is not in "${this.#store.history}"` },
    ];
  }
}

const unanswered: Breach<Property> = { property: 'answered', message: 'a command is dropped without an answer' };

/** A node that has lost the shard with nothing to judge or to run again is as good as one that never had it. */
function resting(node: Node): Node {
  if (node.flights.length > 0 || node.mailbox !== '' || node.inboxPage !== undefined) return node;
  return { ...node, phase: 'closed', isDraining: false };
}

/** What came through the inbox stays there, and is read again. */
function withoutInbox(mailbox: string): string {
  return [...mailbox].filter((envelope) => !isOfInbox(envelope)).join('');
}
