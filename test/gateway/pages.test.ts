import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPages } from '../../src/gateway/pages.ts';
import { type Chat, chat } from './chat.ts';
import { get, raw } from './raw-http.ts';

const html = '<!doctype html><title>hello</title>';
const script = 'console.log("hello");'.repeat(50);
const font = randomBytes(300_000);

let folder: string;
let server: Chat;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-pages-'));
  for (const name of ['chat', 'inspector', 'assets']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'chat/index.html'), html);
  await writeFile(join(folder, 'inspector/index.html'), '<!doctype html><title>inspector</title>');
  await writeFile(join(folder, 'assets/chat-1a2b.js'), script);
  await writeFile(join(folder, 'assets/chat-1a2b.js.br'), brotliCompressSync(script));
  await writeFile(join(folder, 'assets/chat-1a2b.js.gz'), gzipSync(script));
  await writeFile(join(folder, 'assets/font-3c4d.woff2'), font);
  server = await chat({ pages: folder });
});

afterAll(async () => {
  await server.server.stop();
  await rm(folder, { recursive: true });
});

function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Response> {
  return fetch(`${server.base}${path}`, { method, headers, redirect: 'manual' });
}

describe('documents', () => {
  test('each page is at its own path', async () => {
    const chatPage = await ask('/');
    const inspector = await ask('/inspector');

    expect(chatPage.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect([await chatPage.text(), await inspector.text()]).toEqual([html, expect.stringContaining('inspector')]);
  });

  test('a page may load nothing from elsewhere', async () => {
    const { headers } = await ask('/');

    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });

  test('who issues tokens may be talked to', async () => {
    const options = { folder, documents: { '/': 'chat/index.html' }, connectTo: () => ['https://issuer.example'] };
    const [route] = openPages(options);

    const answer = await route!.answer(
      { method: 'GET', path: '/', query: '', headers: {}, body: new Uint8Array() },
      'en',
    );

    expect(answer.headers?.['content-security-policy']).toContain("connect-src 'self' https://issuer.example;");
  });

  test('a page is asked for again and answered briefly', async () => {
    const first = await ask('/');
    const etag = first.headers.get('etag') as string;

    const again = await ask('/', { 'if-none-match': `"other", W/${etag}` });

    expect(first.headers.get('cache-control')).toBe('no-cache');
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
  });

  test('a path that ends in a slash leads to the page', async () => {
    const answer = await ask('/inspector/');

    expect([answer.status, answer.headers.get('location')]).toEqual([308, '/inspector']);
  });

  test('HEAD tells what GET would', async () => {
    const head = await raw(server.server.port, get('/', { connection: 'close' }, 'HEAD'));

    expect(head.status).toBe(200);
    expect(head.text.toLowerCase()).toContain(`content-length: ${html.length}\r\n`);
    expect(head.text).not.toContain('<!doctype');
  });

  test('other methods are refused with those that work', async () => {
    const answer = await ask('/', {}, 'POST');

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

describe('assets', () => {
  test('what is named by its content is kept for ever', async () => {
    const { headers } = await ask('/assets/chat-1a2b.js');

    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  test.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate, br;q=0', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
    ['identity', undefined, (bytes: Buffer) => bytes],
    ['', undefined, (bytes: Buffer) => bytes],
  ])('a client that takes %j gets it in %s', async (takes, encoding, decode) => {
    const { status, headers, body } = await bytesOf('/assets/chat-1a2b.js', takes);

    expect([status, headers['content-encoding'], headers.vary]).toEqual([200, encoding, 'accept-encoding']);
    expect(decode(body).toString()).toBe(script);
  });

  test('each encoding has a tag of its own', async () => {
    const tags = await Promise.all(['br', 'gzip', 'identity'].map((takes) => bytesOf('/assets/chat-1a2b.js', takes)));

    expect(new Set(tags.map(({ headers }) => headers.etag)).size).toBe(3);
  });

  test('a large file arrives whole', async () => {
    const answer = await ask('/assets/font-3c4d.woff2');

    expect(Buffer.from(await answer.arrayBuffer()).equals(font)).toBe(true);
  });

  test.each([
    '/assets/none.js',
    '/assets/chat-1a2b.js.br',
    '/assets/..%2Fchat%2Findex.html',
    '/assets/',
    '/chat/index.html',
    '/index.html',
  ])('%s is not found', async (path) => {
    const answer = await ask(path);

    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, 'NOT_FOUND']);
  });
});

test('a folder without its documents is refused', () => {
  expect(() => openPages({ folder, documents: { '/': 'absent.html' } })).toThrow(/absent\.html.*npm run prepare/);
});

/** fetch decodes by itself; this shows what is on the wire. */
async function bytesOf(
  path: string,
  takes: string,
): Promise<{ status: number; headers: Record<string, string | undefined>; body: Buffer }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const call = request(`${server.base}${path}`, { headers: { 'accept-encoding': takes } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const { headers, statusCode = 0 } = answer;
        resolve({ status: statusCode, headers: headers as Record<string, string>, body: Buffer.concat(chunks) });
      });
    });
    call.on('error', reject);
    call.end();
  });
}
