/**
 * What a commit does to a shard of the memory journal: the writes of one synchronous step. memory.ts has decided by then
 * that it is the next one.
 */

import type { JournalBounds } from './bounds.ts';
import type { Commit, TimerKey } from './journal.ts';
import type { MemoryShard } from './memory.ts';

/** Applies a commit, and gives the offsets of its publications. */
export function applyCommit(data: MemoryShard, commit: Commit, bounds: JournalBounds): readonly number[] {
  data.head = { commits: commit.number, seq: commit.firstSeq + commit.entries.length - 1, commitId: commit.id };
  for (const entry of commit.entries) data.entries.push(entry);
  for (const index of commit.actors) data.actors.set(index.actor, index);
  for (const snapshot of commit.snapshots) data.snapshots.set(snapshot.actor, snapshot);
  for (const timer of commit.timersCleared) data.timers.delete(timerKey(timer));
  for (const timer of commit.timersSet) data.timers.set(timerKey(timer), timer);
  applyMessages(data, commit);
  applyViews(data, commit);
  for (const letter of commit.deadLetters) data.deadLetters.push(letter);
  data.deadLetters.splice(0, Math.max(0, data.deadLetters.length - bounds.deadLettersMax));
  return commit.publications.map(({ topic, payload }) => {
    const kept = data.topics.get(topic) ?? { head: 0, publications: [] };
    data.topics.set(topic, kept);
    kept.head += 1;
    kept.publications.push({ offset: kept.head, payload });
    if (kept.publications.length > bounds.topicHistoryMax) kept.publications.shift();
    return kept.head;
  });
}

function applyMessages(data: MemoryShard, commit: Commit): void {
  for (const { to, n } of commit.outbox) data.outboxLast.set(to, n);
  data.inbox = Math.max(data.inbox, commit.inbox);
  for (const { shard, n } of commit.marks) data.marks.set(shard, n);
  if (commit.outbox.length === 0 && commit.outboxAcked.length === 0) return;
  const acked = new Map(commit.outboxAcked.map(({ shard, n }) => [shard, n]));
  data.outbox = [...data.outbox, ...commit.outbox]
    .filter(({ to, n }) => n > (acked.get(to) ?? 0))
    .sort((a, b) => a.to - b.to || a.n - b.n);
}

function applyViews(data: MemoryShard, commit: Commit): void {
  for (const view of commit.viewsCleared) data.views.delete(view);
  for (const { view, key, payload } of commit.views) {
    const rows = data.views.get(view) ?? new Map<string, Uint8Array>();
    data.views.set(view, rows);
    if (payload === undefined) rows.delete(key);
    else rows.set(key, payload);
  }
  data.projections = { ...data.projections, ...commit.projections };
}

function timerKey({ actor, id }: TimerKey): string {
  return `${actor} ${id}`;
}
