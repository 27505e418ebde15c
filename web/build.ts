/**
 * Builds the pages into `web/dist`, compressed beforehand, unless what is there was made of the sources as they are.
 * `npm install` runs it (`prepare`), and so do `npm start` and the tests. Vite is a development dependency: where it is
 * absent, a sentence says so and nothing is built. Two that build at once do not disturb each other: each has a folder
 * of its own, which takes its place in one step.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';

const root = join(import.meta.dirname, '..');
export const pagesFolder = join(import.meta.dirname, 'dist');
const stampFile = 'made-of';
/** What the pages are made of, besides the versions of their packages. */
const sourceFolders = ['web/chat', 'web/inspector', 'web/shared', 'src/inspect/chart'];
const sourceFiles = ['web/build.ts', 'web/vite.config.ts', 'package-lock.json'];
const compressible = new Set(['.html', '.js', '.css', '.svg', '.json']);
/** Below this a compressed copy saves no packet. */
const compressedBytesMin = 512;

function filesOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function sourcesDigest(): string {
  const digest = createHash('sha256');
  const files = [
    ...sourceFolders.flatMap((folder) => filesOf(join(root, folder))),
    ...sourceFiles.map((f) => join(root, f)),
  ];
  for (const file of files) {
    if (existsSync(file)) digest.update(file.slice(root.length)).update('\0').update(readFileSync(file));
  }
  return digest.digest('hex');
}

/** `fresh`: made of the sources as they are. `stale`: made of others. */
export function pagesState(): 'fresh' | 'stale' | 'missing' {
  const stamp = join(pagesFolder, stampFile);
  if (!existsSync(stamp)) return 'missing';
  return readFileSync(stamp, 'utf8') === sourcesDigest() ? 'fresh' : 'stale';
}

export function canBuildPages(): boolean {
  try {
    createRequire(import.meta.url).resolve('vite');
    return true;
  } catch {
    return false;
  }
}

async function compress(folder: string): Promise<void> {
  const files = filesOf(folder).filter((file) => compressible.has(extname(file)));
  await Promise.all(
    files.map(async (file) => {
      const content = readFileSync(file);
      if (content.length < compressedBytesMin) return;
      const params = { [zlib.BROTLI_PARAM_QUALITY]: zlib.BROTLI_MAX_QUALITY };
      writeFileSync(`${file}.br`, await promisify(brotliCompress)(content, { params }));
      writeFileSync(`${file}.gz`, await promisify(gzip)(content, { level: zlib.Z_BEST_COMPRESSION }));
    }),
  );
}

/** Puts a built folder where the pages are read from. */
function takePlace(built: string): void {
  const old = mkdtempSync(join(import.meta.dirname, '.dist-old-'));
  if (existsSync(pagesFolder)) renameSync(pagesFolder, join(old, 'dist'));
  try {
    renameSync(built, pagesFolder);
  } catch (error) {
    // Somebody else, who has built the same, was faster.
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

/** Needs vite. */
export async function buildPages(): Promise<void> {
  const digest = sourcesDigest();
  const { build } = await import('vite');
  const { default: config } = await import('./vite.config.ts');
  const folder = mkdtempSync(join(import.meta.dirname, '.dist-new-'));
  try {
    await build({ ...config, configFile: false, build: { ...config.build, outDir: folder, emptyOutDir: false } });
    await compress(folder);
    writeFileSync(join(folder, stampFile), digest);
    takePlace(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const say = (sentence: string): boolean => process.stdout.write(`${sentence}\n`);
  if (pagesState() === 'fresh') say('The pages are built.');
  else if (!canBuildPages())
    say('The pages are not built: vite is missing, as in an installation without development packages.');
  else {
    const startedAt = Date.now();
    await buildPages();
    say(`The pages are built, in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
  }
}
