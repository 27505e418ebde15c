/** What a worker can be asked to do. */

import { putIntoStore, weighCells } from './bytes.ts';
import { countInProcess } from './counter-commands.ts';
import { rawLmdb, rawRedis } from './raw.ts';
import { fill, restart } from './restart.ts';
import { sagasInProcess } from './sagas.ts';
import { weighSettled } from './settled-bytes.ts';

export const tasks = {
  countInProcess,
  sagasInProcess,
  fill,
  restart,
  weighCells,
  putIntoStore,
  rawLmdb,
  rawRedis,
  weighSettled,
};

export type TaskName = keyof typeof tasks;
export type InputOf<T extends TaskName> = Parameters<(typeof tasks)[T]>[0];
export type OutputOf<T extends TaskName> = Awaited<ReturnType<(typeof tasks)[T]>>;
