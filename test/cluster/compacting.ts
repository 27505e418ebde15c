/** What the nodes of compacting-node.ts and their tests must agree on. */

/** Longer than a killed node's operations stay unanswered, and short enough to be waited for. */
export const retentionMs = 8_000;
