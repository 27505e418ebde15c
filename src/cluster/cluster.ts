/**
 * Everything that a system of several nodes has beside its shards, put together: what is said (post), asked (questions),
 * answered (desk) and published (news) between nodes, and the node itself. One object, so that a system of one node needs
 * none of it.
 */

import type { HostedMachine } from '../actor/logic.ts';
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Journal, Owner } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { Shard } from '../shard/shard.ts';
import type { ShardOptions } from '../shard/shard-options.ts';
import type { Transport } from '../shard/transport.ts';
import type { Hub } from '../topic/hub.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { channelTransport } from './channel-transport.ts';
import type { ClusterStore, ClusterView } from './cluster-store.ts';
import { Desk } from './desk.ts';
import { FreshIds } from './fresh-ids.ts';
import type { NodeMessage, Request } from './messages.ts';
import { News } from './news.ts';
import { ClusterNode, type Membership } from './node.ts';
import { Post } from './post.ts';
import { Questions } from './questions.ts';
import { cutOffError } from './reach.ts';
import { ClusterSignals } from './signals.ts';

export interface ClusterOptions {
  readonly journal: Journal;
  readonly store: ClusterStore;
  readonly owner: Owner;
  readonly membership: Membership;
  /** Filled before `node.join`. */
  readonly shards: readonly Shard[];
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly log: Log;
  readonly observer: Observer;
}

export class Cluster {
  readonly node: ClusterNode;
  readonly transport: Transport;
  readonly fresh = new FreshIds();
  readonly signals: ClusterSignals;
  readonly #options: ClusterOptions;
  readonly #acknowledgements: Acknowledgements;
  readonly #questions: Questions;
  readonly #news: News;
  readonly #desk: Desk;

  constructor(options: ClusterOptions) {
    const { store, owner, membership, shards, hub, clock, log } = options;
    this.#options = options;
    const post = new Post(store, clock);
    this.#acknowledgements = new Acknowledgements(post, clock);
    const acknowledgements = this.#acknowledgements;
    this.transport = channelTransport({ node: owner.node, shards, post, acknowledgements });
    this.#questions = new Questions({ ...options, node: owner.node });
    this.#news = new News({
      ...options,
      post,
      isHere: (shard) => shards[shard]?.isOpen ?? false,
      isAlone: () => this.node.isAlone,
    });
    hub.connect(this.#news);
    const answer = (to: string, message: NodeMessage): void => {
      if (to === owner.node) this.node.hear(message);
      else post.toNode(to, message);
    };
    this.#desk = new Desk({ ...options, answer });
    const view = (): ClusterView => this.node.view;
    this.signals = new ClusterSignals({ store, shards: options.journal.shards, nonce: owner.nonce, log, view });
    const looked = (): void => this.signals.looked();
    const parts = { post, questions: this.#questions, news: this.#news, desk: this.#desk, log, looked };
    this.node = new ClusterNode({ ...options, ...membership, ...parts });
  }

  /** What makes a shard one of several nodes' shards. */
  optionsFor(shard: number): Pick<ShardOptions, 'inbox' | 'known' | 'took' | 'gone' | 'isCutOff'> {
    return {
      inbox: this.#desk.sourceOf(shard, () => this.#options.shards[shard]!),
      known: () => this.node.knownOf(shard),
      took: () => {
        this.#acknowledgements.forget(shard);
        this.node.took(this.#options.shards[shard]!);
      },
      gone: () => {
        this.#acknowledgements.forget(shard);
        return this.#news.away(shard);
      },
      isCutOff: () => this.node.isCutOff,
    };
  }

  /** Asks the owner of a shard, whoever that is (questions.ts). Rejects at once while the store is out of reach. */
  ask(shard: number, request: Request, deadlineMs: number): Promise<unknown> {
    if (this.node.isCutOff) return Promise.reject(cutOffError());
    return this.#questions.ask(shard, request, deadlineMs);
  }

  /** After `node.drain`: nothing is asked or heard any more. */
  async leave(): Promise<void> {
    await this.node.leave();
    this.#questions.stop();
    this.#news.stop();
  }
}
