import { chatSuite } from './chat-suite.ts';

chatSuite('lmdb');
