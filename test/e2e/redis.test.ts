import { chatSuite } from './chat-suite.ts';

chatSuite('redis');
