/** The journal on a Redis Cluster. */

import { describe } from 'vitest';
import { describeJournal } from './conformance.ts';
import { clusterForFile, groupAdapter } from './redis-groups.ts';

describe('a cluster', () => {
  const group = clusterForFile({ replicas: 0, nodeTimeoutMs: 60_000 });
  describeJournal('cluster', groupAdapter('redis', group));
});
