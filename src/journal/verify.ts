/**
 * Verifies a store: that every snapshot is the fold of its journal (invariant 4), that indices, tails, views, timers,
 * outboxes, marks and topics agree with what the journal says, and that every record is readable. It only reads, needs no
 * lease and may run beside the writer: what it compares was read at positions it knows, so that commits made meanwhile
 * are no differences.
 *
 * What a store has lost and its owners have said so (`Journal.declareLost`) is named beside the differences: nothing that is
 * there contradicts it.
 *
 * It judges with the definitions it is given; it does not know whether they are those the journal was written with. A
 * machine that changed incompatibly shows as differences, which is the point. verify-shard.ts has the checks of one shard.
 */

import type { ActorDefinition } from '../actor/definition.ts';
import { register } from '../actor/registration.ts';
import { messageOf } from '../errors.ts';
import type { Projection } from '../projection/projection.ts';
import type { PackedParcel } from '../shard/parcel.ts';
import { topicShard } from '../topic/topic.ts';
import { decode } from './codec.ts';
import { Findings } from './findings.ts';
import type { Journal, Mark, ShardState } from './journal.ts';
import { verifyArchive } from './verify-archive.ts';
import { ShardVerification } from './verify-shard.ts';

export interface VerifyOptions {
  readonly journal: Journal;
  readonly definitions: readonly ActorDefinition[];
  readonly projections: readonly Projection[];
  /** Called now and then, with what was counted so far. */
  readonly onProgress?: (findings: Findings) => void;
}

/** Topics asked for at once. */
const topicsAtOnce = 64;

/** What links a shard to others, as of one reading. */
interface Links {
  readonly marks: readonly Mark[];
  readonly outboxLast: readonly Mark[];
  /** The highest parcel per receiving shard that is not in the outbox any more. */
  readonly acked: readonly Mark[];
  /** Publications in the outbox; they may have arrived, since an outbox is emptied by a later commit. */
  readonly publications: readonly { readonly to: number; readonly n: number; readonly topic: string }[];
}

function linksOf(shard: number, state: ShardState, findings: Findings): Links {
  const lasts = new Map(state.outboxLast.map(({ shard: to, n }) => [to, n]));
  const acked = new Map(lasts);
  const publications: Links['publications'][number][] = [];
  const previous = new Map<number, number>();
  for (const { to, n, payload } of state.outbox) {
    let follows = n - 1;
    try {
      const { publication, after } = decode<PackedParcel>(payload);
      // After a loss, numbers go on far beyond the last one.
      follows = after ?? follows;
      if (publication !== undefined) publications.push({ to, n, topic: publication.topic });
    } catch (error) {
      findings.differ(shard, `parcel ${n} to shard ${to}`, `is unreadable: ${messageOf(error)}`);
    }
    const before = previous.get(to);
    if (before === undefined) acked.set(to, follows);
    else if (follows !== before) findings.differ(shard, `outbox to shard ${to}`, `goes from parcel ${before} to ${n}`);
    previous.set(to, n);
  }
  for (const [to, n] of previous) {
    if (lasts.get(to) === n) continue;
    findings.differ(
      shard,
      `outbox to shard ${to}`,
      `ends at parcel ${n}, though ${lasts.get(to) ?? 0} were handed out`,
    );
  }
  const ackedMarks = [...acked].map(([to, n]) => ({ shard: to, n }));
  return { marks: state.marks, outboxLast: state.outboxLast, acked: ackedMarks, publications };
}

/** Undefined in the place of a shard whose open work is damaged. */
type AllLinks = readonly (Links | undefined)[];

async function readLinks(journal: Journal, findings: Findings): Promise<AllLinks> {
  const links: (Links | undefined)[] = [];
  for (let shard = 0; shard < journal.shards; shard++) {
    const state = await findings.reading(shard, 'open work', () => journal.readShard(shard));
    for (const loss of state?.losses ?? []) findings.lost(shard, loss);
    links.push(state && linksOf(shard, state, findings));
  }
  return links;
}

function markFor(marks: readonly Mark[], shard: number): number {
  return marks.find((mark) => mark.shard === shard)?.n ?? 0;
}

/**
 * A mark may not be beyond what was sent, nor below what was acknowledged. Both only grow, so the smaller side of each
 * comparison is taken from the earlier reading.
 */
function verifyLinks(earlier: AllLinks, later: AllLinks, findings: Findings): void {
  for (const [shard, links] of earlier.entries()) {
    for (const { shard: from, n } of links?.marks ?? []) {
      const sender = later[from];
      const sent = sender && markFor(sender.outboxLast, shard);
      if (sent === undefined || n <= sent) continue;
      const reason = `is ${n}, though that shard has sent ${sent}: its last writes were lost`;
      findings.differ(shard, `mark for shard ${from}`, reason);
    }
    for (const { shard: to, n } of links?.acked ?? []) {
      const receiver = later[to];
      const mark = receiver && markFor(receiver.marks, shard);
      if (mark === undefined || n <= mark) continue;
      findings.differ(shard, `outbox to shard ${to}`, `lacks parcels ${mark + 1} to ${n}, which never arrived`);
    }
  }
}

/** Publications that the later reading shows as not arrived, by topic. */
function underWay(earlier: AllLinks, later: AllLinks): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [shard, links] of earlier.entries()) {
    for (const { to, n, topic } of links?.publications ?? []) {
      if (n > markFor(later[to]?.marks ?? [], shard)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
    }
  }
  return counts;
}

/** Every publication the journal accounts for must be in its topic or on its way there. */
async function verifyTopics(journal: Journal, waiting: ReadonlyMap<string, number>, findings: Findings): Promise<void> {
  const topics = [...findings.publications];
  const verifyTopic = async ([topic, published]: readonly [string, number]): Promise<void> => {
    const shard = topicShard(topic, journal.shards);
    const page = await findings.reading(shard, topic, () =>
      journal.readTopic(shard, topic, Number.MAX_SAFE_INTEGER, 1),
    );
    if (page === undefined) return;
    const { head, oldest } = page;
    const coming = waiting.get(topic) ?? 0;
    findings.topics++;
    if (head + coming < published && findings.losses.some((loss) => loss.shard === shard)) {
      findings.note('topic of a shard that has lost commits, with fewer publications than the journal accounts for');
    } else if (head + coming < published) {
      const reason = `has ${head} publications and ${coming} on their way; the journal accounts for ${published}`;
      findings.differ(shard, topic, reason);
    }
    if (oldest > head + 1 || oldest < 1) {
      findings.differ(shard, topic, `keeps offsets from ${oldest}, beyond its head ${head}`);
    }
    // An actor that changes nothing and stays absent publishes without an entry; and a writer commits meanwhile.
    if (head > published) findings.note('topic with more publications than the journal accounts for');
  };
  for (let first = 0; first < topics.length; first += topicsAtOnce) {
    await Promise.all(topics.slice(first, first + topicsAtOnce).map(verifyTopic));
  }
}

/**
 * Verifies the whole store. Rejects only when the journal cannot be asked at all; everything wrong with what it holds is
 * in the findings.
 */
export async function verifyJournal(options: VerifyOptions): Promise<Findings> {
  const { journal, projections } = options;
  const hosts = register(options.definitions);
  const findings = new Findings();
  const earlier = await readLinks(journal, findings);
  for (let shard = 0; shard < journal.shards; shard++) {
    const verification = new ShardVerification(journal, shard, hosts, projections, findings);
    if (await verifyArchive(journal, shard, findings)) await verification.run(() => options.onProgress?.(findings));
    else findings.note('shard whose archive lacks entries, which could not be folded');
    findings.shards++;
    options.onProgress?.(findings);
  }
  // What is wrong within an outbox was reported by the first reading.
  const later = await readLinks(journal, new Findings());
  verifyLinks(earlier, later, findings);
  const latest = await readLinks(journal, new Findings());
  await verifyTopics(journal, underWay(later, latest), findings);
  return findings;
}
