import { describeJournal } from './conformance.ts';
import { redisAdapter } from './redis-store.ts';

describeJournal('redis', redisAdapter);
