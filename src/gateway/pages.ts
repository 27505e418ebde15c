/**
 * Web pages: files built beforehand, read once when the gateway opens, each with its compressed copies (`.br`, `.gz`
 * beside it). It guarantees that a page runs nothing and asks nobody but what its policy names, that a client which has a
 * file is told so (ETag), and that what is named by its content (`/assets/`) is never asked for twice. It deliberately
 * serves nothing that is not in the folder at that moment, and knows nothing of how the files came there.
 */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { TroupeError } from '../errors.ts';
import type { OpenRoute } from './command.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { Refusal } from './problem.ts';

export interface PagesOptions {
  /** Holds the documents, and what they load in `assets/`. */
  readonly folder: string;
  /** Path of each page, to its document in the folder: `{ '/': 'chat/index.html' }`. */
  readonly documents: Readonly<Record<string, string>>;
  /** Origins beside its own that a page may talk to: those who issue its tokens. Asked for each time, since they become known. */
  readonly connectTo?: () => readonly string[];
}

/** All files of the pages together, uncompressed: they are held in memory. */
const pagesBytesMax = 32 * 1024 * 1024;
const assetsPath = '/assets/{file}';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

type Encoding = 'br' | 'gzip';
const encodings: readonly (readonly [encoding: Encoding, suffix: string])[] = [
  ['br', '.br'],
  ['gzip', '.gz'],
];

interface PageFile {
  readonly type: string;
  readonly digest: string;
  readonly plain: Uint8Array;
  readonly encoded: ReadonlyMap<Encoding, Uint8Array>;
}

/** What a page may do. Nothing inline, nothing from elsewhere, no frames, no forms that leave the page. */
function policyOf(connectTo: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...connectTo].join(' '),
    "worker-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** The encodings that the client takes, as far as there are copies: `br` before `gzip`. */
function accepted(header: string | undefined, file: PageFile): Encoding | undefined {
  if (header === undefined) return undefined;
  const named = new Map<string, boolean>();
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    named.set(name, !parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter)));
  }
  const takes = (encoding: Encoding): boolean => named.get(encoding) ?? named.get('*') ?? false;
  return encodings.map(([encoding]) => encoding).find((encoding) => file.encoded.has(encoding) && takes(encoding));
}

function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '')));
}

function readFile(path: string): PageFile {
  const plain = readFileSync(path);
  const encoded = new Map<Encoding, Uint8Array>();
  for (const [encoding, suffix] of encodings) {
    if (existsSync(path + suffix)) encoded.set(encoding, readFileSync(path + suffix));
  }
  const digest = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  return { type: contentTypes[extname(path)] ?? 'application/octet-stream', digest, plain, encoded };
}

function answerOf(request: HttpRequest, file: PageFile, fixed: Readonly<Record<string, string>>): HttpResponse {
  const encoding = accepted(request.headers['accept-encoding'], file);
  const etag = `"${file.digest}${encoding === undefined ? '' : `-${encoding}`}"`;
  const headers = { ...fixed, etag, ...(file.encoded.size === 0 ? {} : { vary: 'accept-encoding' }) };
  if (isKnown(request.headers['if-none-match'], etag)) return { status: 304, headers };
  const body = encoding === undefined ? file.plain : (file.encoded.get(encoding) as Uint8Array);
  const coding = encoding === undefined ? {} : { 'content-encoding': encoding };
  return { status: 200, headers: { ...headers, 'content-type': file.type, ...coding }, body };
}

/** What is in `assets/`, by the path it is asked for at. */
function readAssets(folder: string): ReadonlyMap<string, PageFile> {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder).filter((name) => !encodings.some(([, suffix]) => name.endsWith(suffix)));
  return new Map(names.map((name) => [`/assets/${name}`, readFile(join(folder, name))]));
}

/** The routes of the pages. Throws `CONFIG_INVALID` when a document is not there, or all is more than can be held. */
export function openPages({ folder, documents, connectTo = () => [] }: PagesOptions): readonly OpenRoute[] {
  const missing = Object.values(documents).filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    const message = `The pages in ${folder} lack ${missing.join(', ')}: build them with "npm run prepare".`;
    throw new TroupeError('CONFIG_INVALID', message, { folder });
  }
  const assets = readAssets(join(folder, 'assets'));
  const pages = Object.entries(documents).map(([path, name]) => [path, readFile(join(folder, name))] as const);
  const bytes = [...assets.values(), ...pages.map(([, file]) => file)].reduce(
    (sum, { plain }) => sum + plain.length,
    0,
  );
  if (bytes > pagesBytesMax) {
    const message = `The pages in ${folder} have ${bytes} bytes; at most ${pagesBytesMax} are held in memory.`;
    throw new TroupeError('CONFIG_INVALID', message, { folder, bytes });
  }
  const guarded = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };
  const documentHeaders = {
    ...guarded,
    'cache-control': 'no-cache',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  };
  const assetHeaders = { ...guarded, 'cache-control': 'public, max-age=31536000, immutable' };
  return [
    ...pages.map(
      ([path, file]): OpenRoute => ({
        method: 'GET',
        path,
        answer: (request) =>
          answerOf(request, file, { ...documentHeaders, 'content-security-policy': policyOf(connectTo()) }),
      }),
    ),
    ...pages
      .filter(([path]) => path !== '/')
      .map(
        ([path]): OpenRoute => ({
          method: 'GET',
          path: `${path}/`,
          answer: () => ({ status: 308, headers: { location: path } }),
        }),
      ),
    {
      method: 'GET',
      path: assetsPath,
      answer(request) {
        const file = assets.get(request.path);
        if (file === undefined) throw new Refusal('NOT_FOUND');
        return answerOf(request, file, assetHeaders);
      },
    },
  ];
}
