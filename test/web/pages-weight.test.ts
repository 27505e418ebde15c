import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const dist = join(import.meta.dirname, '../../web/dist');
const bytesMax = 300_000;

/** The files that a page loads by itself: what its document names, and what those scripts and styles name in turn. */
function filesOf(document: string): readonly string[] {
  const assets = readdirSync(join(dist, 'assets')).filter((name) => !/\.(br|gz)$/.test(name));
  const found = new Set<string>();
  const read = (path: string): void => {
    const text = readFileSync(path, 'latin1');
    for (const name of assets) {
      // Charts are laid out by a worker which is loaded when one opens.
      if (!text.includes(name) || found.has(name) || /elk/.test(name)) continue;
      found.add(name);
      read(join(dist, 'assets', name));
    }
  };
  read(join(dist, document));
  return [document, ...[...found].map((name) => join('assets', name))];
}

function compressedBytes(file: string): number {
  const folder = join(dist, file, '..');
  const name = file.split('/').at(-1) as string;
  const best = readdirSync(folder).includes(`${name}.br`) ? `${file}.br` : file;
  return readFileSync(join(dist, best)).length;
}

test.each(['chat', 'inspector'])('the page %s weighs less than 300 kB', (page) => {
  const files = filesOf(`${page}/index.html`);

  const bytes = files.reduce((sum, file) => sum + compressedBytes(file), 0);

  process.stdout.write(`The page ${page} has ${files.length} files and ${Math.round(bytes / 1000)} kB.\n`);
  expect(files.length).toBeGreaterThan(2);
  expect(bytes).toBeLessThan(bytesMax);
});
