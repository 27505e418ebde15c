/** The journal on the primary that Sentinels name. */

import { describe } from 'vitest';
import { describeJournal } from './conformance.ts';
import { groupAdapter, sentinelForFile } from './redis-groups.ts';

describe('a primary with Sentinels', () => {
  const group = sentinelForFile({ downAfterMs: 60_000 });
  describeJournal('sentinel', groupAdapter('redis', group));
});
