/** Something that a balancer takes for a node: it says whether it is ready as it is told, and counts who comes. */

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BalancedNode } from './haproxy-process.ts';

async function listen(answer: RequestListener): Promise<Server> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): string {
  return String((server.address() as AddressInfo).port);
}

export class StandInNode implements BalancedNode {
  isReady = false;
  /** Times it was asked whether it is ready. */
  checks = 0;
  requests = 0;
  port = '';
  operatorsPort = '';
  readonly #servers: Server[] = [];

  static async start(): Promise<StandInNode> {
    const node = new StandInNode();
    const clients = await listen((_, response) => {
      node.requests++;
      response.end('a stand-in');
    });
    const operators = await listen(({ url }, response) => {
      node.checks++;
      // Like a node, it lives all the time.
      response.writeHead(url === '/livez' || node.isReady ? 200 : 503).end();
    });
    node.#servers.push(clients, operators);
    node.port = portOf(clients);
    node.operatorsPort = portOf(operators);
    return node;
  }

  /** Says it from here on, and counts anew. */
  say(isReady: boolean): void {
    this.isReady = isReady;
    this.checks = 0;
    this.requests = 0;
  }

  end(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}
