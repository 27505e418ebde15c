/** What the nodes of compacting-node.ts and their tests must agree on. */

/** Longer than a killed node's operations stay unanswered, and short enough to be waited for. */
export const retentionMs = 8_000;

/** So small that a journal is archived, trimmed and its operations retired within seconds. */
export const compactingLimits = {
  retentionMs,
  archiveAfterMs: 300,
  journalEntriesMin: 5,
  segmentEntriesMin: 10,
  segmentEntriesMax: 40,
};
