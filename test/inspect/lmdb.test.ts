import { inspectorSuite } from './inspector-suite.ts';

inspectorSuite('lmdb', 1);
