/**
 * The state of the lease model: a store that keeps one shard, the nodes that want it, and the calls on their way between
 * them. Times are what is left of a span, so that no clock's reading is part of a state and time may go on for ever.
 * Epochs, nonces and commit ids are numbers that only rise; a state's key keeps of them what they are compared with.
 */

/** Every commit's envelopes and a dot: `12.a.` is two commits, the first with two envelopes of the inbox. */
export type History = string;

export interface Commit {
  readonly id: number;
  readonly epoch: number;
  readonly nonce: number;
  /** The history that it was computed from; its number is one more than that has commits. */
  readonly base: History;
  /** Envelopes: digits are numbers of the inbox, letters are commands that were given to this node. */
  readonly adds: string;
  /** The inbox is handled up to here; 0 says nothing. */
  readonly inbox: number;
}

export interface Store {
  readonly epoch: number;
  /** Of the process that holds the shard; 0 for nobody. */
  readonly nonce: number;
  /** Time by the store's clock until the lease expires. */
  readonly left: number;
  readonly history: History;
  /** Id of the last commit; 0 before the first. */
  readonly headId: number;
  readonly inboxLast: number;
  readonly inboxDone: number;
}

/** A turn that was run, in the line of those before it. */
export type Flight =
  | { readonly kind: 'commit'; readonly commit: Commit; readonly outcome: 'asked' | 'done' | 'refused' | 'unknown' }
  /** `asked` is the number of commits in the store when the read was asked. */
  | { readonly kind: 'read'; readonly asked: number; readonly shown: History };

/** Taking the shard: asked, answered by the store, and its open work read. `left` counts from the asking. */
export interface Acquiring {
  readonly status: 'asked' | 'acquired' | 'read';
  readonly left: number;
  readonly epoch: number;
  readonly head: History;
  readonly headId: number;
  readonly inbox: number;
}

export interface Renewing {
  readonly status: 'asked' | 'yes';
  readonly left: number;
  readonly epoch: number;
}

/** A call whose reply nobody waits for any more: the store may still get it, at any time. */
export type StrayCall =
  | { readonly kind: 'acquire'; readonly nonce: number }
  | { readonly kind: 'renew'; readonly epoch: number; readonly nonce: number }
  | { readonly kind: 'release'; readonly epoch: number; readonly nonce: number }
  | { readonly kind: 'commit'; readonly commit: Commit }
  /** Only where commits do not carry the inbox's number. */
  | { readonly kind: 'mark'; readonly epoch: number; readonly inbox: number };

/** `lost` is acquiring, for the first time or again. */
export type Phase = 'closed' | 'lost' | 'open' | 'draining';

export interface Node {
  readonly nonce: number;
  readonly phase: Phase;
  /** It was draining when it was lost. */
  readonly isDraining: boolean;
  readonly epoch: number;
  /** Time by the node's own clock until it takes its lease for over. */
  readonly left: number;
  /** What its cells show: what it knows to be committed, and its flights on top. */
  readonly history: History;
  /** Up to where it has taken envelopes from the inbox. */
  readonly taken: number;
  readonly mailbox: string;
  readonly flights: readonly Flight[];
  readonly acquiring: Acquiring | undefined;
  readonly renewing: Renewing | undefined;
  /** A reading of the inbox on its way back: up to where, and under which epoch it was asked for. */
  readonly inboxPage: { readonly upto: number; readonly epoch: number } | undefined;
  readonly strays: readonly StrayCall[];
}

export interface LeaseState {
  readonly store: Store;
  readonly nodes: readonly Node[];
  /** Commands given to an owner directly, so far. */
  readonly commands: number;
  /** The last nonce, commit id and epoch that were given out. */
  readonly minted: number;
}

export const idleNode: Omit<Node, 'nonce'> = {
  phase: 'closed',
  isDraining: false,
  epoch: 0,
  left: 0,
  history: '',
  taken: 0,
  mailbox: '',
  flights: [],
  acquiring: undefined,
  renewing: undefined,
  inboxPage: undefined,
  strays: [],
};

export function initialState(nodes: number): LeaseState {
  return {
    store: { epoch: 0, nonce: 0, left: 0, history: '', headId: 0, inboxLast: 0, inboxDone: 0 },
    nodes: Array.from({ length: nodes }, (_, i) => ({ ...idleNode, nonce: i + 1 })),
    commands: 0,
    minted: nodes,
  };
}

export function commitsIn(history: History): number {
  let count = 0;
  for (let i = 0; i < history.length; i++) if (history[i] === '.') count++;
  return count;
}

export function isOfInbox(envelope: string): boolean {
  return envelope >= '0' && envelope <= '9';
}

interface Seen {
  readonly epoch: number;
  readonly nonce: number;
  readonly headId: number;
  readonly key: string;
}

/** Keys of nodes: most steps change one node and nothing that the others are compared with. */
const seen = new WeakMap<Node, Seen>();

/**
 * One key for all states that behave alike: an epoch is the store's or an old one, a nonce is the node's own, the
 * holder's or nobody's, a commit id is the head's or the n-th of its node, and nodes have no order.
 */
export function keyOf({ store, nodes, commands }: LeaseState): string {
  const keys = nodes.map((node) => keyOfNode(node, store)).sort();
  const { nonce, left, history, inboxLast, inboxDone } = store;
  return `${nonce === 0 ? 0 : 1}${left}/${history}/${inboxLast}${inboxDone}${commands}|${keys.join('|')}`;
}

function keyOfNode(node: Node, { epoch, nonce, headId }: Store): string {
  const last = seen.get(node);
  if (last !== undefined && last.epoch === epoch && last.nonce === nonce && last.headId === headId) return last.key;
  const ids: number[] = [];
  const id = (one: number): string => {
    if (one === headId) return 'h';
    const at = ids.indexOf(one);
    return at < 0 ? `${ids.push(one) - 1}` : `${at}`;
  };
  const age = (one: number): string => (one === epoch ? 'e' : one === 0 ? '' : 'o');
  const who = (one: number): string => (one === node.nonce ? 'm' : one === nonce ? 'h' : 'd');
  const commit = (one: Commit): string => `${id(one.id)}${age(one.epoch)}${one.base}+${one.adds},${one.inbox}`;
  const { acquiring, renewing, inboxPage } = node;
  const parts = [
    `${node.phase[0]}${node.isDraining ? 'd' : ''}${node.nonce === nonce ? 'h' : ''}${age(node.epoch)}${node.left}`,
    `${node.history},${node.taken},${node.mailbox}`,
    ...node.flights.map((flight) =>
      flight.kind === 'read' ? `?${flight.asked}${flight.shown}` : flight.outcome[0] + commit(flight.commit),
    ),
    acquiring === undefined
      ? ''
      : `a${acquiring.status}${acquiring.left}${age(acquiring.epoch)}${id(acquiring.headId)}${acquiring.head},${acquiring.inbox}`,
    renewing === undefined ? '' : `r${renewing.status}${renewing.left}${age(renewing.epoch)}`,
    inboxPage === undefined ? '' : `i${inboxPage.upto}${inboxPage.epoch === node.epoch ? '' : 'o'}`,
    ...node.strays.map((stray) => {
      if (stray.kind === 'commit') return `c${commit(stray.commit)}`;
      if (stray.kind === 'acquire') return `A${who(stray.nonce)}`;
      return `${stray.kind}${age(stray.epoch)}${stray.kind === 'mark' ? stray.inbox : ''}`;
    }),
  ];
  const key = parts.join(';');
  seen.set(node, { epoch, nonce, headId, key });
  return key;
}
