import { inspectorSuite } from './inspector-suite.ts';

inspectorSuite('redis', 2);
