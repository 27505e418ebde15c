import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { chartsIn, svgFor, svgPath, withCharts } from './inspect/charts.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

function example(): string {
  const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (block === undefined) throw new Error('The README has no example.');
  return block;
}

test('the example of the README counts on', async () => {
  // Inside the package, so that `troupe` is resolved as for anybody who depends on it.
  const folder = await mkdtemp(join(root, 'test', '.readme-'));
  try {
    await writeFile(join(folder, 'example.ts'), example());
    const run = async (): Promise<string> => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'example.ts'], {
        cwd: folder,
      });
      return stdout.trim();
    };

    const first = await run();
    const second = await run();

    expect([first, second]).toEqual(['1', '2']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('its statecharts are those of the machines', async () => {
  const types = chartsIn(readme);

  expect(types).toEqual(['ROOM_CREATE', 'room']);
  expect(readme).toBe(withCharts(readme));
  for (const type of types) expect(readFileSync(join(root, svgPath(type)), 'utf8')).toBe(await svgFor(type));
});

test('every file that the documentation names exists', () => {
  const named = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(/`((?:src|test|actors|machines|bench)\/[\w./-]+)`/g)].map(([, path]) => path!);
  });

  const missing = named.filter((path) => !existsSync(join(root, path)));

  expect(named.length).toBeGreaterThan(0);
  expect(missing).toEqual([]);
});
