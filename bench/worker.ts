/** A process that runs one task, says what it is doing, and ends with whoever started it. */

import type { WorkerMessage } from './processes.ts';
import { type TaskName, tasks } from './tasks.ts';

function tell(message: WorkerMessage): void {
  process.send?.(message);
}

async function run(name: TaskName, input: unknown): Promise<void> {
  const task = tasks[name] as (input: unknown, say: (what: string) => void) => Promise<unknown>;
  try {
    tell({ kind: 'done', output: await task(input, (what) => tell({ kind: 'doing', what })) });
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

process.once('message', ({ name, input }: { readonly name: TaskName; readonly input: unknown }) => {
  void run(name, input);
});
process.once('disconnect', () => process.exit(0));
tell({ kind: 'ready' });
