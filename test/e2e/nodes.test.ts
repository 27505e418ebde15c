/** Any gateway, any actor: everything that a client is promised holds when each of its calls goes to another node. */

import { chatSuite } from './chat-suite.ts';

chatSuite('redis', 3);
