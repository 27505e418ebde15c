/** Bytes to a port and the bytes that come back: what no client library would send. */

import { connect } from 'node:net';

export interface RawAnswer {
  readonly text: string;
  readonly status: number;
  readonly closed: boolean;
}

const deadlineMs = 10_000;

/** Sends `request` and reads until the server closes, or until `until` is in what came. */
export function raw(port: number, request: string | readonly string[], until?: string | RegExp): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), closed });
    };
    const timer = setTimeout(() => reject(new Error(`no answer; so far: ${text}`)), deadlineMs);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (until !== undefined && (typeof until === 'string' ? text.includes(until) : until.test(text))) finish(false);
    });
    socket.on('close', () => finish(true));
    // A reset shows as a close with what came before it.
    socket.on('error', () => undefined);
    for (const part of typeof request === 'string' ? [request] : request) socket.write(part);
  });
}

export function get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
