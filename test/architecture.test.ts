/** The rules of CONTRIBUTING.md that a program can check. A failure names the file and the rule. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Tracked files, and new ones that are not ignored. */
const repository = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

const sources = repository
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

function under(...folders: readonly string[]): typeof sources {
  return sources.filter(({ path }) => folders.some((folder) => path.startsWith(`${folder}/`)));
}

/** The text without comments and strings, line by line as it was. */
function code(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

interface Import {
  readonly from: string;
  /** A path from the root for files of ours, else a package's name. */
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf({ path, text }: { readonly path: string; readonly text: string }): readonly Import[] {
  const statements = text.matchAll(
    /^\s*(import|export)(\s+type)?\b[^'";]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map((match) => {
    const specifier = match[3] ?? match[4] ?? match[5] ?? '';
    const to = specifier.startsWith('.') ? relative(root, join(root, dirname(path), specifier)) : specifier;
    return { from: path, to, typeOnly: match[2] !== undefined };
  });
}

const imports = sources.flatMap(importsOf);

function importsFrom(folder: string): readonly Import[] {
  return imports.filter(({ from }) => from.startsWith(`${folder}/`));
}

function say(found: readonly Import[]): readonly string[] {
  return found.map(({ from, to }) => `${from} imports ${to}`);
}

/** Files of src that match, as `path:line`, with the allowed ones left out. */
function uses(pattern: RegExp, folders: readonly string[], allowed: readonly RegExp[]): readonly string[] {
  return under(...folders)
    .filter(({ path }) => !allowed.some((exempt) => exempt.test(path)))
    .flatMap(({ path, text }) =>
      code(text)
        .split('\n')
        .map((line, i) => (pattern.test(line) ? `${path}:${i + 1}` : '')),
    )
    .filter((found) => found !== '');
}

const ownFolders = /^(src|actors|machines|test|bench|web)\//;

describe('imports', () => {
  test('machines import xstate and their siblings alone', () => {
    expect(say(importsFrom('machines').filter(({ to }) => to !== 'xstate' && !to.startsWith('machines/')))).toEqual([]);
  });

  test('the runtime imports neither machines nor actors', () => {
    expect(say(importsFrom('src').filter(({ to }) => ownFolders.test(to) && !to.startsWith('src/')))).toEqual([]);
  });

  test('the chat uses the public runtime alone', () => {
    const allowed = ({ from, to }: Import) =>
      !ownFolders.test(to) ||
      /^(actors|machines)\//.test(to) ||
      to === 'src/index.ts' ||
      (from === 'actors/cli/pages.ts' && to === 'web/build.ts');
    expect(say(importsFrom('actors').filter((one) => !allowed(one)))).toEqual([]);
  });

  test('the pages import types, and the pure chart', () => {
    const wireTypes = /^(machines\/vocabulary|actors\/contract|src\/inspect\/answers)\.ts$/;
    const ofPages = importsFrom('web').filter(({ to }) => ownFolders.test(to) && !to.startsWith('web/'));
    const allowed = ({ to, typeOnly }: Import) =>
      to.startsWith('src/inspect/chart/') || (typeOnly && wireTypes.test(to));
    expect(say(ofPages.filter((one) => !allowed(one)))).toEqual([]);
    expect(say(importsFrom('web/shared').filter(({ to }) => /^web\/(chat|inspector)\//.test(to)))).toEqual([]);
    expect(say(importsFrom('web/chat').filter(({ to }) => to.startsWith('web/inspector/')))).toEqual([]);
    expect(say(importsFrom('web/inspector').filter(({ to }) => to.startsWith('web/chat/')))).toEqual([]);
  });

  test('the chart knows nothing of Node', () => {
    const pure = (to: string) => /^(xstate(\/graph)?|src\/actor\/guard-text\.ts)$/.test(to);
    const ofChart = importsFrom('src/inspect/chart');
    expect(say(ofChart.filter(({ to }) => !pure(to) && !to.startsWith('src/inspect/chart/')))).toEqual([]);
    expect(importsFrom('src/actor').filter(({ from }) => from === 'src/actor/guard-text.ts')).toEqual([]);
    expect(uses(/\b(process|Buffer|require|document|window)\b/, ['src/inspect/chart'], [])).toEqual([]);
  });

  test('Node is used by the builder of the pages alone', () => {
    const builders = ['web/build.ts', 'web/vite.config.ts'];
    expect(
      say(importsFrom('web').filter(({ from, to }) => /^node:|^vite$/.test(to) && !builders.includes(from))),
    ).toEqual([]);
  });

  test('native clients are imported by their adapters alone', () => {
    const adapters: Readonly<Record<string, RegExp>> = {
      ioredis: /^src\/journal\/redis(\.ts$|\/)/,
      lmdb: /^src\/journal\/lmdb(\.ts$|\/|-)/,
      'uWebSockets.js': /^src\/gateway\/[a-z-]+\.ts$/,
      'prom-client': /^src\/metrics\/prometheus\.ts$/,
    };
    const product = imports.filter(({ from }) => /^(src|actors|machines)\//.test(from));
    expect(say(product.filter(({ from, to }) => adapters[to]?.test(from) === false))).toEqual([]);
    expect(
      new Set(product.filter(({ to, typeOnly }) => to === 'uWebSockets.js' && !typeOnly).map(({ from }) => from)).size,
    ).toBeLessThan(2);
  });

  test('no file imports itself through others', () => {
    // Types alone may go both ways between neighbours: at run time nothing is left of them.
    const counts = ({ from, to, typeOnly }: Import) =>
      ownFolders.test(to) && !(typeOnly && dirname(from) === dirname(to));
    const next = new Map(sources.map(({ path }) => [path, imports.filter((one) => one.from === path && counts(one))]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (trail.includes(path) || done.has(path)) return;
      for (const { to } of next.get(path) ?? []) visit(to, [...trail, path]);
      done.add(path);
    };
    for (const { path } of sources) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('ports', () => {
  test('time comes from the clock alone', () => {
    const clocks =
      /(?<![.\w])(Date\.now|new Date\(\)|performance\.now|process\.hrtime|setTimeout|setInterval|setImmediate)\b/;
    expect(uses(clocks, ['src', 'machines'], [/^src\/clock\.ts$/])).toEqual([]);
  });

  test('chance comes from the ids alone', () => {
    expect(
      uses(/\b(Math\.random|randomUUID|randomBytes|getRandomValues)\b/, ['src', 'machines'], [/^src\/ids\.ts$/]),
    ).toEqual([]);
  });

  test('the environment is read in the composition root', () => {
    const allowed = [/^actors\/config\.ts$/, /^actors\/cli\//];
    expect(uses(/\bprocess\.env\b/, ['src', 'machines', 'actors'], allowed)).toEqual([]);
  });
});

describe('files', () => {
  /** Files of more than 400 lines, and why they may be. */
  const long: Readonly<Record<string, string>> = {
    'src/shard/shard.ts': 'the life of one shard; its states share the cells, the mailbox and the pipeline',
    'src/shard/turn.ts': 'the turn, to be read in one sitting',
  };

  test('long files are listed and none is huge', () => {
    const lines = sources.map(({ path, text }) => ({ path, count: text.split('\n').length - 1 }));
    expect(lines.filter(({ path, count }) => count > 400 && long[path] === undefined)).toEqual([]);
    expect(lines.filter(({ count }) => count > 600)).toEqual([]);
    expect(Object.keys(long).filter((path) => !lines.some((file) => file.path === path && file.count > 400))).toEqual(
      [],
    );
  });

  test('names say the concept, and one barrel exists', () => {
    const vague = /^(utils?|helpers?|common|types|misc|shared|base|manager|.*-(manager|helper|utils?))\.[a-z]+$/;
    expect(repository.filter((path) => vague.test(basename(path)))).toEqual([]);
    expect(sources.filter(({ path }) => basename(path) === 'index.ts').map(({ path }) => path)).toEqual([
      'src/index.ts',
    ]);
    expect(
      sources.filter(({ path }) => !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(basename(path))).map(({ path }) => path),
    ).toEqual([]);
  });

  test('each runtime file says what it is', () => {
    expect(
      under('src')
        .filter(({ text }) => !/^\/\*\*\s(\s?\* )?[A-Z`][\s\S]{60,}?\*\//.test(text))
        .map(({ path }) => path),
    ).toEqual([]);
  });

  test('nothing is any, default or silenced', () => {
    const product = ['src', 'actors', 'machines', 'test', 'bench', 'web'];
    expect(uses(/\bas any\b|: any\b|<any\b|\bany\[\]/, product, [/^test\/architecture/])).toEqual([]);
    expect(uses(/^export default\b/, product, [/^web\/vite\.config\.ts$/])).toEqual([]);
    const silenced = /@ts-(ignore|nocheck)|noExplicitAny:/;
    expect(
      sources
        .filter(({ path, text }) => silenced.test(text) && path !== 'test/architecture.test.ts')
        .map(({ path }) => path),
    ).toEqual([]);
  });

  test('test titles are facts in the present tense', () => {
    const titles = under('test').flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:it|test)(?:\.\w+(?:\([^)]*\))?)?\(\s*(['"`])(.*?)\1/g)].map(
        (match) => `${path}: ${match[2]}`,
      ),
    );
    expect(titles.filter((title) => /\bshould\b|: (will|must)\b/.test(title))).toEqual([]);
  });

  test('no file names a machine or a registry', () => {
    const hidden = [
      ['/wo', 'rk/'],
      ['/ro', 'ot/'],
      ['registry', '.npmjs'],
      ['"resol', 'ved"'],
    ].map((parts) => parts.join(''));
    const texts = repository.filter((path) => !/\.(png|ico|woff2?|svg)$/.test(path));
    const naming = texts.filter((path) => hidden.some((name) => readFileSync(join(root, path), 'utf8').includes(name)));
    expect(naming).toEqual([]);
  });
});
