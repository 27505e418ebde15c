/**
 * `npm test`: provides what the tests need, then runs the type check, the linter and all suites. The last line adds
 * everything up. The type check and the linter count as one test each; a skipped test counts as a failed one.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { providePrograms } from './setup/debian.ts';
import { programs } from './setup/programs.ts';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly Assertion[];
  }[];
}

interface Assertion {
  readonly fullName: string;
  readonly status: string;
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}

/** Runs a program of node_modules/.bin (npm puts it on the PATH) with its output shown. */
function run(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

function check(title: string, program: string, args: readonly string[]): Count {
  const ok = run(program, args);
  say(`${ok ? '✓' : '✗'} ${title}`);
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function countOf(report: Report, exitedWell: boolean): Count {
  const skipped = report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map((test) => `${test.fullName} (${file.name})`),
  );
  for (const title of skipped) say(`✗ skipped, which counts as failed: ${title}`);
  // A file that cannot be loaded has no tests that could fail.
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = report.numTotalTests - report.numPassedTests + unloaded.length;
  // An error outside of every test (an unhandled rejection) shows in the exit code alone.
  return { passed: report.numPassedTests, failed: failed === 0 && !exitedWell ? 1 : failed };
}

function suites(filters: readonly string[]): Count {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-test-'));
  const file = join(folder, 'report.json');
  try {
    const exitedWell = run('vitest', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...filters,
    ]);
    return countOf(JSON.parse(readFileSync(file, 'utf8')) as Report, exitedWell);
  } catch (error) {
    say(`✗ vitest gave no report: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const missing = providePrograms(programs, say);
if (missing.length > 0) {
  process.stderr.write(`${missing.join('\n')}\n`);
  say('0 passed, 1 failed');
  process.exit(1);
}
const counts = [
  check('types (tsc)', 'tsc', ['--noEmit', '-p', '.']),
  check('types of the pages (tsc)', 'tsc', ['--noEmit', '-p', 'web']),
  check('types of the tests of the pages (tsc)', 'tsc', ['--noEmit', '-p', 'test/web']),
  check('format and lint (biome)', 'biome', ['check', '--error-on-warnings', '.']),
  suites(process.argv.slice(2)),
];
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
