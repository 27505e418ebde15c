/**
 * A port for operators alone: `GET /metrics` for a scraper, `/livez` and `/readyz` for probes. For processes without a
 * gateway, and for those whose gateway the world can reach. It has no authentication, so it belongs on a network that only
 * operators reach; it takes no body, keeps few connections, and gives up on slow peers.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, TroupeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from './prometheus.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Undefined: there are probes alone. */
  readonly metrics?: Pick<Metrics, 'contentType' | 'text'>;
  /** Whether the process can do its work. */
  readonly ready: () => boolean;
  readonly log: Log;
}

export interface MetricsServer {
  readonly port: number;
  close(): void;
}

const connectionsMax = 64;
const requestMsMax = 10_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function json(status: number, word: string): Answer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify({ status: word }) };
}

async function answerOf(request: IncomingMessage, options: MetricsServerOptions): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, 'only GET and HEAD');
  const { metrics } = options;
  if (path === '/metrics' && metrics !== undefined) {
    return { status: 200, type: metrics.contentType, body: await metrics.text() };
  }
  if (path === '/livez') return json(200, 'live');
  if (path === '/readyz') return options.ready() ? json(200, 'ready') : json(503, 'not ready');
  return json(404, 'not found');
}

function write(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  // To a HEAD request Node sends the head alone.
  response.end(body);
}

function listening(server: Server, { host, port }: MetricsServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error) => {
      const message = `Cannot serve metrics on ${host}:${port}: ${messageOf(error)}.`;
      const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      reject(new TroupeError('CONFIG_INVALID', message, { host, port, busy }, error));
    });
    server.listen(port, host);
  });
}

/** Listens. Rejects with `CONFIG_INVALID` when the port is taken (`params.busy`). */
export async function openMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { log } = options;
  const server = createServer({ requestTimeout: requestMsMax, headersTimeout: requestMsMax }, (request, response) => {
    answerOf(request, options).then(
      (answer) => write(response, answer),
      (error: unknown) => {
        log.error({ err: error }, 'metrics could not be written');
        write(response, json(500, 'failed'));
      },
    );
  });
  server.maxConnections = connectionsMax;
  await listening(server, options);
  server.on('error', (error) => log.warn({ err: error }, 'the port for metrics has an error'));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
