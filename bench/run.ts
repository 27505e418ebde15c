/** Runs the steps of a selection, one after the other, within a limit of time. */

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAverage, type MachineFacts, machineFacts, paceMs } from './machine.ts';
import { noResults, type Results, type Selection, stepsOf, type Workload } from './plan.ts';

export interface Progress {
  /** A step, or a part of it, has begun. */
  doing(line: string): void;
  /** All steps of a workload have ended. */
  finished(workload: Workload, results: Results): void;
}

export interface Outcome {
  readonly machine: MachineFacts;
  readonly results: Results;
  /** Steps there was no time for. */
  readonly leftOut: readonly string[];
  /** Steps that went wrong, each with the reason. */
  readonly failed: readonly string[];
}

/** Until the piece of work that tells the pace is compiled. */
const paceWarmUps = 8;

/** A step that fails leaves the others alone; whatever it started is ended and removed. */
export async function runBench(selection: Selection, minutesMax: number, progress: Progress): Promise<Outcome> {
  const folder = await mkdtemp(join(selection.folder, 'troupe-bench-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const interrupted = (): void => {
    void remove().finally(() => process.exit(130));
  };
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', interrupted);
  // A Redis server of ours makes its folder there: what an interrupted run leaves is one folder.
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  const until = performance.now() + minutesMax * 60_000;
  const loadBefore = loadAverage();
  const results = noResults();
  const leftOut: string[] = [];
  const failed: string[] = [];
  for (let i = 0; i < paceWarmUps; i++) paceMs();
  const paces = [paceMs()];
  try {
    const steps = stepsOf({ ...selection, folder });
    for (const [i, { title, workload, run }] of steps.entries()) {
      const where = `[${i + 1}/${steps.length}] ${title}`;
      if (performance.now() > until) leftOut.push(title);
      else {
        progress.doing(where);
        paces.push(paceMs());
        try {
          await run(results, (part) => progress.doing(`${where}: ${part}`));
        } catch (error) {
          failed.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      if (steps[i + 1]?.workload !== workload) progress.finished(workload, results);
    }
    const machine = await machineFacts({ folder, loadBefore, nodeFlags: selection.nodeFlags, paces });
    return { machine, results, leftOut, failed };
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await remove();
  }
}
